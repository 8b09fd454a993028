import { assert, describe, it } from "@effect/vitest"
import type { RawDeflate } from "@sluice/core/bytes/RawDeflate"
import { type Options, WebSocketDeflate } from "@sluice/core/protocol/websocket/WebSocketDeflate"
import type { Parameters } from "@sluice/core/protocol/websocket/WebSocketDeflateParameters"
import type { Role } from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Hex from "../../../harness/Hex.ts"

const codec = NodeDeflate.make()
const parametersOf = (context: "keep" | "reset", windowBits = 15): Parameters => ({
  server: { context, windowBits },
  client: { context, windowBits }
})

const make = (role: Role, options: Partial<Options> = {}): WebSocketDeflate =>
  new WebSocketDeflate({
    role,
    parameters: parametersOf("reset"),
    codec,
    compressFromBytes: 0,
    maxMessageBytes: 100_000,
    ...options
  })

const inflate = (deflate: WebSocketDeflate, wire: string): string => {
  const result = deflate.inflate(Hex.hex(wire))
  return result instanceof Uint8Array ? Hex.show(result) : result._tag
}

describe("the examples", () => {
  const rows: ReadonlyArray<readonly [rule: string, wire: string]> = [
    ["RFC 7692 §7.2.3.1: one compressed block", "f248cdc9c90700"],
    ["RFC 7692 §7.2.3.3: a block without compression", "000500faff48656c6c6f00"],
    ["RFC 7692 §7.2.3.4: a final block", "f348cdc9c9070000"],
    ["RFC 7692 §7.2.3.5: two blocks", "f248050000 00ffff cac9c90700"]
  ]
  for (const [rule, wire] of rows) it(rule, () => assert.strictEqual(inflate(make("client"), wire), "'Hello'"))
  it("RFC 7692 §7.2.3.2: the window of the message before", () => {
    const deflate = make("client", { parameters: parametersOf("keep") })
    assert.strictEqual(inflate(deflate, "f248cdc9c90700"), "'Hello'")
    assert.strictEqual(inflate(deflate, "f200110000"), "'Hello'")
  })
  it("RFC 7692 §7.2.3.2: is not there where each message stands alone", () => {
    const deflate = make("client")
    assert.strictEqual(inflate(deflate, "f248cdc9c90700"), "'Hello'")
    assert.strictEqual(inflate(deflate, "f200110000"), "InvalidCompression")
  })
  it("RFC 7692 §7.2.3.6: an empty message", () => assert.strictEqual(inflate(make("client"), "00"), ""))
})

const random = (seed: number, length: number): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
}

describe("what one side compresses, the other inflates", () => {
  const json = (index: number) => Buffer.from(JSON.stringify({ type: "tick", symbol: "ACME", price: index * 1.25 }))
  for (const context of ["keep", "reset"] as const) {
    for (const windowBits of [8, 9, 10, 12, 15]) {
      for (const role of ["client", "server"] as const) {
        it(`${context}, ${windowBits} bits, from the ${role}`, () => {
          const options = { parameters: parametersOf(context, windowBits) }
          const sender = make(role, options)
          const receiver = make(role === "server" ? "client" : "server", options)
          for (let index = 0; index < 60; index++) {
            const message =
              index % 7 === 6
                ? Buffer.concat([random(index % 3, 300), json(index), random(index % 3, 40_000)])
                : json(index)
            const compressed = sender.compress(message)
            if (compressed === undefined) continue
            const inflated = receiver.inflate(compressed)
            assert.isTrue(inflated instanceof Uint8Array && Buffer.from(inflated).equals(message), `message ${index}`)
          }
        })
      }
    }
  }
  it("with a context, similar messages become small, though the first one does not", () => {
    const sizes = (["keep", "reset"] as const).map((context) => {
      const sender = make("server", { parameters: parametersOf(context) })
      sender.compress(json(1))
      return sender.compress(json(2))?.length ?? json(2).length
    })
    assert.isBelow(sizes[0]! * 3, sizes[1]!)
  })
})

describe("what goes as it is", () => {
  it("a message below the threshold", () => {
    const deflate = make("server", { compressFromBytes: 100 })
    assert.isUndefined(deflate.compress(new Uint8Array(99)))
    assert.isDefined(deflate.compress(new Uint8Array(100)))
  })
  it("a message that does not become smaller, and it is in no window", () => {
    const options = { parameters: parametersOf("keep") }
    const [sender, receiver] = [make("server", options), make("client", options)]
    assert.isUndefined(sender.compress(random(1, 400_000)))
    const text = Buffer.from("text ".repeat(40))
    const inflated = receiver.inflate(sender.compress(text)!)
    assert.isTrue(inflated instanceof Uint8Array && text.equals(inflated))
  })
})

describe("a message for many", () => {
  it("is compressed without a window, and is in the window of what follows", () => {
    const options = { parameters: parametersOf("keep") }
    const [sender, receiver] = [make("server", options), make("client", options)]
    const messages = ["one ".repeat(50), "two ".repeat(50), "one two ".repeat(50)].map((text) => Buffer.from(text))
    assert.deepStrictEqual(receiver.inflate(sender.compress(messages[0]!)!), Uint8Array.from(messages[0]!))
    const alone = make("server").compressAlone(messages[1]!)!
    sender.sentAlone(messages[1]!)
    const shown = [receiver.inflate(alone), receiver.inflate(sender.compress(messages[2]!)!)]
    assert.deepStrictEqual(
      shown.map((one) => (one instanceof Uint8Array ? Buffer.from(one).toString() : one._tag)),
      [messages[1]!.toString(), messages[2]!.toString()]
    )
  })
})

describe("a peer that means ill", () => {
  it("RFC 7692 §8: a bomb is stopped as it inflates", () => {
    const bomb = codec.deflate(new Uint8Array(50_000_000), { bits: 15, dictionary: undefined }).subarray(0, -4)
    const result = make("server", { maxMessageBytes: 1_000 }).inflate(bomb)
    assert.deepInclude(result, { _tag: "MessageTooLarge", receivedBytes: 1_001, limitBytes: 1_000 })
  })
  it("a message of the largest size is none", () => {
    for (const [size, tag] of [
      [1_000, undefined],
      [1_001, "MessageTooLarge"]
    ] as const) {
      const wire = codec.deflate(new Uint8Array(size), { bits: 15, dictionary: undefined }).subarray(0, -4)
      const result = make("server", { maxMessageBytes: 1_000 }).inflate(wire)
      assert.strictEqual(result instanceof Uint8Array ? undefined : result._tag, tag)
    }
  })
  for (const wire of ["ff", "07", "0600", "f200110000", "000500faaa48656c6c6f"]) {
    it(`no DEFLATE: ${wire}`, () => assert.strictEqual(inflate(make("server"), wire), "InvalidCompression"))
  }
  it("a bomb of final blocks: each costs a start of the inflater", () => {
    let calls = 0
    const counting: RawDeflate = {
      ...codec,
      inflate: (input, window, most) => {
        calls++
        return codec.inflate(input, window, most)
      }
    }
    const wire = "0300".repeat(10_000)
    assert.strictEqual(inflate(make("server", { codec: counting }), wire), "InvalidCompression")
    assert.isBelow(calls, 12)
  })
  it("RFC 7692 §7.2.1: final blocks in the midst of a message, each of which may refer to what was before", () => {
    const window = (dictionary: Uint8Array | undefined) => ({ bits: 15, dictionary })
    const first = Buffer.from("the first half of it ")
    const two = Buffer.from("the second half of it")
    // "03 00" is an empty final block; what follows it begins at a byte.
    const wire = Buffer.concat([
      codec.deflate(first, window(undefined)),
      Hex.hex("0300"),
      codec.deflate(two, window(first))
    ])
    const result = make("server").inflate(wire.subarray(0, -4))
    assert.strictEqual(result instanceof Uint8Array ? Buffer.from(result).toString() : result._tag, `${first}${two}`)
  })
})

describe("the window", () => {
  it("holds no more than its bits, however much was sent", () => {
    const windows: Array<number> = []
    const spying: RawDeflate = {
      ...codec,
      deflate: (input, window) => {
        windows.push(window.dictionary?.length ?? 0)
        return codec.deflate(input, window)
      }
    }
    const sender = make("server", { codec: spying, parameters: parametersOf("keep", 9) })
    for (const size of [100, 200, 300, 1_000, 10]) sender.compress(new Uint8Array(size).fill(size & 0xff))
    sender.compress(new Uint8Array(10))
    assert.deepStrictEqual(windows, [0, 100, 300, 512, 512, 512])
  })
  it("is not the messages themselves, which their owners may change", () => {
    const options = { parameters: parametersOf("keep", 9) }
    const [sender, receiver] = [make("server", options), make("client", options)]
    const content = Buffer.from("a message that is larger than its window ".repeat(40))
    for (let count = 0; count < 3; count++) {
      const message = Buffer.from(content)
      const compressed = sender.compress(message)!
      message.fill(0)
      const inflated = receiver.inflate(compressed)
      assert.isTrue(inflated instanceof Uint8Array && content.equals(inflated))
      if (inflated instanceof Uint8Array) inflated.fill(0)
    }
  })
})
