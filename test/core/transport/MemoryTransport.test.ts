import { assert, describe, it } from "@effect/vitest"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { bytes, echo, Recorder, record, transportContract, turns } from "../../harness/TransportContract.ts"

for (const bufferBytes of [1, 2, 100, 65_536, 1_000_000]) {
  transportContract(
    `MemoryTransport with ${bufferBytes} bytes`,
    Effect.sync(() => MemoryTransport.pair({ bufferBytes }))
  )
}

describe("MemoryTransport: backpressure", () => {
  it.effect("the network holds its bytes, the rest waits with the writer", () =>
    Effect.gen(function* () {
      const [writer, reader] = MemoryTransport.pair({ bufferBytes: 10 })
      assert.isTrue(writer.write(new Uint8Array(10)))
      assert.strictEqual(writer.bufferedBytes, 0)
      assert.isTrue(writer.write(new Uint8Array(9)))
      assert.strictEqual(writer.bufferedBytes, 9)
      assert.isFalse(writer.write(new Uint8Array(1)))
      assert.isFalse(writer.write(new Uint8Array(1)))
      assert.strictEqual(writer.bufferedBytes, 11)
      assert.strictEqual(writer.sentBytes, 21)
      const atWriter = record(writer)
      yield* turns
      assert.deepStrictEqual(atWriter.events, [])
      const atReader = record(reader)
      yield* turns
      assert.strictEqual(atReader.receivedBytes, 21)
      assert.strictEqual(writer.bufferedBytes, 0)
      assert.deepStrictEqual(atWriter.events, ["drain"])
    })
  )

  it.effect("nobody is told to write again who was not told to wait", () =>
    Effect.gen(function* () {
      const [writer, reader] = MemoryTransport.pair({ bufferBytes: 10 })
      const atWriter = record(writer)
      record(reader)
      writer.write(new Uint8Array(15))
      yield* turns
      assert.deepStrictEqual(atWriter.events, [])
    })
  )

  it.effect("a reader that pauses holds its writer at what both buffers take", () =>
    Effect.gen(function* () {
      const [writer, reader] = MemoryTransport.pair({ bufferBytes: 10 })
      const atReader = record(reader, { onBytes: () => reader.pause() })
      const atWriter = record(writer)
      for (let count = 0; count < 5; count++) writer.write(new Uint8Array(10))
      yield* turns
      assert.strictEqual(atReader.receivedBytes, 10)
      assert.strictEqual(writer.bufferedBytes, 30)
      for (let count = 2; count <= 5; count++) {
        reader.resume()
        yield* turns
        assert.strictEqual(reader.receivedBytes, count * 10)
      }
      assert.deepStrictEqual(atWriter.events, ["drain"])
      assert.strictEqual(writer.bufferedBytes, 0)
    })
  )

  it.effect("`drain` may write again, and what it writes comes behind", () =>
    Effect.gen(function* () {
      const [writer, reader] = MemoryTransport.pair({ bufferBytes: 4 })
      const atReader = record(reader)
      let left = 20
      const writeMore = (): void => {
        while (left > 0 && writer.write(bytes(String.fromCharCode(97 + --left)))) {}
        if (left === 0) writer.end()
      }
      record(writer, { onDrain: writeMore })
      writeMore()
      yield* atReader.saw("end")
      assert.strictEqual(atReader.text, "tsrqponmlkjihgfedcba")
    })
  )

  it("a buffer that holds nothing is a mistake", () => {
    for (const bufferBytes of [0, -1, Number.NaN]) {
      assert.throws(() => MemoryTransport.pair({ bufferBytes }), RangeError)
    }
  })
})

describe("MemoryTransport: the close", () => {
  it.effect("comes when the last bytes leave, also when no one was told to wait for them", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair({ bufferBytes: 10 })
      const atLeft = record(left)
      const atRight = new Recorder()
      right.attach(atRight)
      right.end()
      yield* atLeft.saw("end")
      left.write(new Uint8Array(15))
      left.end()
      yield* turns
      assert.deepStrictEqual(atLeft.events, ["end"])
      right.resume()
      yield* turns
      assert.deepStrictEqual(atRight.events, ["bytes", "end", "close"])
      assert.deepStrictEqual(atLeft.events, ["end", "close"])
      assert.isUndefined(atLeft.closeError)
    })
  )

  it.effect("the peer of one that destroyed itself has lost its connection, and what it had not read", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair()
      const atRight = record(right)
      left.write(bytes("lost"))
      left.destroy(TransportError.make(new TransportError.IdleTimeout(1)))
      assert.strictEqual(right.state, "closed")
      yield* turns
      assert.deepStrictEqual(atRight.events, ["close"])
      assert.deepStrictEqual(atRight.closeError?.reason, new TransportError.ConnectionLost("ECONNRESET"))
    })
  )

  it.effect("one that destroys itself with bytes unsent behind its `end` cuts its peer off", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair({ bufferBytes: 10 })
      const atRight = new Recorder()
      right.attach(atRight)
      left.write(new Uint8Array(11))
      left.end()
      right.end()
      left.destroy()
      yield* turns
      assert.strictEqual(atRight.closeError?.reason._tag, "ConnectionLost")
    })
  )

  it.effect("after the ends of both sides `destroy` takes nothing from the peer", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair()
      const atRight = new Recorder()
      right.attach(atRight)
      left.write(bytes("last words"))
      left.end()
      right.end()
      left.destroy()
      yield* turns
      assert.strictEqual(right.state, "open")
      right.resume()
      yield* atRight.saw("close")
      assert.strictEqual(atRight.text, "last words")
      assert.deepStrictEqual(atRight.events, ["bytes", "end", "close"])
      assert.isUndefined(atRight.closeError)
    })
  )

  it.effect("observers hear it also of a transport that nobody attached to", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair()
      const heard: Array<string> = []
      left.observeClose((error) => heard.push(`left ${error?.reason._tag}`))
      right.observeClose((error) => heard.push(`right ${error?.reason._tag}`))
      left.destroy()
      assert.deepStrictEqual(heard, [])
      yield* turns
      assert.deepStrictEqual(heard, ["left undefined", "right ConnectionLost"])
      right.observeClose((error) => heard.push(`late ${error?.reason._tag}`))
      assert.strictEqual(heard.at(-1), "late ConnectionLost")
    })
  )

  it.effect("each observer hears it once, whenever it asked", () =>
    Effect.gen(function* () {
      const [left] = MemoryTransport.pair()
      const heard: Array<string> = []
      const observe = (name: string): void => left.observeClose(() => void heard.push(name))
      observe("before")
      left.destroy()
      observe("after destroy")
      yield* turns
      observe("after the close")
      left.attach(new Recorder({ onClose: () => observe("from the receiver") }))
      observe("after attach")
      yield* turns
      assert.sameMembers(heard, ["before", "after destroy", "after the close", "from the receiver", "after attach"])
      assert.lengthOf(heard, 5)
    })
  )

  it.effect("TLS is not spoken", () =>
    Effect.gen(function* () {
      const [left] = MemoryTransport.pair()
      assert.isUndefined(left.tls)
      const error = yield* Effect.flip(left.upgrade({ role: "client" }))
      assert.strictEqual(error.reason._tag, "Unsupported")
    })
  )
})

describe("MemoryTransport: its addresses", () => {
  it("are 127.0.0.1:1 and 127.0.0.1:2 unless they are given", () => {
    const [left, right] = MemoryTransport.pair()
    assert.deepStrictEqual([left.local, left.peer, right.local, right.peer].map(NetAddress.formatSocketAddress), [
      "127.0.0.1:1",
      "127.0.0.1:2",
      "127.0.0.1:2",
      "127.0.0.1:1"
    ])
    const addresses = [NetAddress.unixPathAddress("/a"), NetAddress.unixPathAddress("/b")] as const
    const [unix] = MemoryTransport.pair({ addresses })
    assert.deepStrictEqual([unix.local, unix.peer], [addresses[0], addresses[1]])
  })
})

describe("laws", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it.effect(`whatever two sides do, no byte is lost, doubled or misplaced (seed ${seed})`, () =>
      Effect.gen(function* () {
        const random = new SeededRandom(seed)
        for (let round = 0; round < 40; round++) {
          const pair = MemoryTransport.pair({ bufferBytes: 1 + random.below(50) })
          const sent = [[] as Array<number>, [] as Array<number>]
          const heard = pair.map((transport) => record(transport))
          const ended = new Set<Transport>()
          let next = 0
          for (let step = 0; step < 60; step++) {
            const side = random.below(2)
            const transport = pair[side]!
            const action = random.below(10)
            if (action < 6 && !ended.has(transport)) {
              const chunk = Uint8Array.from({ length: random.below(30) }, () => next++ & 255)
              transport.write(chunk)
              sent[side]!.push(...chunk)
            } else if (action === 6) transport.pause()
            else if (action === 7) transport.resume()
            else if (action === 8 && random.below(5) === 0) {
              transport.end()
              ended.add(transport)
            } else yield* Effect.yieldNow
          }
          for (const transport of pair) {
            transport.end()
            transport.resume()
          }
          yield* turns
          for (const side of [0, 1]) {
            const events = heard[side]!.events.filter((event) => event !== "drain" && event !== "bytes")
            assert.deepStrictEqual(events, ["end", "close"])
            assert.deepStrictEqual([...Buffer.concat(heard[side]!.chunks)], sent[1 - side])
            assert.strictEqual(pair[side]!.sentBytes, sent[side]!.length)
            assert.strictEqual(pair[side]!.receivedBytes, sent[1 - side]!.length)
            assert.strictEqual(pair[side]!.bufferedBytes, 0)
          }
        }
      })
    )
  }

  it.effect("an echo over one byte of network ends", () =>
    Effect.gen(function* () {
      const [left, right] = MemoryTransport.pair({ bufferBytes: 1 })
      echo(right)
      const heard = record(left)
      left.write(bytes("the quick brown fox"))
      left.end()
      yield* heard.saw("close")
      assert.strictEqual(heard.text, "the quick brown fox")
    })
  )
})
