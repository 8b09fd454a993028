/**
 * The floor of every comparison: TCP echo with a bare `node:net` handler.
 */
import * as Net from "node:net"
import * as Announcement from "./Announcement.ts"

const server = Net.createServer({ noDelay: true }, (socket) => {
  socket.on("data", (chunk) => {
    socket.write(chunk)
  })
  socket.on("error", () => socket.destroy())
})

server.listen(0, "127.0.0.1", () => Announcement.listeningOn(server.address()))
