/**
 * Our encoder and decoder against those of `node:http2`: frames made by hand
 * go to its server over a real socket, and come back from it. Lists of fields
 * are random, and so are the table sizes, which both sides change as they go.
 */
import * as Http2 from "node:http2"
import * as Net from "node:net"
import { HpackBlock } from "@sluice/core/protocol/hpack/HpackBlock"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import { HpackEncoder } from "@sluice/core/protocol/hpack/HpackEncoder"
import { assert, it } from "vitest"
import { decode, type Field } from "../core/protocol/hpack/HpackWire.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"

const frameType = { headers: 1, reset: 3, settings: 4, goAway: 7, continuation: 9 }
const flag = { ack: 1, endStream: 1, endHeaders: 4 }
const headerTableSize = 1

const frame = (type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.set([type, flags], 3)
  head.writeUInt32BE(streamId, 5)
  return Hex.concat([head, payload])
}
const tableSetting = (bytes: number): Uint8Array =>
  Uint8Array.of(0, headerTableSize, bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes)

/** What a server has made of a request: its list, and which of its names were never indexed. */
interface Seen {
  readonly list: ReadonlyArray<Field>
  readonly secrets: ReadonlyArray<string>
}

/** A client that knows nothing of HTTP/2 but its frames. */
class RawClient {
  readonly encoder = new HpackEncoder({ maxTableBytes: 8192 })
  readonly decoder = new HpackDecoder()
  /** The table sizes of our settings that the server has not acknowledged. */
  private readonly unacknowledged: Array<number> = []
  private readonly socket: Net.Socket
  private readonly block = new HpackBlock()
  private waiting = Buffer.alloc(0)
  private pieces: Array<Uint8Array> = []
  private answer: ((list: ReadonlyArray<Field>) => void) | undefined = undefined
  private fail: ((cause: Error) => void) | undefined = undefined

  constructor(socket: Net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    socket.write(frame(frameType.settings, 0, 0, new Uint8Array(0)))
    this.unacknowledged.push(4096)
    socket.on("data", (bytes: Buffer) => this.receive(bytes))
    socket.on("close", () => this.fail?.(new Error("the server has closed")))
  }

  /** Says how large the server's encoder may make our table. */
  setTable(bytes: number): void {
    this.unacknowledged.push(bytes)
    this.socket.write(frame(frameType.settings, 0, 0, tableSetting(bytes)))
  }

  /** Sends a request in one frame or two, and has the list of its response. */
  request(streamId: number, list: ReadonlyArray<Field>, cutAt: number): Promise<ReadonlyArray<Field>> {
    this.block.begin(0)
    this.encoder.begin(this.block)
    for (const [name, value, policy] of list) this.encoder.encode(this.block, name, value, policy)
    const wire = this.block.copy(0)
    const at = Math.min(cutAt, wire.length)
    if (at === wire.length) {
      this.socket.write(frame(frameType.headers, flag.endHeaders | flag.endStream, streamId, wire))
    } else {
      this.socket.write(frame(frameType.headers, flag.endStream, streamId, wire.subarray(0, at)))
      this.socket.write(frame(frameType.continuation, flag.endHeaders, streamId, wire.subarray(at)))
    }
    return new Promise((resolve, reject) => {
      this.answer = resolve
      this.fail = reject
    })
  }

  private receive(bytes: Buffer): void {
    this.waiting = Buffer.concat([this.waiting, bytes])
    while (this.waiting.length >= 9) {
      const end = 9 + this.waiting.readUIntBE(0, 3)
      if (this.waiting.length < end) return
      const [type, flags] = [this.waiting[3]!, this.waiting[4]!]
      const payload = this.waiting.subarray(9, end)
      this.waiting = this.waiting.subarray(end)
      this.onFrame(type, flags, payload)
    }
  }

  private onFrame(type: number, flags: number, payload: Buffer): void {
    if (type === frameType.settings && flags === flag.ack) {
      this.decoder.setMaxTableBytes(this.unacknowledged.shift()!)
    } else if (type === frameType.settings) {
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) === headerTableSize) {
          this.encoder.setPeerMaxTableBytes(payload.readUInt32BE(at + 2))
        }
      }
      this.socket.write(frame(frameType.settings, flag.ack, 0, new Uint8Array(0)))
    } else if (type === frameType.goAway || type === frameType.reset) {
      this.fail?.(new Error(`the server refuses: ${payload.toString("hex")} ${payload.subarray(8).toString("latin1")}`))
    } else if (type === frameType.headers || type === frameType.continuation) {
      this.pieces.push(Uint8Array.from(payload))
      if ((flags & flag.endHeaders) === 0) return
      const { fields, outcome } = decode(this.decoder, this.pieces)
      this.pieces = []
      if (outcome === undefined) this.answer?.(fields)
      else this.fail?.(new Error(outcome))
    }
  }
}

const names = ["x-a", "x-b", "accept", "user-agent", "cookie", "authorization", "x-very-long-name-of-a-field"]
const text = (random: SeededRandom, most: number): string =>
  ["v", ...random.list(most, () => String.fromCharCode(0x21 + random.below(0x5e)))].join("")
const listOf = (random: SeededRandom, most: number): ReadonlyArray<Field> => {
  const used = new Set<string>()
  return random
    .list(most, (): Field => {
      const value = random.pick(["*/*", "gzip", text(random, 4), text(random, 200)])
      return [random.pick(names), value, random.pick([undefined, undefined, undefined, "never"] as const)]
    })
    .filter(([name]) => !used.has(name) && used.add(name))
}
const isSecret = ([name, value, policy]: Field): boolean =>
  policy === "never" || name === "authorization" || (name === "cookie" && value.length < 20)
const pairsOf = (flat: ReadonlyArray<string>): ReadonlyArray<Field> =>
  Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2]!, flat[index * 2 + 1]!])
const sorted = (list: ReadonlyArray<Field>) => [...list].map(([name, value]) => `${name}: ${value}`).sort()

it("what one side encodes the other decodes, while the table sizes change", async () => {
  const random = new SeededRandom(11)
  const sizes = [0, 31, 64, 100, 300, 1000, 4096, 8192]
  let answer: ReadonlyArray<Field> = []
  let seen: Seen | undefined
  const sessions: Array<Http2.ServerHttp2Session> = []
  const server = Http2.createServer({ maxHeaderListPairs: 200 })
  server.on("session", (session) => sessions.push(session))
  server.on("stream", (stream, headers, _flags, rawHeaders) => {
    seen = { list: pairsOf(rawHeaders), secrets: Reflect.get(headers, Http2.sensitiveHeaders) ?? [] }
    const response: Http2.OutgoingHttpHeaders = { ":status": 203 }
    for (const [name, value] of answer) response[name] = value
    const secrets = answer.filter(isSecret).map(([name]) => name)
    Reflect.set(response, Http2.sensitiveHeaders, secrets)
    stream.respond(response, { endStream: true, sendDate: false } as Http2.ServerStreamResponseOptions)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    for (let connection = 0; connection < 6; connection++) {
      const socket = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
      const client = new RawClient(socket)
      for (let turn = 0; turn < 60; turn++) {
        if (turn > 0 && random.below(4) === 0) sessions.at(-1)!.settings({ headerTableSize: random.pick(sizes) })
        for (let changes = random.pick([0, 0, 0, 1, 2]); changes > 0; changes--) client.setTable(random.pick(sizes))
        const path: Field = [":path", random.pick(["/", `/${text(random, 20)}`])]
        const fixed: ReadonlyArray<Field> = [[":method", "GET"], [":scheme", "http"], path, [":authority", "a.example"]]
        const list: ReadonlyArray<Field> = [...fixed, ...listOf(random, 7)]
        answer = listOf(random, 7).filter(([name]) => name !== "cookie")
        const response = await client.request(turn * 2 + 1, list, random.pick([1, 5, 20, 1_000_000]))
        assert.deepStrictEqual(sorted(seen!.list), sorted(list))
        assert.deepStrictEqual(
          [...seen!.secrets].sort(),
          list
            .filter(isSecret)
            .map(([name]) => name)
            .sort()
        )
        assert.deepStrictEqual(sorted(response), sorted([[":status", "203"], ...answer]))
        const secret = response.filter(([, , policy]) => policy === "never").map(([name]) => name)
        for (const [name] of answer.filter(isSecret)) assert.include(secret, name)
      }
      socket.destroy()
    }
  } finally {
    for (const session of sessions) session.destroy()
    server.close()
  }
})
