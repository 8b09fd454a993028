/**
 * The least that Node's sockets cost a request: every chunk that comes is
 * answered with the same bytes, unread. No HTTP server can be faster on them.
 */
import * as Net from "node:net"
import * as Announcement from "./Announcement.ts"

const answer = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 11\r\n" +
    "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nhello world"
)

const server = Net.createServer({ noDelay: true }, (socket) => {
  socket.on("data", () => {
    socket.write(answer)
  })
  socket.on("error", () => socket.destroy())
})

server.listen(0, "127.0.0.1", () => Announcement.listeningOn(server.address()))
