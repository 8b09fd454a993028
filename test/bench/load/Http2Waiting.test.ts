import { assert, it } from "vitest"
import * as Http2Frames from "../../../bench/src/load/Http2Frames.ts"
import { Http2Waiting } from "../../../bench/src/load/Http2Waiting.ts"
import { hex } from "../../harness/Hex.ts"

const { frame } = Http2Frames

const open = () => {
  const writes: Array<Buffer> = []
  const waiting = new Http2Waiting(
    { write: (bytes) => writes.push(Buffer.from(bytes)), destroy() {} },
    { path: "/wait", streams: 3 }
  )
  const hear = (...chunks: ReadonlyArray<Buffer>): void => {
    for (const chunk of chunks) waiting.receive(chunk, chunk.length)
  }
  return { waiting, writes, hear }
}

const pong = frame(Http2Frames.ping, 1, 0, Buffer.alloc(8))

it("opens its streams, and asks whether they were read", () => {
  const types = open()
    .writes.slice(1)
    .map((bytes) => `${bytes[3]} ${bytes.readUInt32BE(5)}`)
  assert.deepStrictEqual(types, ["1 1", "1 3", "1 5", "6 0"])
})

it("is open when that is answered", async () => {
  const { waiting, hear } = open()
  hear(pong)
  await waiting.opened
})

it("acknowledges SETTINGS and PING", () => {
  const { writes, hear } = open()
  writes.length = 0
  hear(frame(Http2Frames.settings, 0, 0, hex("")), frame(Http2Frames.ping, 0, 0, hex("0102030405060708")))
  assert.deepStrictEqual(writes, [
    Http2Frames.settingsAcknowledged,
    Buffer.from(hex("000008 06 01 00000000 0102030405060708"))
  ])
})

for (const [what, wire] of [
  ["a head", "000001 01 04 00000001 88"],
  ["a reset", "000004 03 00 00000001 00000007"],
  ["a body", "000001 00 00 00000001 61"],
  ["the end of the connection", "000008 07 00 00000000 00000000 00000001"]
] as const) {
  it(`fails at ${what}`, async () => {
    const { waiting, hear } = open()
    hear(Buffer.from(hex(wire)), pong)
    assert.instanceOf(await waiting.opened.catch((error: unknown) => error), Error)
  })
}
