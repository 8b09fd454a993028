/**
 * A client that asks again as soon as it has its answer, on one connection, and
 * tells how that ended: what a load balancer sees of a server that drains.
 */
import * as Net from "node:net"

export interface Outcome {
  /** Responses that came whole. */
  readonly answered: number
  /** The last of them said `Connection: close`. */
  readonly announced: boolean
  /** What came of a response that was cut off. */
  readonly partial: string
  /** A request was sent that nothing came back for. */
  readonly unanswered: boolean
  /** Why the connection broke; `undefined`: it ended. */
  readonly error: string | undefined
}

/** Asks `where`, `host:port`, for `path` until the connection ends. `onAnswer` is called with the number of answers so far. */
export const run = (where: string, path: string, onAnswer: (answered: number) => void): Promise<Outcome> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(`http://${where}`)
    const request = `GET ${path} HTTP/1.1\r\nHost: ${where}\r\n\r\n`
    let answered = 0
    let announced = false
    let waiting = false
    let received = ""
    let error: string | undefined
    const ask = () => {
      waiting = true
      socket.write(request)
    }
    const socket = Net.connect({ port: Number(port), host: hostname, allowHalfOpen: true }, ask)
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      received += text
      const end = endOf(received)
      if (end < 0) return
      announced = /\r\nconnection: close\r\n/i.test(received.slice(0, end))
      received = received.slice(end)
      answered++
      waiting = false
      onAnswer(answered)
      if (!announced) ask()
    })
    socket.on("end", () => socket.end())
    socket.on("error", (cause) => {
      error = cause.message
    })
    socket.on("close", () => resolve({ answered, announced, partial: received, unanswered: waiting, error }))
  })

/** Where the response ends that `text` begins with; below 0 while it has not all come. */
const endOf = (text: string): number => {
  const head = text.indexOf("\r\n\r\n")
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)
  if (head < 0) return -1
  if (length !== null) {
    const end = head + 4 + Number(length[1])
    return text.length < end ? -1 : end
  }
  const last = text.indexOf("\r\n0\r\n\r\n", head + 2)
  return last < 0 ? -1 : last + 7
}
