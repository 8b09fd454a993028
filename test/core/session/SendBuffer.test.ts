import { assert, describe, it } from "@effect/vitest"
import { SendBuffer } from "@sluice/core/session/SendBuffer"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { reasonOf } from "../../harness/Reasons.ts"
import { StubTransport } from "../../harness/StubTransport.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const make = (highWaterBytes = 8) => {
  const transport = new StubTransport()
  return { transport, buffer: new SendBuffer(transport, highWaterBytes) }
}

/**
 * A buffer whose peer takes nothing more: the transport has "1", the high
 * water of 8 bytes is pending, and `first` waits with "first".
 */
const makeFull = Effect.gen(function* () {
  const { transport, buffer } = make()
  transport.network = "full"
  yield* buffer.send(bytes("1"))
  yield* turns
  yield* buffer.send(bytes("23456789"))
  const first = yield* send(buffer, "first")
  assert.isUndefined(first.pollUnsafe())
  assert.deepStrictEqual(transport.takeCalls(), ["write 1"])
  return { transport, buffer, first }
})

/** A fiber that sends `text`, as far as it comes. */
const send = (buffer: SendBuffer, text: string) =>
  Effect.forkChild(
    Effect.suspend(() => buffer.send(bytes(text))),
    { startImmediately: true }
  )

/** A transport that takes one write, and is empty again only when a test says so. */
const takeAll = (transport: StubTransport, buffer: SendBuffer): void => {
  transport.network = "takes all"
  transport.bufferedBytes = 0
  buffer.drained()
}

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

  it.effect("of much leaves in slices, and a large array is not copied", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      const written: Array<Uint8Array> = []
      transport.write = (slice) => written.push(slice) > 0
      const large = new Uint8Array(100_000).fill(0x61)
      yield* buffer.sendAll([bytes("b"), bytes("c"), large, bytes("d"), bytes("e")])
      yield* turns
      assert.deepStrictEqual(
        written.map((slice) => slice.length),
        [2, 65_536, 34_466]
      )
      assert.strictEqual(written[1]!.buffer, large.buffer)
      assert.strictEqual(Buffer.concat(written).toString(), `bc${"a".repeat(100_000)}de`)
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
      takeAll(transport, buffer)
      yield* Fiber.join(first)
      yield* buffer.send(bytes("more"))
      yield* turns
      assert.strictEqual(transport.written, "123456789firstmore")
    })
  )

  it.effect("a sender that finds room is let go at once, however much it sends; the next one waits", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(8)
      transport.network = "full"
      assert.deepStrictEqual((yield* send(buffer, "1")).pollUnsafe(), Exit.void)
      yield* turns
      assert.deepStrictEqual((yield* send(buffer, "2345678")).pollUnsafe(), Exit.void)
      assert.deepStrictEqual((yield* send(buffer, "much more than 8 bytes")).pollUnsafe(), Exit.void)
      const behind = yield* send(buffer, "9")
      yield* turns
      assert.isUndefined(behind.pollUnsafe())
      assert.strictEqual(transport.written, "1")
      takeAll(transport, buffer)
      yield* Fiber.join(behind)
      assert.strictEqual(transport.written, "12345678much more than 8 bytes9")
    })
  )

  it.effect("gives a full transport nothing until it drains, and then all that was sent meanwhile", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      transport.network = "full"
      for (const text of ["a", "b", "c"]) {
        yield* buffer.send(bytes(text))
        yield* turns
      }
      buffer.beginTurn()
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, ["write a"])
      buffer.drained()
      assert.deepStrictEqual(transport.calls, ["write a", "write bc"])
    })
  )

  it.effect("suspends the sender behind the one whose bytes filled it", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(8)
      transport.network = "full"
      buffer.beginTurn()
      yield* buffer.send(bytes("123456"))
      yield* buffer.send(bytes("78"))
      yield* buffer.send(bytes("12345678"))
      const behind = yield* send(buffer, "9")
      buffer.endTurn()
      yield* turns
      assert.isUndefined(behind.pollUnsafe())
      assert.strictEqual(transport.written, "12345678")
      buffer.drained()
      yield* Fiber.join(behind)
      assert.strictEqual(transport.written, "1234567812345678")
      takeAll(transport, buffer)
      assert.strictEqual(transport.written, "12345678123456789")
    })
  )

  it.effect("does not suspend below the high water, though the transport is full earlier", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(10)
      transport.network = "full"
      for (const text of ["full", "1234", "567", "89", "0"]) {
        yield* buffer.send(bytes(text))
        yield* turns
      }
      assert.strictEqual(transport.bufferedBytes, 4)
      assert.strictEqual(buffer.byteLength, 10)
      const above = yield* send(buffer, "a")
      yield* turns
      assert.isUndefined(above.pollUnsafe())
      buffer.drained()
      yield* Fiber.join(above)
    })
  )

  it.effect("wakes all who wait in the order in which they came", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      const woken: Array<number> = []
      const fibers = yield* Effect.forEach([1, 2, 3, 4], (index) =>
        Effect.forkChild(Effect.map(buffer.send(bytes(String(index))), () => woken.push(index)))
      )
      yield* turns
      assert.deepStrictEqual(woken, [])
      takeAll(transport, buffer)
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(woken, [1, 2, 3, 4])
      assert.strictEqual(transport.written, "123456789first1234")
    })
  )

  it.effect("lets in no more than there is room for, and nobody before who came earlier", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const second = yield* send(buffer, "second")
      const third = yield* send(buffer, "third")
      // It takes what is pending, and is full again: "first" and "second" fill the room that is left.
      buffer.drained()
      yield* Fiber.joinAll([first, second])
      const fourth = yield* send(buffer, "4")
      yield* turns
      assert.strictEqual(buffer.byteLength, 11)
      assert.isUndefined(third.pollUnsafe())
      assert.isUndefined(fourth.pollUnsafe())
      takeAll(transport, buffer)
      yield* Fiber.joinAll([third, fourth])
      assert.strictEqual(transport.written, "123456789firstsecondthird4")
    })
  )

  it.effect("the arrays of one sendAll wait together, and stay together", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      const all = yield* Effect.forkChild(buffer.sendAll([bytes("a"), bytes("b"), bytes("c")]))
      const behind = yield* Effect.forkChild(buffer.send(bytes("d")))
      yield* turns
      assert.strictEqual(buffer.byteLength, 8)
      takeAll(transport, buffer)
      yield* Fiber.joinAll([all, behind])
      assert.strictEqual(transport.written, "123456789firstabcd")
    })
  )

  it.effect("the bytes of those who wait keep their order, also with the end behind them", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      for (const text of ["a", "b", "c"]) yield* Effect.forkChild(buffer.send(bytes(text)))
      yield* turns
      buffer.end()
      takeAll(transport, buffer)
      assert.strictEqual(transport.written, "123456789firstabc")
      assert.strictEqual(transport.calls.at(-1), "end")
    })
  )

  it.effect("an interrupted sender has sent nothing, and the others go on in order", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const [second, third, fourth] = [yield* send(buffer, "b"), yield* send(buffer, "c"), yield* send(buffer, "d")]
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(third)
      assert.isUndefined(second.pollUnsafe())
      takeAll(transport, buffer)
      yield* Fiber.joinAll([second, fourth])
      assert.strictEqual(transport.written, "123456789bd")
    })
  )

  it.effect("an interrupted sender has sent nothing, though the end comes behind it", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const second = yield* send(buffer, "b")
      yield* Fiber.interrupt(first)
      buffer.end()
      yield* Fiber.join(second)
      takeAll(transport, buffer)
      assert.strictEqual(transport.written, "123456789b")
      assert.strictEqual(transport.calls.at(-1), "end")
    })
  )

  it.effect("sends that time out leave no more than the high water and one message", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      transport.network = "full"
      const message = new Uint8Array(1_000_000)
      let timedOut = 0
      for (let count = 0; count < 400; count++) {
        const sender = yield* Effect.forkChild(
          Effect.suspend(() => buffer.send(message)).pipe(
            Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.sync(() => timedOut++) })
          ),
          { startImmediately: true }
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(sender)
        assert.isAtMost(buffer.byteLength, 65_536 + message.length)
      }
      assert.strictEqual(timedOut, 399)
      assert.strictEqual(transport.sentBytes, 65_536)
      takeAll(transport, buffer)
      assert.strictEqual(transport.sentBytes, message.length)
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
      // One is with the transport, one is pending.
      for (const expected of [3, 4, 5]) {
        buffer.drained()
        yield* turns
        assert.strictEqual(sent, expected)
        assert.strictEqual(buffer.byteLength, 8)
        assert.strictEqual(transport.written.length, 8 * (expected - 1))
      }
    })
  )

  it.effect("a sender whose fiber yields before it waits misses no drain", () =>
    Effect.gen(function* () {
      for (let before = 0; before < 16; before++) {
        const { transport, buffer } = make()
        transport.network = "full"
        yield* buffer.send(bytes("12345678"))
        yield* buffer.send(bytes("12345678"))
        const sender = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let step = 0; step < before; step++) yield* Effect.sync(() => step)
            yield* Effect.suspend(() => {
              // Before a fiber that yields goes on, and after one that does not has begun to wait.
              queueMicrotask(() => buffer.drained())
              return buffer.send(bytes("9"))
            })
          })
        ).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 8))
        for (let turn = 0; turn < 10; turn++) yield* turns
        assert.deepStrictEqual(sender.pollUnsafe(), Exit.void, `${before} steps before`)
        takeAll(transport, buffer)
        assert.strictEqual(transport.written, "12345678123456789")
      }
    })
  )

  it.effect("a long message leaves in slices of 65,536 bytes, each when the transport has taken the last", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      transport.network = "full"
      const message = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) % 251)
      const written: Array<Uint8Array> = []
      transport.write = (slice) => {
        written.push(slice)
        return false
      }
      yield* buffer.send(message)
      for (let slices = 1; slices <= 16; slices++) {
        assert.lengthOf(written, slices)
        buffer.flush()
        buffer.drained()
      }
      assert.lengthOf(written, 16)
      assert.isTrue(written.every((slice) => slice.length <= 65_536))
      assert.isTrue(Buffer.concat(written).equals(message))
      assert.strictEqual(buffer.byteLength, 0)
    })
  )

  it.effect("messages of every size leave in order, joined to slices and cut to slices", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      const sizes = [1, 65_535, 65_536, 65_537, 0, 131_072, 10, 20_000, 40_000, 30_000, 200_000, 3]
      const messages = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
      const written: Array<Uint8Array> = []
      transport.write = (slice) => {
        written.push(slice)
        return false
      }
      const sender = yield* Effect.forkChild(
        Effect.forEach(messages, (message) => Effect.suspend(() => buffer.send(message)))
      )
      yield* turns
      while (sender.pollUnsafe() === undefined || buffer.byteLength > 0) {
        buffer.drained()
        yield* Effect.promise(() => Promise.resolve())
      }
      assert.isTrue(written.every((slice) => slice.length > 0 && slice.length <= 65_536))
      assert.isTrue(Buffer.concat(written).equals(Buffer.concat(messages)))
    })
  )

  it.effect("holds on to nothing that has left, though the peer never takes the last", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(200_000)
      transport.network = "full"
      transport.write = () => false
      const held = () => (buffer as unknown as { readonly pending: ReadonlyArray<Uint8Array> }).pending
      for (let round = 0; round < 1_000; round++) {
        while (buffer.byteLength < 200_000) yield* buffer.send(new Uint8Array(10_000))
        buffer.drained()
        assert.isAtMost(held().length, 2 * 20)
        const heldBytes = held().reduce((sum, piece) => sum + piece.length, 0)
        assert.strictEqual(heldBytes, buffer.byteLength)
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

  it.effect("what comes after it is refused, also while it waits for a full transport", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      buffer.end()
      yield* reasonOf(buffer.send(bytes("a")), "Closed")
      yield* reasonOf(buffer.sendAll([bytes("a")]), "Closed")
      buffer.beginTurn()
      buffer.endTurn()
      assert.deepStrictEqual(transport.calls, [])
      takeAll(transport, buffer)
      yield* reasonOf(buffer.send(bytes("a")), "Closed")
      assert.strictEqual(transport.written, "123456789first")
    })
  )

  it.effect("reaches a full transport behind all that is pending, once", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(65_536)
      const calls: Array<number | "end"> = []
      transport.write = (slice) => {
        calls.push(slice.length)
        return false
      }
      transport.end = () => calls.push("end")
      yield* buffer.send(new Uint8Array(150_000))
      buffer.end()
      buffer.end()
      assert.deepStrictEqual(calls, [65_536])
      buffer.drained()
      assert.deepStrictEqual(calls, [65_536, 65_536])
      buffer.drained()
      buffer.drained()
      buffer.end()
      assert.deepStrictEqual(calls, [65_536, 65_536, 18_928, "end"])
    })
  )

  it.effect("lets waiting senders go, and comes behind their bytes", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const second = yield* send(buffer, "second")
      buffer.end()
      yield* turns
      assert.deepStrictEqual(first.pollUnsafe(), Exit.void)
      assert.deepStrictEqual(second.pollUnsafe(), Exit.void)
      assert.deepStrictEqual(transport.calls, [])
      buffer.drained()
      assert.deepStrictEqual(transport.takeCalls(), ["write 23456789firstsecond", "end"])
    })
  )

  it.effect("a sender that waits when it comes has sent; one that has yet to begin has not", () =>
    Effect.gen(function* () {
      const outcomes = new Set<string>()
      for (let before = 0; before < 16; before++) {
        const { transport, buffer } = make()
        transport.network = "full"
        yield* buffer.send(bytes("12345678"))
        yield* buffer.send(bytes("12345678"))
        const sender = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let step = 0; step < before; step++) yield* Effect.sync(() => step)
            yield* Effect.suspend(() => {
              // Before a fiber that yields goes on, and after one that does not has begun to wait.
              queueMicrotask(() => buffer.end())
              return buffer.send(bytes("9"))
            })
          }).pipe(Effect.exit)
        ).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 8))
        for (let turn = 0; turn < 10; turn++) yield* turns
        const exit = yield* sender.pollUnsafe() ?? Effect.die(`${before} steps before: still waits`)
        takeAll(transport, buffer)
        assert.strictEqual(transport.written, Exit.isSuccess(exit) ? "12345678123456789" : "1234567812345678")
        if (Exit.isFailure(exit)) yield* reasonOf(exit, "Closed")
        outcomes.add(exit._tag)
      }
      assert.deepStrictEqual([...outcomes].sort(), ["Failure", "Success"])
    })
  )
})

describe("handOver", () => {
  it.effect("gives a full transport all that is pending, in order; who waits comes later", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      buffer.handOver()
      buffer.handOver()
      assert.deepStrictEqual(transport.takeCalls(), ["writeAll 23456789"])
      assert.strictEqual(buffer.byteLength, 0)
      const second = yield* send(buffer, "second")
      assert.isUndefined(first.pollUnsafe())
      assert.isUndefined(second.pollUnsafe())
      takeAll(transport, buffer)
      yield* Fiber.joinAll([first, second])
      assert.deepStrictEqual(transport.takeCalls(), ["write firstsecond"])
    })
  )

  it.effect("gives the rest of a message that has left in part, and what is behind it, once", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(200_000)
      transport.network = "full"
      yield* buffer.sendAll([
        bytes("a"),
        bytes("b"),
        new Uint8Array(100_000).fill(0x63),
        ...Array.from("defghi", bytes)
      ])
      yield* turns
      buffer.drained()
      assert.strictEqual(transport.sentBytes, 65_538)
      buffer.handOver()
      assert.strictEqual(transport.calls.at(-1), `writeAll ${"c".repeat(34_464)}|d|e|f|g|h|i`)
      assert.strictEqual(transport.written, `ab${"c".repeat(100_000)}defghi`)
      takeAll(transport, buffer)
      yield* turns
      assert.strictEqual(transport.sentBytes, 100_008)
    })
  )

  it.effect("a transport that it filled gets no more until it drains", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(100)
      transport.network = "full"
      yield* buffer.send(bytes("a"))
      buffer.handOver()
      yield* buffer.send(bytes("b"))
      yield* turns
      assert.deepStrictEqual(transport.takeCalls(), ["writeAll a"])
      takeAll(transport, buffer)
      assert.deepStrictEqual(transport.takeCalls(), ["write b"])
    })
  )

  it.effect("leaves the end behind what it gave", () =>
    Effect.gen(function* () {
      const { transport, buffer } = yield* makeFull
      buffer.end()
      buffer.handOver()
      takeAll(transport, buffer)
      assert.deepStrictEqual(transport.calls, ["writeAll 23456789|first", "end"])
    })
  )
})

describe("close", () => {
  it.effect("fails all who wait, and who comes later, with the error; their bytes are not sent", () =>
    Effect.gen(function* () {
      const { transport, buffer, first } = yield* makeFull
      const second = yield* send(buffer, "second")
      buffer.close(lost)
      assert.strictEqual(yield* Effect.flip(Fiber.join(first)), lost)
      assert.strictEqual(yield* Effect.flip(Fiber.join(second)), lost)
      assert.strictEqual(yield* Effect.flip(buffer.send(bytes("a"))), lost)
      assert.strictEqual(buffer.byteLength, 0)
      takeAll(transport, buffer)
      assert.deepStrictEqual(transport.calls, [])
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
  "bytes leave in the order in which they were sent, over turns, microtasks and interruptions, each sender's or none",
  {
    operations: Schema.Array(
      Schema.Literals([
        "send",
        "send",
        "send",
        "sendAll",
        "interrupt",
        "begin",
        "end of turn",
        "microtask",
        "full",
        "drain once",
        "drain"
      ])
    )
  },
  ({ operations }) =>
    Effect.gen(function* () {
      const highWaterBytes = 3
      const { transport, buffer } = make(highWaterBytes)
      let depth = 0
      let next = 0
      const senders: Array<{ readonly text: string; readonly fiber: Fiber.Fiber<void, unknown> }> = []
      const letters = (count: number): ReadonlyArray<string> =>
        Array.from({ length: count }, () => String.fromCharCode(0x4e00 + next++))
      const fork = (parts: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const effect = parts.length === 1 ? buffer.send(bytes(parts[0]!)) : buffer.sendAll(parts.map(bytes))
          senders.push({ text: parts.join(""), fiber: yield* Effect.forkChild(effect, { startImmediately: true }) })
        })
      /** What has been handed over: the bytes of everyone who no longer waits and was not interrupted. */
      const handedOver = () =>
        senders.map(({ fiber, text }) => (fiber.pollUnsafe()?._tag === "Success" ? text : "")).join("")
      for (const operation of operations) {
        if (operation === "send") yield* fork(letters(1))
        else if (operation === "sendAll") yield* fork(letters(3))
        else if (operation === "interrupt") {
          // The one who came last, and the first who waits.
          const waiting = senders.filter(({ fiber }) => fiber.pollUnsafe() === undefined)
          for (const { fiber } of new Set([waiting.at(-1), waiting[0]].filter((each) => each !== undefined))) {
            yield* Fiber.interrupt(fiber)
          }
        } else if (operation === "begin") {
          depth++
          buffer.beginTurn()
        } else if (operation === "end of turn" && depth > 0) {
          depth--
          buffer.endTurn()
        } else if (operation === "microtask") yield* Effect.promise(() => Promise.resolve())
        else if (operation === "full") transport.network = "full"
        else if (operation === "drain once") buffer.drained()
        else if (operation === "drain") takeAll(transport, buffer)
        const expected = handedOver()
        assert.isTrue(expected.startsWith(transport.written))
        assert.strictEqual(buffer.byteLength, bytes(expected).length - transport.sentBytes)
        assert.isBelow(buffer.byteLength, highWaterBytes + bytes("xxx").length * 3)
      }
      // In the end everyone who was not interrupted has sent, in the order in which they came.
      buffer.end()
      takeAll(transport, buffer)
      assert.isTrue(senders.every(({ fiber }) => fiber.pollUnsafe() !== undefined))
      assert.strictEqual(transport.written, handedOver())
      assert.strictEqual(transport.calls.at(-1), "end")
    }),
  { arbitrary: { runs: 200, size: 40 } }
)
