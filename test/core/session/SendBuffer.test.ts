import { assert, describe, it } from "@effect/vitest"
import { SendBuffer } from "@sluice/core/session/SendBuffer"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { reasonOf } from "../../harness/Reasons.ts"
import { StubTransport } from "../../harness/StubTransport.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const make = (highWaterBytes = 8) => {
  const transport = new StubTransport()
  return { transport, buffer: new SendBuffer(transport, highWaterBytes) }
}

/** A buffer whose peer takes nothing: the next sender waits. */
const makeFull = Effect.gen(function* () {
  const { transport, buffer } = make()
  transport.network = "full"
  const first = yield* Effect.forkChild(buffer.send(bytes("12345678")))
  yield* turns
  assert.isUndefined(first.pollUnsafe())
  transport.takeCalls()
  return { transport, buffer, first }
})

const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))

describe("one write a turn", () => {
  it.effect("what is sent in a turn leaves at its end", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      buffer.beginTurn()
      yield* buffer.send(bytes("a"))
      yield* buffer.send(bytes("b"))
      assert.deepStrictEqual(transport.calls, [])
      buffer.endTurn()
      assert.deepStrictEqual(transport.takeCalls(), ["write ab"])
      yield* turns
      assert.deepStrictEqual(transport.calls, [])
    })
  )

  it.effect("only the outermost turn writes", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      buffer.beginTurn()
      buffer.beginTurn()
      yield* buffer.send(bytes("a"))
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, [])
      yield* buffer.send(bytes("b"))
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, ["write ab"])
    })
  )

  it.effect("a turn in which nothing was sent writes nothing", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      buffer.beginTurn()
      yield* buffer.send(new Uint8Array(0))
      buffer.endTurn()
      yield* turns
      assert.deepStrictEqual(transport.calls, [])
    })
  )

  it.effect("what is sent outside of a turn leaves on the next microtask, in one write", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      yield* buffer.send(bytes("a"))
      yield* buffer.send(bytes("b"))
      assert.deepStrictEqual(transport.calls, [])
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(transport.calls, ["write ab"])
    })
  )

  it.effect("keeps the order when a turn begins before the microtask", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      yield* buffer.send(bytes("a"))
      buffer.beginTurn()
      yield* buffer.send(bytes("b"))
      buffer.endTurn()
      yield* buffer.send(bytes("c"))
      yield* turns
      assert.strictEqual(transport.written, "abc")
    })
  )

  it.effect("above the high water bytes leave before the turn ends", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      buffer.beginTurn()
      yield* buffer.send(bytes("abc"))
      assert.deepStrictEqual(transport.calls, [])
      yield* buffer.send(bytes("d"))
      assert.deepStrictEqual(transport.takeCalls(), ["write abcd"])
      yield* buffer.send(bytes("e"))
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, ["write e"])
    })
  )
})

describe("sendAll", () => {
  it.effect("is one write, also above the high water", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      yield* buffer.sendAll([bytes("abc"), bytes("def"), bytes("ghi")])
      yield* turns
      assert.deepStrictEqual(transport.calls, ["write abcdefghi"])
    })
  )

  it.effect("of much is handed over unjoined", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      const half = new Uint8Array(40_000).fill(0x61)
      yield* buffer.sendAll([half, bytes("b"), half])
      yield* turns
      assert.lengthOf(transport.calls, 1)
      assert.match(transport.calls[0]!, /^writeAll a{40000}\|b\|a{40000}$/)
      assert.strictEqual(transport.sentBytes, 80_001)
    })
  )

  it.effect("goes behind what was sent before", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      yield* buffer.send(bytes("a"))
      yield* buffer.sendAll([])
      yield* buffer.sendAll([bytes("b"), new Uint8Array(0), bytes("c")])
      yield* buffer.send(bytes("d"))
      yield* turns
      assert.strictEqual(transport.written, "abcd")
    })
  )

  it.effect("sends nothing after the end", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      buffer.end()
      yield* reasonOf(buffer.sendAll([bytes("a")]), "Closed")
      yield* turns
      assert.deepStrictEqual(transport.calls, ["end"])
    })
  )
})

describe("a slow peer", () => {
  it.effect("suspends the sender until the transport drains", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      transport.network = "takes all"
      buffer.drained()
      yield* Fiber.join(first)
      yield* buffer.send(bytes("more"))
      yield* turns
      assert.strictEqual(transport.written, "12345678more")
    })
  )

  it.effect("suspends the sender behind the one whose bytes filled it, too", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(8)
      transport.network = "full"
      buffer.beginTurn()
      yield* buffer.send(bytes("123456"))
      const filling = yield* Effect.forkChild(buffer.send(bytes("78")), { startImmediately: true })
      buffer.endTurn()
      const behind = yield* Effect.forkChild(buffer.send(bytes("9")), { startImmediately: true })
      yield* turns
      assert.isUndefined(filling.pollUnsafe())
      assert.isUndefined(behind.pollUnsafe())
      buffer.drained()
      yield* Fiber.joinAll([filling, behind])
      assert.strictEqual(transport.written, "123456789")
    })
  )

  it.effect("does not suspend below the high water, though the transport is full earlier", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(10)
      transport.network = "full"
      for (const text of ["1234", "567", "89", "0"]) {
        yield* buffer.send(bytes(text))
        yield* turns
      }
      assert.strictEqual(transport.bufferedBytes, 10)
      const above = yield* Effect.forkChild(buffer.send(bytes("a")), { startImmediately: true })
      yield* turns
      assert.isUndefined(above.pollUnsafe())
      transport.bufferedBytes = 0
      buffer.drained()
      yield* Fiber.join(above)
    })
  )

  it.effect("wakes all who wait in the order in which they came", () =>
    Effect.gen(function* () {
      const { buffer } = yield* makeFull
      const woken: Array<number> = []
      const fibers = yield* Effect.forEach([1, 2, 3, 4], (index) =>
        Effect.forkChild(Effect.map(buffer.send(bytes(String(index))), () => woken.push(index)))
      )
      yield* turns
      assert.deepStrictEqual(woken, [])
      buffer.drained()
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(woken, [1, 2, 3, 4])
    })
  )

  it.effect("the bytes of those who wait keep their order, also with the end behind them", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      for (const text of ["a", "b", "c"]) yield* Effect.forkChild(buffer.send(bytes(text)))
      yield* turns
      buffer.end()
      assert.strictEqual(transport.written, "12345678abc")
      assert.strictEqual(transport.calls.at(-1), "end")
    })
  )

  it.effect("an interrupted sender is forgotten; its bytes were taken, and the others are woken", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const second = yield* Effect.forkChild(buffer.send(bytes("b")))
      yield* turns
      yield* Fiber.interrupt(first)
      assert.isUndefined(second.pollUnsafe())
      buffer.drained()
      yield* Fiber.join(second)
      assert.strictEqual(transport.written, "12345678b")
    })
  )

  it.effect("a sender that was woken and fills it again waits again", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      transport.network = "full"
      let sent = 0
      yield* Effect.forkChild(
        Effect.forever(
          Effect.map(
            Effect.suspend(() => buffer.send(bytes("12345678"))),
            () => sent++
          ),
          { disableYield: true }
        )
      )
      yield* turns
      for (const expected of [1, 2, 3]) {
        buffer.drained()
        yield* turns
        assert.strictEqual(sent, expected)
      }
      assert.strictEqual(transport.written.length, 32)
    })
  )

  it.effect("a sender whose fiber yields before it waits misses no drain", () =>
    Effect.gen(function* () {
      for (let before = 0; before < 16; before++) {
        const { transport, buffer } = make()
        transport.network = "full"
        transport.afterWrite = () => queueMicrotask(() => buffer.drained())
        const sender = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let step = 0; step < before; step++) yield* Effect.sync(() => step)
            yield* Effect.suspend(() => buffer.send(bytes("12345678")))
          })
        ).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 8))
        for (let turn = 0; turn < 10; turn++) yield* turns
        assert.deepStrictEqual(sender.pollUnsafe(), Exit.void, `${before} steps before`)
      }
    })
  )
})

describe("end", () => {
  it.effect("goes behind what was sent in the same turn", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      buffer.beginTurn()
      yield* buffer.send(bytes("a"))
      buffer.end()
      buffer.endTurn()
      yield* turns
      assert.deepStrictEqual(transport.calls, ["write a", "end"])
    })
  )

  it.effect("goes behind what waits for the microtask; once", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      yield* buffer.send(bytes("a"))
      buffer.end()
      buffer.end()
      yield* turns
      assert.deepStrictEqual(transport.calls, ["write a", "end"])
    })
  )

  it.effect("later sends fail with Closed, also after the transport is lost", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      buffer.end()
      yield* reasonOf(buffer.send(bytes("a")), "Closed")
      buffer.close(lost)
      yield* reasonOf(buffer.send(bytes("a")), "Closed")
      yield* turns
      assert.deepStrictEqual(transport.calls, ["end"])
    })
  )

  it.effect("what is written after it is forgotten", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      buffer.end()
      buffer.beginTurn()
      buffer.write(bytes("a"))
      yield* reasonOf(buffer.commit(), "Closed")
      assert.strictEqual(buffer.pieceCount, 0)
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, ["end"])
    })
  )

  // A transport that has ended may say no more when it is empty: Node's does not.
  it.effect("lets a waiting sender go: its bytes were taken before", () =>
    Effect.gen(function* () {
      const { buffer, first } = yield* makeFull
      buffer.end()
      yield* turns
      assert.deepStrictEqual(first.pollUnsafe(), Exit.void)
    })
  )

  it.effect("a sender whose fiber yields before it waits has succeeded, too", () =>
    Effect.gen(function* () {
      for (let before = 0; before < 16; before++) {
        const { transport, buffer } = make()
        transport.network = "full"
        // Before a fiber that yields goes on, and after one that does not has begun to wait.
        transport.afterWrite = () => queueMicrotask(() => buffer.end())
        const sender = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let step = 0; step < before; step++) yield* Effect.sync(() => step)
            yield* Effect.suspend(() => buffer.send(bytes("12345678")))
          })
        ).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 8))
        for (let turn = 0; turn < 10; turn++) yield* turns
        assert.deepStrictEqual(sender.pollUnsafe(), Exit.void, `${before} steps before`)
      }
    })
  )
})

describe("close", () => {
  it.effect("fails who waits, and who comes later, with the error", () =>
    Effect.gen(function* () {
      const { buffer, first } = yield* makeFull
      buffer.close(lost)
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), lost)
      assert.strictEqual(yield* Effect.flip(buffer.send(bytes("a"))), lost)
    })
  )

  it.effect("drops what waits for a turn or a microtask", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make()
      yield* buffer.send(bytes("a"))
      buffer.beginTurn()
      yield* buffer.send(bytes("b"))
      buffer.close(lost)
      buffer.endTurn()
      buffer.end()
      buffer.drained()
      yield* turns
      assert.deepStrictEqual(transport.calls, [])
    })
  )

  it.effect("a write that a closed transport drops does not suspend for ever", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(1)
      transport.state = "closed"
      transport.bufferedBytes = 100
      yield* buffer.send(bytes("a"))
      yield* buffer.send(bytes("b"))
    })
  )
})

it.effect.prop(
  "bytes leave in the order in which they were sent, over turns and microtasks",
  {
    operations: Schema.Array(
      Schema.Literals(["send", "send", "send", "sendAll", "begin", "end of turn", "microtask", "full", "drain"])
    )
  },
  ({ operations }) =>
    Effect.gen(function* () {
      const { transport, buffer } = make(3)
      let depth = 0
      let expected = ""
      let next = 0
      const letter = (): string => {
        const text = String.fromCharCode(97 + (next++ % 26))
        expected += text
        return text
      }
      for (const operation of operations) {
        if (operation === "send") yield* Effect.forkChild(buffer.send(bytes(letter())), { startImmediately: true })
        else if (operation === "sendAll") {
          const parts = [bytes(letter()), bytes(letter()), bytes(letter())]
          yield* Effect.forkChild(buffer.sendAll(parts), { startImmediately: true })
        } else if (operation === "begin") {
          depth++
          buffer.beginTurn()
        } else if (operation === "end of turn" && depth > 0) {
          depth--
          buffer.endTurn()
        } else if (operation === "microtask") yield* Effect.promise(() => Promise.resolve())
        else if (operation === "full") transport.network = "full"
        else if (operation === "drain") {
          transport.network = "takes all"
          buffer.drained()
        }
        assert.isTrue(expected.startsWith(transport.written))
      }
      buffer.end()
      assert.strictEqual(transport.written, expected)
    }),
  { arbitrary: { runs: 200, size: 40 } }
)
