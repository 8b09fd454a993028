/**
 * One request on one connection, before any load: is the reply what it should
 * be, and how long is it? A fast server that answers nonsense measures nothing.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import type { StreamLoad } from "./StreamLoad.ts"

/** The part of a load that one request takes. */
export type Conversation = Pick<StreamLoad, "request" | "replyBytes" | "replyHolds" | "opening">

/** A reply of unknown size has ended when nothing more came for so long. */
const quietMillis = 150
const deadlineMillis = 5_000

/** Bytes of one reply. Fails when it does not hold what the load expects. */
export const measure = async (conversation: Conversation, port: number): Promise<number> => {
  const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true })
  try {
    return await Deadline.within(exchange(socket, conversation), deadlineMillis, "the first reply")
  } finally {
    socket.destroy()
  }
}

/** Says the opening and one request on a socket that is connecting; bytes of the reply. */
export const exchange = (socket: Net.Socket, { opening, ...expected }: Conversation): Promise<number> =>
  new Promise((resolve, reject) => {
    let opened = opening === undefined
    let received = ""
    let quiet: NodeJS.Timeout | undefined
    const ask = (): void => {
      opened = true
      received = ""
      socket.write(expected.request, "latin1")
    }
    const finish = (): void => {
      if (received.includes(expected.replyHolds)) resolve(received.length)
      else reject(new Error(`the first reply is ${JSON.stringify(received.slice(0, 200))}`))
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
      } else if (expected.replyBytes === "learn") {
        clearTimeout(quiet)
        quiet = setTimeout(finish, quietMillis)
      } else if (received.length >= expected.replyBytes) finish()
    })
  })
