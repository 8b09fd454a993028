import { assert, describe, it } from "@effect/vitest"
import { BodyLost, BodyTooLarge, type Flow, IncomingBody } from "@sluice/core/session/HttpBody"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

class Calls implements Flow {
  readonly calls: Array<string> = []
  readonly credits: Array<number> = []
  unwantedCount = 0
  wanted() {
    this.calls.push("wanted")
  }
  pause() {
    this.calls.push("pause")
  }
  resume() {
    this.calls.push("resume")
  }
  unwanted() {
    this.unwantedCount++
  }
  credit(byteCount: number) {
    this.credits.push(byteCount)
  }
}

const make = (lengthBytes?: number) => {
  const flow = new Calls()
  return { flow, body: new IncomingBody(lengthBytes, flow) }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)

describe("IncomingBody", () => {
  it.effect("what came is taken without waiting, and without asking for more", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(bytes("ab"))
      body.push(bytes("cd"))
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["ab", "cd"])
      assert.deepStrictEqual(flow.calls, [])
    })
  )

  it.effect("a reader that finds nothing says so, and goes on with the next part", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      const fiber = yield* Effect.forkChild(body.pull, { startImmediately: true })
      assert.isTrue(body.isAwaited)
      assert.deepStrictEqual(flow.calls, ["wanted"])
      body.push(bytes("ab"))
      assert.deepStrictEqual((yield* Fiber.join(fiber)).map(textOf), ["ab"])
      assert.isFalse(body.isAwaited)
    })
  )

  it.effect("its end is the end of the pull, again and again", () =>
    Effect.gen(function* () {
      const { body } = make()
      body.push(bytes("ab"))
      body.end(undefined)
      yield* body.pull
      assert.isTrue(Cause.isDone(yield* Effect.flip(body.pull)))
      assert.isTrue(Cause.isDone(yield* Effect.flip(body.pull)))
    })
  )

  it.effect("one that is over resumes nobody: the connection may have gone on to another body", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(new Uint8Array(65_537))
      body.fail(new BodyLost())
      yield* body.pull
      assert.strictEqual((yield* Effect.flip(body.pull))._tag, "BodyLost")
      assert.deepStrictEqual(flow.calls, ["pause"])
    })
  )

  it.effect("parts of a byte each are gathered, in order, and larger ones between them stay", () =>
    Effect.gen(function* () {
      const { body } = make()
      let sent = ""
      for (let index = 0; index < 10_000; index++) {
        const part = index === 5_000 ? "-".repeat(513) : String(index % 10)
        sent += part
        body.push(bytes(part))
      }
      const parts = yield* body.pull
      assert.isAtMost(parts.length, 12)
      assert.isAtMost(
        parts.reduce((sum, part) => sum + part.buffer.byteLength, 0),
        3 * sent.length
      )
      assert.strictEqual(parts.map(textOf).join(""), sent)
      body.push(bytes("next"))
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["next"])
    })
  )

  it.effect("64 KiB wait at most before its sender is paused", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(new Uint8Array(65_536))
      assert.deepStrictEqual(flow.calls, [])
      body.push(new Uint8Array(1))
      assert.deepStrictEqual(flow.calls, ["pause"])
      yield* body.pull
      assert.deepStrictEqual(flow.calls, ["pause", "resume"])
    })
  )

  it.effect("who wants the whole lets more wait, up to its limit", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      const fiber = yield* Effect.forkChild(body.collect(200_000), { startImmediately: true })
      for (let count = 0; count < 3; count++) body.push(new Uint8Array(65_536))
      assert.deepStrictEqual(flow.calls, ["wanted"])
      body.end(undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 3 * 65_536)
    })
  )

  it.effect("the whole is above its limit: as soon as that is known", () =>
    Effect.gen(function* () {
      const { body } = make()
      body.push(bytes("abcde"))
      assert.deepStrictEqual(yield* Effect.flip(body.collect(4)), new BodyTooLarge(4))
      assert.deepStrictEqual(yield* Effect.flip(make(5).body.collect(4)), new BodyTooLarge(4))
      body.end(undefined)
      assert.strictEqual(textOf(yield* body.collect(5)), "abcde")
    })
  )

  it.effect("a lost body still hands out its parts, and never the whole", () =>
    Effect.gen(function* () {
      const { body } = make()
      body.push(bytes("ab"))
      body.fail(new BodyLost())
      body.push(bytes("cd"))
      body.end(undefined)
      assert.deepStrictEqual(yield* Effect.flip(body.collect(10)), new BodyLost())
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["ab"])
      assert.deepStrictEqual(yield* Effect.flip(body.pull), new BodyLost())
    })
  )

  it.effect("a waiting reader is told of the loss", () =>
    Effect.gen(function* () {
      const { body } = make()
      const fiber = yield* Effect.forkChild(Effect.flip(body.pull), { startImmediately: true })
      body.fail(new BodyLost())
      assert.deepStrictEqual(yield* Fiber.join(fiber), new BodyLost())
    })
  )

  it.effect("a reader that is interrupted leaves the body to the next one", () =>
    Effect.gen(function* () {
      const { body } = make()
      const fiber = yield* Effect.forkChild(body.collect(10), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      body.push(bytes("ab"))
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["ab"])
    })
  )

  it.effect("two readers at one time are a defect", () =>
    Effect.gen(function* () {
      const { body } = make()
      yield* Effect.forkChild(body.pull, { startImmediately: true })
      const exit = yield* Effect.exit(body.pull)
      assert.isTrue(exit._tag === "Failure" && Cause.hasDies(exit.cause))
    })
  )

  it.effect("what is taken is credited, and not before", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(bytes("ab"))
      body.push(bytes("cde"))
      assert.deepStrictEqual(flow.credits, [])
      yield* body.pull
      assert.deepStrictEqual(flow.credits, [5])
      body.push(bytes("f"))
      body.end(undefined)
      body.collectNow(10)
      assert.deepStrictEqual(flow.credits, [5, 1])
    })
  )

  it.effect("while the whole is waited for, what comes is credited at once, and only once", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(bytes("ab"))
      const fiber = yield* Effect.forkChild(body.collect(10), { startImmediately: true })
      assert.deepStrictEqual(flow.credits, [2])
      body.push(bytes("cde"))
      assert.deepStrictEqual(flow.credits, [2, 3])
      body.end(undefined)
      assert.strictEqual(textOf(yield* Fiber.join(fiber)), "abcde")
      assert.deepStrictEqual(flow.credits, [2, 3])
      assert.strictEqual(flow.unwantedCount, 1)
    })
  )

  it.effect("a reader of the whole that was interrupted leaves to the next one what is not credited yet", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      const fiber = yield* Effect.forkChild(body.collect(10), { startImmediately: true })
      body.push(bytes("ab"))
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(flow.unwantedCount, 1)
      body.push(bytes("cde"))
      assert.deepStrictEqual(flow.credits, [2])
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["ab", "cde"])
      assert.deepStrictEqual(flow.credits, [2, 3])
    })
  )

  it.effect("what comes too late is credited at once, and what waits when it is taken", () =>
    Effect.gen(function* () {
      const { body, flow } = make()
      body.push(bytes("ab"))
      body.fail(new BodyLost())
      body.push(bytes("cde"))
      assert.deepStrictEqual(flow.credits, [3])
      assert.deepStrictEqual((yield* body.pull).map(textOf), ["ab"])
      assert.deepStrictEqual(flow.credits, [3, 2])
    })
  )
})
