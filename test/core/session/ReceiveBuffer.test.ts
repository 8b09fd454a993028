import { assert, describe, it } from "@effect/vitest"
import * as Delimited from "@sluice/core/codec/Delimited"
import * as Receiving from "@sluice/core/session/ReceiveBuffer"
import { ReceiveBuffer, type Step } from "@sluice/core/session/ReceiveBuffer"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { isDone, reasonOf } from "../../harness/Reasons.ts"
import { StubTransport } from "../../harness/StubTransport.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const make = (highWaterBytes = 8) => {
  const transport = new StubTransport()
  const buffer = new ReceiveBuffer(transport, highWaterBytes)
  return { transport, buffer, receive: Effect.map(buffer.reader(Receiving.chunkStep), text) }
}

const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk)

/** Hands out what stands before a `|`, as a codec does. */
const barStep = (): Step<string, never> => {
  const decoder = Delimited.make({ delimiter: bytes("|") }).decoder()
  return (buffer) => {
    const frame = decoder.decode(buffer.queue)
    return frame === undefined ? undefined : Exit.succeed(text(frame))
  }
}

const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))

describe("reader", () => {
  it.effect("hands out chunks as they came, before and while it is asked", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      buffer.push(bytes("ab"))
      buffer.push(bytes("c"))
      assert.strictEqual(yield* receive, "ab")
      assert.strictEqual(yield* receive, "c")
      const waiting = yield* Effect.forkChild(receive)
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      buffer.push(bytes("d"))
      assert.deepStrictEqual(waiting.pollUnsafe(), Exit.succeed("d"))
    })
  )

  it.effect("runs the fiber that waits within push", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      const received: Array<string> = []
      yield* Effect.forkChild(Effect.forever(Effect.map(receive, (chunk) => received.push(chunk))))
      yield* turns
      buffer.push(bytes("a"))
      assert.deepStrictEqual(received, ["a"])
      yield* turns
      buffer.push(bytes("b"))
      assert.deepStrictEqual(received, ["a", "b"])
    })
  )

  it.effect("two fibers at once are a defect of the second, and the first goes on", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      const first = yield* Effect.forkChild(receive)
      yield* turns
      const second = yield* Effect.exit(receive)
      assert.include(String(second), "two fibers receive")
      assert.isTrue(Exit.hasDies(second))
      buffer.push(bytes("a"))
      assert.strictEqual(yield* Fiber.join(first), "a")
      buffer.push(bytes("b"))
      assert.strictEqual(yield* receive, "b")
    })
  )

  it.effect("an interrupted wait loses no byte", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      const interrupted = yield* Effect.forkChild(receive)
      yield* turns
      yield* Fiber.interrupt(interrupted)
      buffer.push(bytes("a"))
      assert.strictEqual(yield* receive, "a")
    })
  )

  it.effect("a wait that is interrupted within a frame leaves its bytes to the next", () =>
    Effect.gen(function* () {
      const { buffer } = make()
      const receive = buffer.reader(barStep())
      const interrupted = yield* Effect.forkChild(receive)
      yield* turns
      buffer.push(bytes("ab"))
      assert.isTrue(buffer.midFrame)
      yield* Fiber.interrupt(interrupted)
      assert.isFalse(buffer.midFrame)
      buffer.push(bytes("c|d"))
      assert.strictEqual(yield* receive, "abc")
      assert.strictEqual(buffer.queue.byteLength, 1)
    })
  )

  it.effect("a fiber that yields before it waits misses neither bytes nor the end", () =>
    Effect.gen(function* () {
      for (let maxOps = 3; maxOps < 12; maxOps++) {
        for (let turn = 0; turn < 8; turn++) {
          for (const happens of ["bytes", "end", "drain"] as const) {
            const { buffer, receive } = make()
            const fiber = yield* Effect.forkChild(receive).pipe(
              Effect.provideService(Scheduler.MaxOpsBeforeYield, maxOps)
            )
            for (let passed = 0; passed < turn; passed++) yield* oneTurn
            if (happens === "bytes") buffer.push(bytes("a"))
            else if (happens === "end") buffer.end("ended")
            else buffer.drain()
            yield* turns
            yield* turns
            yield* turns
            assert.isDefined(fiber.pollUnsafe(), `${happens} after ${turn} turns, a yield every ${maxOps}`)
          }
        }
      }
    })
  )

  it.effect("a step that throws is a defect of the fiber that waits, and not of the transport", () =>
    Effect.gen(function* () {
      const { buffer } = make()
      const receive = buffer.reader((self) => {
        if (self.queue.byteLength > 0) throw new Error("a bug in a decoder")
        return undefined
      })
      const waiting = yield* Effect.forkChild(receive)
      yield* turns
      buffer.push(bytes("a"))
      const exit = waiting.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.hasDies(exit))
      assert.isTrue(Exit.hasDies(yield* Effect.exit(receive)))
    })
  )
})

/** One turn of the platform's event loop. */
const oneTurn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("flow", () => {
  it.effect("pauses at the high water and not before; resumes below it", () =>
    Effect.gen(function* () {
      const { transport, buffer, receive } = make(8)
      buffer.push(bytes("1234567"))
      assert.deepStrictEqual(transport.takeCalls(), [])
      buffer.push(bytes("8"))
      assert.deepStrictEqual(transport.takeCalls(), ["pause"])
      // A transport may have had a chunk in hand.
      buffer.push(bytes("90"))
      assert.deepStrictEqual(transport.takeCalls(), [])
      assert.strictEqual(yield* receive, "1234567")
      assert.deepStrictEqual(transport.takeCalls(), ["resume"])
      assert.strictEqual(yield* receive, "8")
      assert.deepStrictEqual(transport.takeCalls(), [])
    })
  )

  it.effect("stays paused while as much as the high water is left", () =>
    Effect.gen(function* () {
      const { transport, buffer, receive } = make(4)
      buffer.push(bytes("12"))
      buffer.push(bytes("3456"))
      transport.takeCalls()
      yield* receive
      assert.deepStrictEqual(transport.takeCalls(), [])
      yield* receive
      assert.deepStrictEqual(transport.takeCalls(), ["resume"])
    })
  )

  it.effect("never pauses a fiber that waits: a frame above the high water comes whole", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      buffer.push(bytes("123456"))
      assert.deepStrictEqual(transport.takeCalls(), ["pause"])
      const waiting = yield* Effect.forkChild(buffer.reader(barStep()))
      yield* turns
      assert.deepStrictEqual(transport.takeCalls(), ["resume"])
      buffer.push(bytes("7890abcdefgh"))
      assert.deepStrictEqual(transport.takeCalls(), [])
      buffer.push(bytes("|"))
      assert.strictEqual(yield* Fiber.join(waiting), "1234567890abcdefgh")
      assert.deepStrictEqual(transport.takeCalls(), [])
    })
  )

  it.effect("pauses when the fiber that was woken takes little of much, and turns to something else", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      const waiting = yield* Effect.forkChild(buffer.reader(barStep()))
      yield* turns
      buffer.push(bytes("a|bbbbbbbb"))
      assert.strictEqual(yield* Fiber.join(waiting), "a")
      assert.deepStrictEqual(transport.takeCalls(), ["pause"])
    })
  )

  it.effect("does not pause for a fiber that was woken and waits again", () =>
    Effect.gen(function* () {
      const { transport, buffer } = make(4)
      const frames: Array<string> = []
      yield* Effect.forkChild(
        Effect.forever(
          Effect.map(buffer.reader(barStep()), (frame) => frames.push(frame)),
          { disableYield: true }
        )
      )
      yield* turns
      buffer.push(bytes("a|b|cccccccc"))
      yield* turns
      assert.deepStrictEqual(transport.takeCalls(), [])
      buffer.push(bytes("|"))
      assert.deepStrictEqual(frames, ["a", "b", "cccccccc"])
    })
  )
})

describe("the end", () => {
  it.effect("comes after what is buffered, again and again", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      buffer.push(bytes("a"))
      buffer.end("ended")
      assert.strictEqual(yield* receive, "a")
      yield* isDone(receive)
      yield* isDone(receive)
    })
  )

  it.effect("wakes who waits", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      const waiting = yield* Effect.forkChild(receive)
      yield* turns
      buffer.end("ended")
      yield* isDone(Fiber.join(waiting))
    })
  )

  it.effect("a loss comes after what is buffered, too", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      buffer.push(bytes("a"))
      buffer.end(lost)
      assert.strictEqual(yield* receive, "a")
      yield* reasonOf(receive, "ConnectionLost")
    })
  )

  it.effect("the first one counts", () =>
    Effect.gen(function* () {
      const ended = make()
      ended.buffer.end("ended")
      ended.buffer.end(lost)
      yield* isDone(ended.receive)
      const broken = make()
      broken.buffer.end(lost)
      broken.buffer.end("ended")
      yield* reasonOf(broken.receive, "ConnectionLost")
    })
  )
})

describe("drain", () => {
  it.effect("hands out what is buffered, and what comes, and ends when there is nothing", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      buffer.push(bytes("a"))
      buffer.drain()
      buffer.push(bytes("b"))
      assert.strictEqual(yield* receive, "a")
      assert.strictEqual(yield* receive, "b")
      yield* isDone(receive)
      buffer.push(bytes("c"))
      assert.strictEqual(yield* receive, "c")
      yield* isDone(receive)
    })
  )

  it.effect("ends who waits for a first byte", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      const waiting = yield* Effect.forkChild(receive)
      yield* turns
      buffer.drain()
      yield* isDone(Fiber.join(waiting))
    })
  )

  it.effect("a loss is told, not the end", () =>
    Effect.gen(function* () {
      const { buffer, receive } = make()
      buffer.drain()
      buffer.end(lost)
      yield* reasonOf(receive, "ConnectionLost")
    })
  )
})

describe("discard", () => {
  it.effect("drops what is there and what comes, and lets the transport flow", () =>
    Effect.gen(function* () {
      const { transport, buffer, receive } = make(4)
      buffer.push(bytes("12345"))
      assert.deepStrictEqual(transport.takeCalls(), ["pause"])
      buffer.discard()
      assert.deepStrictEqual(transport.takeCalls(), ["resume"])
      buffer.push(bytes("67890"))
      assert.strictEqual(buffer.queue.byteLength, 0)
      assert.deepStrictEqual(transport.takeCalls(), [])
      buffer.end("ended")
      yield* isDone(receive)
      assert.deepStrictEqual(transport.takeCalls(), [])
    })
  )
})

it.effect.prop(
  "every byte is handed out once, in order, and never more than the high water and a chunk is buffered",
  {
    operations: Schema.Array(
      Schema.Literals(["push", "push", "push", "long", "receive", "receive", "wait", "interrupt", "drain"])
    )
  },
  ({ operations }) =>
    Effect.gen(function* () {
      const { transport, buffer, receive } = make(6)
      let waiting: Fiber.Fiber<string, unknown> | undefined
      let pushed = ""
      let received = ""
      let flowing = true
      const take = (exit: Exit.Exit<string, unknown> | undefined): void => {
        if (exit === undefined) return
        waiting = undefined
        if (Exit.isSuccess(exit)) received += exit.value
      }
      for (const operation of operations) {
        if ((operation === "push" || operation === "long") && flowing) {
          const chunk = String.fromCharCode(97 + (pushed.length % 26)).repeat(operation === "push" ? 1 : 5)
          pushed += chunk
          buffer.push(bytes(chunk))
        } else if (operation === "receive" && buffer.queue.byteLength > 0 && waiting === undefined) {
          received += yield* receive
        } else if (operation === "wait" && waiting === undefined) {
          waiting = yield* Effect.forkChild(receive, { startImmediately: true })
        } else if (operation === "interrupt" && waiting !== undefined) {
          yield* Fiber.interrupt(waiting)
        } else if (operation === "drain") buffer.drain()
        take(waiting?.pollUnsafe())
        for (const call of transport.takeCalls()) flowing = call === "resume"
        assert.isAtMost(buffer.queue.byteLength, 6 - 1 + 5)
      }
      while (buffer.queue.byteLength > 0) received += yield* receive
      assert.strictEqual(received, pushed)
    }),
  { arbitrary: { runs: 300, size: 40 } }
)
