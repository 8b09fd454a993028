/**
 * Holds streams of HTTP/2 that have no answer, as its `WaitingOrder` says:
 * prints `open <count>` when the server has read all requests, and holds them
 * until its stdin ends.
 */
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"
import type { WaitingOrder } from "./Http2Load.ts"
import { Http2Waiting } from "./Http2Waiting.ts"

const openMillis = 20_000

const order: WaitingOrder = JSON.parse(process.argv[2] ?? "{}")

const open = (index: number): Promise<void> => {
  const socket = Net.connect({ host: "127.0.0.1", port: order.port, noDelay: true })
  const connection = new Http2Waiting(socket, order)
  socket.on("data", (chunk) => connection.receive(chunk, chunk.length))
  socket.on("error", (error) => connection.fail(error))
  socket.on("close", () => connection.fail(new Error("the server closed the connection")))
  return Deadline.within(connection.opened, openMillis, `connection ${index}`)
}

await Promise.all(Array.from({ length: order.connections }, (_, index) => open(index)))
console.log(`open ${order.connections * order.streams}`)
process.stdin.resume().on("end", () => process.exit(0))
