/**
 * The connections of a load generator. All of them read into one buffer, and
 * hand over how much came: the generator is to be cheaper than the server.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import type { Opening } from "./StreamLoad.ts"

/** Whose bytes come, after the opening. They lie at the beginning of `readBuffer` until `onBytes` returns. */
export interface LoadReceiver {
  onBytes(byteCount: number): void
  onError(error: Error): void
}

export const readBuffer = Buffer.allocUnsafe(256 * 1024)

/** Connections being opened at a time; below the accept backlog of any server. */
const openingAtOnce = 100
const openMillis = 20_000

/** Opens a connection for each of `receivers`, in their order. */
export const openAll = async (
  port: number,
  opening: Opening | undefined,
  receivers: ReadonlyArray<LoadReceiver>
): Promise<ReadonlyArray<Net.Socket>> => {
  const sockets = new Array<Net.Socket>(receivers.length)
  let next = 0
  const openInTurn = async (): Promise<void> => {
    while (next < receivers.length) {
      const index = next++
      sockets[index] = await open(port, opening, receivers[index]!)
    }
  }
  await Deadline.within(Promise.all(Array.from({ length: openingAtOnce }, openInTurn)), openMillis, "connecting")
  return sockets
}

/** Connects, and says the opening. */
const open = (port: number, opening: Opening | undefined, receiver: LoadReceiver): Promise<Net.Socket> =>
  new Promise((resolve, reject) => {
    let opened = opening === undefined
    let heard = ""
    const onBytes = (byteCount: number): boolean => {
      if (opened) {
        receiver.onBytes(byteCount)
        return true
      }
      heard += readBuffer.toString("latin1", 0, byteCount)
      if (heard.includes(opening!.until)) {
        opened = true
        resolve(socket)
      }
      return true
    }
    const socket = Net.connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: onBytes }
    })
    socket.once("connect", () => (opened ? resolve(socket) : socket.write(opening!.send, "latin1")))
    socket.on("error", (error) => {
      reject(error)
      receiver.onError(error)
    })
    socket.on("close", () => {
      reject(new Error("the server closed the connection"))
      receiver.onError(new Error("the server closed a connection"))
    })
  })
