/**
 * Pipelined requests to our server over a real socket, cut as a network may
 * cut them: each must be answered, in order, and with nothing between.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { once } from "node:events"
import * as Net from "node:net"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import * as EngineSocket from "./EngineSocket.ts"
import type { Side } from "./Http1Live.ts"
import { Random } from "./Http1Traffic.ts"

export const pipelined = async (): Promise<Side> => {
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, serve)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  return { round: (seed) => ask(port, new Random(seed)), close: () => server.close() }
}

/** Answers with the bytes of the request's body; half of the time in a later turn. */
const serve = (socket: Net.Socket): void => {
  let parts: Array<Uint8Array> = []
  let count = 0
  const handler: ServerHandler = {
    onRequest: ({ delimiter }) => {
      parts = []
      if (delimiter === "Empty") handler.onEnd(undefined)
    },
    onBody: (data) => void parts.push(data.slice()),
    onEnd: () => {
      const answer = (): void => {
        engine.respond({ status: 200, headers: {} }, Buffer.concat(parts), 0)
        flush()
      }
      if (count++ % 2 === 0) answer()
      else setImmediate(answer)
    },
    onUpgrade() {},
    onRaw() {},
    onPeerEnd() {},
    onViolation() {},
    onClose() {}
  }
  const engine = new Http1Server(handler, Http1Options.resolve(), 0)
  let flush = (): void => {}
  flush = EngineSocket.drive(socket, engine)
}

const ask = async (port: number, random: Random): Promise<number> => {
  const bodies = Array.from({ length: 1 + random.below(30) }, () =>
    Buffer.alloc(random.below(random.chance(10) ? 100_000 : 50), `${random.below(1e6)}\r\n\r\n`)
  )
  const wire = Buffer.concat(bodies.map((body, index) => requestOf(random, body, index === bodies.length - 1)))
  const expected = Buffer.concat(
    bodies.map((body, index) => {
      const close = index === bodies.length - 1 ? "connection: close\r\n" : ""
      return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${close}\r\n`), body])
    })
  )
  const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
  const received: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => received.push(chunk))
  const closed = once(socket, "close")
  const mostBytes = random.pick([Math.max(10, wire.length / 200), 1_000, wire.length])
  for (let at = 0; at < wire.length; ) {
    const end = at + 1 + random.below(mostBytes)
    socket.write(wire.subarray(at, end))
    if (random.chance(4)) await new Promise(setImmediate)
    at = end
  }
  await closed
  Assert.ok(Buffer.concat(received).equals(expected), "the answers are not those to the requests")
  return bodies.length
}

const requestOf = (random: Random, body: Buffer, last: boolean): Buffer => {
  const head = `${random.chance(4) ? "\r\n" : ""}POST / HTTP/1.1\r\nHost: a\r\n${last ? "Connection: close\r\n" : ""}`
  if (random.chance(2)) return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body])
  const chunks: Array<Buffer> = []
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + random.below(5_000))
    chunks.push(
      Buffer.from(`${piece.length.toString(16)}${random.chance(5) ? ";a=b" : ""}\r\n`),
      piece,
      Buffer.from("\r\n")
    )
    at += piece.length
  }
  return Buffer.concat([
    Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`),
    ...chunks,
    Buffer.from(random.chance(3) ? "0\r\nX-Sum: 1\r\n\r\n" : "0\r\n\r\n")
  ])
}
