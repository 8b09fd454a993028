/**
 * One request on one connection, before any load: is the reply what it should
 * be, and how long is it? A fast server that answers nonsense measures nothing.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import * as StreamLoad from "./StreamLoad.ts"

export interface FirstReply {
  readonly replyBytes: number
  /** The first bytes, by which a later reply of the same kind is known. */
  readonly replyBegins: Buffer
}

/** As long as `HTTP/1.1 200`. */
const beginBytes = 12
const deadlineMillis = 5_000

/** Fails when the reply does not hold what the load expects. */
export const measure = async (conversation: StreamLoad.Conversation, port: number): Promise<FirstReply> => {
  const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true })
  try {
    return await Deadline.within(exchange(socket, conversation), deadlineMillis, "the first reply")
  } finally {
    socket.destroy()
  }
}

/** Says the opening and one request on a socket that is connecting. */
export const exchange = (socket: Net.Socket, conversation: StreamLoad.Conversation): Promise<FirstReply> =>
  new Promise((resolve, reject) => {
    const { opening } = conversation
    let opened = opening === undefined
    let received = ""
    const ask = (): void => {
      opened = true
      received = ""
      socket.write(StreamLoad.requestOf(conversation))
    }
    const finish = (): void => {
      if (!conversation.replyHolds.every((text) => received.includes(text))) {
        reject(new Error(`the first reply is ${JSON.stringify(received.slice(0, 200))}`))
        return
      }
      const replyBegins = Buffer.from(received.slice(0, beginBytes), "latin1")
      resolve({ replyBytes: received.length, replyBegins })
    }
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("the server closed the connection")))
    socket.on("connect", () => {
      if (opening === undefined) ask()
      else socket.write(opening.send, "latin1")
    })
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1")
      if (!opened) {
        if (received.includes(opening!.until)) ask()
      } else if (received.length >= StreamLoad.replyLength(conversation, received)) finish()
    })
  })
