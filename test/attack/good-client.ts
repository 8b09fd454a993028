/**
 * A client of HTTP/2 that only wants to be served, on one connection: so many
 * requests a second, or each when another was answered. A process of its own,
 * so that nothing but the server keeps it from them. It is told the port, and
 * tells how many were answered whenever it is asked.
 */
import * as Net from "node:net"
import * as Wire from "../harness/Http2Wire.ts"
import { block } from "./Http2Peer.ts"

/** What is not answered in time is not asked for later: nobody waits for so many. */
const mostAtOnce = 100

/** Of who asks as fast as it is answered. */
const fewAtOnce = 8

const tickMillis = 2

const headBytes = 9

const endStream = 1

/** Of DATA that has come, at which the window is opened again. */
const creditBytes = 16_384

let answered = 0

/** Connects again where it is thrown out, which it should never be. */
const serve = (port: number, perSecond: number): void => {
  const socket = Net.connect({ host: "127.0.0.1", port }).setNoDelay(true)
  let nextId = 1
  let open = 0
  let rest: Buffer = Buffer.alloc(0)
  let owedBytes = 0
  const ask = (count: number): void => {
    const frames: Array<Uint8Array> = []
    for (let left = count; left > 0; left--, nextId += 2) frames.push(requestOf(nextId))
    open += count
    socket.write(Buffer.concat(frames))
  }
  let askedMillis = performance.now()
  const tick = (): void => {
    const nowMillis = performance.now()
    const due = Math.floor(((nowMillis - askedMillis) * perSecond) / 1_000)
    if (due === 0) return
    askedMillis += (due * 1_000) / perSecond
    const count = Math.min(due, mostAtOnce - open)
    if (count > 0) ask(count)
  }
  const isPaced = Number.isFinite(perSecond)
  const timer = isPaced ? setInterval(tick, tickMillis) : undefined
  socket.on("connect", () => {
    socket.write(Wire.wire(Wire.preface, Wire.settings(), Wire.settingsAck))
    if (!isPaced) ask(fewAtOnce)
  })
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    let ended = 0
    while (bytes.length - at >= headBytes) {
      const end = at + headBytes + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      const type = bytes[at + 3]!
      if (type === 0) owedBytes += end - at - headBytes
      if (type <= 1 && (bytes[at + 4]! & endStream) !== 0) ended++
      if (type === 6) socket.write(Wire.frame("PING", 1, 0, bytes.subarray(at + headBytes, end)))
      at = end
    }
    rest = bytes.subarray(at)
    answered += ended
    open -= ended
    if (owedBytes >= creditBytes) {
      socket.write(Wire.windowUpdate(0, owedBytes))
      owedBytes = 0
    }
    if (ended > 0 && !isPaced) ask(ended)
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    clearInterval(timer)
    setTimeout(() => serve(port, perSecond), 10)
  })
}

const template = Buffer.from(Wire.headers(0, block("GET", "/"), "END_STREAM"))

const requestOf = (id: number): Uint8Array => {
  const frame = Buffer.from(template)
  frame.writeUInt32BE(id, 5)
  return frame
}

process.on("message", (message: { readonly port: number; readonly perSecond: number } | "how many") => {
  if (message === "how many") process.send!({ answered, atMillis: performance.now() })
  else serve(message.port, message.perSecond)
})
process.on("disconnect", () => process.exit(0))
