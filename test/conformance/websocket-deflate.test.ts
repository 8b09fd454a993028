/**
 * Compression end to end: each kind of offer, negotiated by the handshake of
 * both sides, then messages of every size in whole and in fragments.
 */
import { WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import * as DeflateParameters from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import * as WebSocketExtensions from "@sluice/core/protocol/websocket/WebSocketExtensions"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import { assert, describe, it } from "vitest"
import { EnginePair } from "../harness/EnginePair.ts"
import * as Hex from "../harness/Hex.ts"
import * as Wire from "../harness/WebSocketWire.ts"

const codec = NodeDeflate.make()
const keep = { serverContext: "keep", clientContext: "keep" } as const

/** What the client asks the server for, and what the server wants by itself. */
const offers: ReadonlyArray<readonly [name: string, offer: string, server: DeflateParameters.Options, agreed: string]> =
  [
    ["nothing asked for", "permessage-deflate", keep, "keep 15, keep 15"],
    ["no context of the server", "permessage-deflate; server_no_context_takeover", keep, "reset 15, keep 15"],
    ["9 bits of the server", "permessage-deflate; server_max_window_bits=9", keep, "keep 9, keep 15"],
    ["15 bits of the server", "permessage-deflate; server_max_window_bits=15", keep, "keep 15, keep 15"],
    [
      "no context, 9 bits",
      "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
      keep,
      "reset 9, keep 15"
    ],
    [
      "no context, 15 bits",
      "permessage-deflate; server_no_context_takeover; server_max_window_bits=15",
      keep,
      "reset 15, keep 15"
    ],
    [
      "several offers, of which the first cannot be taken",
      "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9; " +
        "server_no_context_takeover, permessage-deflate",
      keep,
      "reset 9, keep 15"
    ],
    [
      "8 bits of both",
      "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
      keep,
      "keep 8, keep 8"
    ],
    ["a server without contexts", "permessage-deflate; client_max_window_bits", {}, "reset 15, reset 15"]
  ]

const sizes = [0, 16, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072]
const words = ["lorem ", "ipsum ", "dolor ", "sit ", "amet ", "€ ", "😀 "]
/** Text of which parts come again, near and far. */
const textOf = (size: number): string => {
  let text = ""
  for (let index = 0; text.length < size; index++) text += words[(index * index + (index >> 5)) % words.length]
  return text.slice(0, size)
}

const engineOf = (role: Role, parameters: DeflateParameters.Parameters): Wire.Recorded => {
  const maxMessageBytes = 1024 * 1024
  return new Wire.Recorded(role, {
    deflate: new WebSocketDeflate({ role, parameters, codec, compressFromBytes: 0, maxMessageBytes })
  })
}

describe("RFC 7692 §7: both sides understand each other", () => {
  for (const [name, offer, options, agreed] of offers) {
    it(name, () => {
      const agreement = DeflateParameters.choose(WebSocketExtensions.parse(offer)!, options)!
      const { client, server } = agreement.parameters
      assert.strictEqual(`${server.context} ${server.windowBits}, ${client.context} ${client.windowBits}`, agreed)
      const [left, right] = [engineOf("client", agreement.parameters), engineOf("server", agreement.parameters)]
      const pair = new EnginePair(left, right, { latencyMillis: 5 })
      const expected: Array<Wire.Call> = []
      // Twice: the second time everything is in the window, where there is one.
      for (const size of [...sizes, ...sizes]) {
        const text = textOf(size)
        const bytes = Buffer.from(text).subarray(0, size)
        for (const engine of [left, right]) {
          engine.sendText(text)
          engine.sendBinary(bytes)
        }
        expected.push(["text", text.isWellFormed() ? text : text.toWellFormed()], ["binary", Hex.show(bytes)])
      }
      pair.settle()
      for (const engine of [left, right]) {
        assert.lengthOf(engine.calls, expected.length)
        engine.calls.forEach((call, index) => {
          assert.isTrue(call[0] === expected[index]![0] && call[1] === expected[index]![1], `message ${index}`)
        })
      }
    })
  }
})

describe("RFC 7692 §6.1: a compressed message in fragments of any size", () => {
  const text = textOf(8_192)
  const compressed = codec.deflate(Buffer.from(text), { bits: 15, dictionary: undefined }).subarray(0, -4)
  const parameters = DeflateParameters.choose([DeflateParameters.offer()])!.parameters
  for (const fragmentBytes of [1, 7, 64, 256, 1_024]) {
    it(`${fragmentBytes} bytes`, () => {
      const engine = engineOf("server", parameters)
      for (let at = 0; at < compressed.length; at += fragmentBytes) {
        const isLast = at + fragmentBytes >= compressed.length
        const first = (isLast ? 0x80 : 0) | (at === 0 ? 0x41 : 0)
        engine.receive(Wire.frame("client", first, compressed.slice(at, at + fragmentBytes)), 0)
      }
      assert.deepStrictEqual(engine.calls, [["text", text.toWellFormed()]])
    })
  }
})
