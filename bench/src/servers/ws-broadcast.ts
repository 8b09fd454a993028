/**
 * Each message to every client with `ws`: `send` in a loop, as its
 * documentation does it.
 */
import { WebSocket, WebSocketServer } from "ws"
import * as Announcement from "./Announcement.ts"

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })

server.on("connection", (socket) => {
  socket.on("message", (data, binary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary })
    }
  })
  socket.on("error", () => socket.terminate())
})
server.on("listening", () => Announcement.listeningOn(server.address()))
