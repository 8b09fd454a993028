/**
 * Holds connections that say nothing: opens as many as its `Order` says, and
 * asks each for one reply, so that the server has surely taken it. Then it
 * prints `open <count>`, and holds them until its stdin ends. Of all that a
 * server may say later, only its goodbye is answered.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import * as FirstReply from "./FirstReply.ts"
import type { IdleConversation, Order } from "./IdleLoad.ts"

/** Under the number of ports that a system gives to one source address. */
const connectionsPerAddress = 20_000
/** Connections being opened at a time; below the accept backlog of any server. */
const openingAtOnce = 100
const replyMillis = 20_000

const { port, count, conversation }: Order = JSON.parse(process.argv[2] ?? "{}")

const open = async (index: number): Promise<Net.Socket> => {
  const localAddress = `127.0.0.${1 + Math.floor(index / connectionsPerAddress)}`
  const socket = Net.connect({ host: "127.0.0.1", port, localAddress, noDelay: true })
  await Deadline.within(FirstReply.exchange(socket, conversation), replyMillis, `connection ${index}`)
  if (conversation.farewell !== undefined) sayFarewell(socket, conversation.farewell)
  return socket
}

const sayFarewell = (socket: Net.Socket, { hears, says }: NonNullable<IdleConversation["farewell"]>): void => {
  socket.on("data", (chunk) => {
    if (chunk.includes(hears, 0, "latin1")) socket.write(says, "latin1")
  })
}

const sockets: Array<Net.Socket> = []
let next = 0
const openInTurn = async (): Promise<void> => {
  while (next < count) sockets.push(await open(next++))
}
await Promise.all(Array.from({ length: openingAtOnce }, openInTurn))
console.log(`open ${sockets.length}`)
process.stdin.resume().on("end", () => process.exit(0))
