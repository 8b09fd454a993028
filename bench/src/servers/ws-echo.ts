/**
 * WebSocket echo with `ws`, on the `node:http` server that it makes.
 */
import { WebSocketServer } from "ws"
import * as Announcement from "./Announcement.ts"

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })

server.on("connection", (socket) => {
  socket.on("message", (data, binary) => socket.send(data, { binary }))
  socket.on("error", () => socket.terminate())
})
server.on("listening", () => Announcement.listeningOn(server.address()))
