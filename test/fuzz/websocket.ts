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
 * engine sent must come back as they were sent. Beside that both roles
 * converse, as in `WebSocketConversation`. A failure prints the seed of its
 * round, with which it can be run again.
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
import * as Wire from "../harness/WebSocketWire.ts"
import * as FuzzRun from "./FuzzRun.ts"
import { converse } from "./WebSocketConversation.ts"
import { cutAtRandom, damage, frameOf, messageOf, Random, textOf } from "./WebSocketTraffic.ts"

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
  const compressed = setting.parameters !== undefined
  const frames = random.list(12, () =>
    random.below(3) === 0 ? messageOf(random, peer, compressed) : frameOf(random, peer)
  )
  const clean = Hex.concat(frames)
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

const subjects = { hostile, friendly, handshakes, converse }

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
