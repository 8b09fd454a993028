/**
 * A hand-written echo of length-delimited frames on `node:net`: finds the
 * frames of each chunk, and answers them with one write.
 *
 * As fast as it gets, and with nothing that a server needs: no limit on what
 * waits unread by the peer, no timeouts, no drain.
 */
import * as Net from "node:net"
import * as Announcement from "./Announcement.ts"

const prefixBytes = 4
const maxFrameBytes = 8 * 1024 * 1024

const echoFrames = (socket: Net.Socket): void => {
  let unfinished: Buffer | undefined
  socket.on("data", (chunk) => {
    const bytes = unfinished === undefined ? chunk : Buffer.concat([unfinished, chunk])
    const frames: Array<Buffer> = []
    let at = 0
    while (bytes.length - at >= prefixBytes) {
      const frameBytes = bytes.readUInt32BE(at)
      if (frameBytes > maxFrameBytes) {
        socket.destroy()
        return
      }
      if (bytes.length - at - prefixBytes < frameBytes) break
      frames.push(bytes.subarray(at + prefixBytes, at + prefixBytes + frameBytes))
      at += prefixBytes + frameBytes
    }
    unfinished = at === bytes.length ? undefined : bytes.subarray(at)
    if (frames.length > 0) socket.write(encode(frames))
  })
  socket.on("error", () => socket.destroy())
}

const encode = (frames: ReadonlyArray<Buffer>): Buffer => {
  let byteCount = 0
  for (const frame of frames) byteCount += prefixBytes + frame.length
  const out = Buffer.allocUnsafe(byteCount)
  let at = 0
  for (const frame of frames) {
    out.writeUInt32BE(frame.length, at)
    frame.copy(out, at + prefixBytes)
    at += prefixBytes + frame.length
  }
  return out
}

const server = Net.createServer({ noDelay: true }, echoFrames)

server.listen(0, "127.0.0.1", () => Announcement.listeningOn(server.address()))
