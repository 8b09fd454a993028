/**
 * Feeds WebSocket engines of both roles with random frames, damaged and cut at
 * random, for as long as you like:
 *
 * ```sh
 * npm run fuzz:websocket -- [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give the calls and the answers that the
 * whole gives; what is held must stay below the message limit; frames that an
 * engine sent must come back as they were sent. A failure prints the seed of
 * its round, with which it can be run again.
 */

import * as Assert from "node:assert/strict"
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import * as WebSocketExtensions from "@sluice/core/protocol/websocket/WebSocketExtensions"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as WebSocketHandshake from "@sluice/core/protocol/websocket/WebSocketHandshake"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import { SeededRandom } from "../harness/SeededRandom.ts"
import * as Wire from "../harness/WebSocketWire.ts"
import * as FuzzRun from "./FuzzRun.ts"

/** Random numbers that a seed determines, with what this traffic is made of. */
class Random extends SeededRandom {
  bytes(most: number): Uint8Array {
    return Uint8Array.from(this.list(most, () => this.below(256)))
  }
}

const maxMessageBytes = 1_000
const codec = NodeDeflate.make()

interface Setting {
  readonly role: Role
  readonly parameters: DeflateParameters.Parameters | undefined
  readonly maxFragments: number
  readonly maxTinyFragments: number
}

const settingOf = (random: Random): Setting => {
  const side = () => ({ context: random.pick(["keep", "reset"] as const), windowBits: 8 + random.below(8) })
  return {
    role: random.pick(["client", "server"] as const),
    parameters: random.pick([undefined, { client: side(), server: side() }]),
    maxFragments: random.pick([2, 10, 1_000]),
    maxTinyFragments: random.pick([3, 1_000])
  }
}

const engineOf = ({ maxFragments, maxTinyFragments, parameters, role }: Setting): Wire.Recorded =>
  new Wire.Recorded(role, {
    maxMessageSize: maxMessageBytes,
    maxFragments,
    maxTinyFragments,
    onCall: ([kind, data], self) => kind === "text" && String(data).length < 50 && self.sendText(`re: ${data}`),
    deflate: parameters && new WebSocketDeflate({ role, parameters, codec, compressFromBytes: 10, maxMessageBytes })
  })

const textOf = (random: Random, most: number): string =>
  random.list(most, () => random.pick(["a", "bc ", "é", "€", "😀", "\0", "\uFEFF", "\uFFFD"])).join("")

/** Payloads that are good, nearly good, and not good at all. */
const payloadOf = (random: Random): Uint8Array => {
  const text = Buffer.from(textOf(random, random.pick([3, 40, 300])))
  const kind = random.below(6)
  if (kind === 0) return random.bytes(random.pick([5, 130, 400]))
  if (kind === 1) return text.subarray(0, random.below(text.length + 1))
  if (kind === 2) return codec.deflate(text, { bits: 15, dictionary: undefined }).subarray(0, -4)
  if (kind === 3)
    return codec
      .deflate(new Uint8Array(random.pick([10, 1_000, 1_001, 100_000])), { bits: 9, dictionary: undefined })
      .subarray(0, -4)
  return text
}

const firstOf = (random: Random): number =>
  random.pick([
    0x81,
    0x81,
    0x82,
    0x01,
    0x02,
    0x00,
    0x00,
    0x80,
    0x80,
    0x89,
    0x8a,
    0xc1,
    0xc2,
    0x41,
    0x88,
    random.below(256)
  ])

const frameOf = (random: Random, peer: Role): Uint8Array => {
  const first = firstOf(random)
  const payload =
    first === 0x88
      ? Hex.concat([Hex.hex(random.pick(["", "03", "03e8", "03ed", "0fa0"])), random.bytes(3)])
      : payloadOf(random)
  return Wire.frame(
    peer,
    first,
    first >= 0x88 && first < 0xc0 && random.below(4) > 0 ? payload.subarray(0, 125) : payload
  )
}

const damage = (random: Random, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(4)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, 0x7e, 0x7f, 0xfe, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(5))
    else if (kind === 2) damaged.splice(at, 0, ...random.bytes(12))
    else damaged.length = Math.min(damaged.length, at)
  }
  return Uint8Array.from(damaged)
}

const cutAtRandom = (random: Random, bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([2, 10, 200]), () => random.below(Math.max(1, bytes.length))))
  return Chunkings.cut(
    bytes,
    [...positions].filter((at) => at > 0).sort((left, right) => left - right)
  )
}

/** Bytes of an unfinished message that the engine holds. */
const heldBytes = (engine: Wire.Recorded): number => {
  const fragments = Reflect.get(engine, "fragments") as { readonly pieces?: { readonly byteLength: number } }
  return fragments.pieces?.byteLength ?? 0
}

/** The last call is the close, there is one only, and nothing is sent behind the end. */
const checkLaws = (engine: Wire.Recorded): void => {
  const closes = engine.calls.filter(([kind]) => kind === "close").length
  Assert.ok(closes <= 1, "more than one close")
  if (closes === 1) Assert.equal(engine.calls.at(-1)?.[0], "close")
  Assert.ok(heldBytes(engine) <= maxMessageBytes, `${heldBytes(engine)} bytes held`)
}

const hostile = (random: Random): void => {
  const setting = settingOf(random)
  const peer = setting.role === "server" ? "client" : "server"
  const clean = Hex.concat(random.list(12, () => frameOf(random, peer)))
  for (const wire of [clean, damage(random, clean), random.bytes(60)]) {
    const whole = Wire.receive(engineOf(setting), [wire])
    for (let turn = 0; turn < 3; turn++) {
      const chunks = turn === 0 ? Array.from(wire, (byte) => Uint8Array.of(byte)) : cutAtRandom(random, wire)
      const engine = engineOf(setting)
      const sent: Array<Uint8Array> = []
      for (const chunk of chunks) {
        engine.receive(chunk.slice(), 0)
        checkLaws(engine)
        sent.push(...engine.output.take())
      }
      const pieces = { calls: engine.calls, sent: Hex.show(Hex.concat(sent)), closing: engine.output.closing }
      Assert.deepEqual(pieces, whole, wire.length > 400 ? "" : Chunkings.show(chunks))
    }
  }
}

/** What one engine sends, the other hears, compressed or not. */
const friendly = (random: Random): void => {
  const setting = settingOf(random)
  const peer = setting.role === "server" ? "client" : "server"
  const receiver = engineOf(setting)
  const sender = engineOf({ ...setting, role: peer })
  const expected: Array<Wire.Call> = []
  for (let count = random.below(15); count > 0; count--) {
    const kind = random.below(4)
    const text = textOf(random, random.pick([5, 60, 200]))
    const bytes = random.below(2) === 0 ? random.bytes(300) : new Uint8Array(random.below(900)).fill(count)
    if (kind === 0) Assert.ok(sender.sendText(text))
    else if (kind === 1) Assert.ok(sender.sendBinary(bytes.slice()))
    else if (kind === 2) Assert.ok(sender.sendPrepared(WebSocketPrepared.make(text)))
    else Assert.ok(sender.ping(bytes.slice(0, 125)))
    expected.push(
      kind === 1
        ? ["binary", Hex.show(bytes)]
        : kind === 3
          ? ["ping", Hex.show(bytes.subarray(0, 125))]
          : ["text", text]
    )
  }
  sender.close(0, 4321, "the end")
  expected.push(["close", 4321, "the end", "clean"])
  for (const chunk of cutAtRandom(random, Hex.concat(sender.output.take()))) receiver.receive(chunk, 0)
  Assert.deepEqual(receiver.calls, expected)
}

/** Header values never throw, and what is agreed on both sides understand alike. */
const handshakes = (random: Random): void => {
  const words = [
    "permessage-deflate",
    "client_max_window_bits",
    "server_max_window_bits",
    "=",
    ";",
    ",",
    " ",
    '"',
    "\\"
  ]
  const more = ["server_no_context_takeover", "client_no_context_takeover", "8", "15", "16", "0", "x", "\0", "é"]
  const value = random.list(14, () => random.pick([...words, ...more])).join("")
  const options: DeflateParameters.Options = {
    serverContext: random.pick(["keep", "reset", undefined]),
    clientContext: random.pick(["keep", "reset", undefined]),
    serverWindowBits: random.pick([undefined, 8, 11, 15]),
    clientWindowBits: random.pick([undefined, 8, 11, 15])
  }
  const request = {
    by: "connect",
    version: "13",
    protocol: random.pick([undefined, value]),
    extensions: value
  } as const
  WebSocketHandshake.answer(request, { deflate: options, protocols: ["x"] })
  const extensions = WebSocketExtensions.parse(value)
  if (extensions === undefined) return
  Assert.deepEqual(WebSocketExtensions.parse(WebSocketExtensions.format(extensions)), extensions)
  for (const extension of extensions) {
    const agreement = DeflateParameters.choose([extension], options)
    if (agreement === undefined) continue
    const confirmed = DeflateParameters.confirm(extension, agreement.answer)
    Assert.deepEqual(confirmed, agreement.parameters, value)
  }
}

const subjects = { hostile, friendly, handshakes }

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => {
  for (const [name, subject] of Object.entries(subjects)) {
    try {
      subject(new Random(seed))
    } catch (cause) {
      console.error(name)
      throw cause
    }
  }
})
