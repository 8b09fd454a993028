import { assert, describe, it } from "@effect/vitest"
import * as Drain from "@sluice/core/server/Drain"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

/** A member by hand: what it was told, and when it leaves. */
class FakeMember implements Drain.Member {
  readonly told: Array<string> = []
  readonly leave: () => void
  private readonly leavesAt: string

  constructor(drain: Drain.Drain, leavesAt: "drain" | "interrupt" | "cut" | "never") {
    this.leavesAt = leavesAt
    this.leave = drain.join(this)
  }

  drain(): void {
    this.hear("drain")
  }
  interrupt(): void {
    this.hear("interrupt")
  }
  cut(): void {
    this.hear("cut")
  }

  private hear(word: string): void {
    this.told.push(word)
    if (word === this.leavesAt) this.leave()
  }
}

/** Begins to drain, and comes back when nothing moves before time does. */
const begin = (drain: Drain.Drain, stopAccepting: Effect.Effect<void> = Effect.void) =>
  Effect.tap(Effect.forkChild(drain.run(stopAccepting), { startImmediately: true }), () => TestClock.adjust(0))

const isDone = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

describe("Drain", () => {
  it.effect("without members it ends at once", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      assert.isFalse(drain.isDraining())
      assert.deepStrictEqual(yield* drain.run(Effect.void), { finished: 0, interrupted: 0, cut: 0 })
      assert.isTrue(drain.isDraining())
      yield* drain.begun
    })
  )

  it.effect("is draining before accepting stops, and tells members afterwards", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const member = new FakeMember(drain, "drain")
      let seen: readonly [boolean, number] | undefined
      yield* drain.run(
        Effect.sync(() => {
          seen = [drain.isDraining(), member.told.length]
        })
      )
      assert.deepStrictEqual(seen, [true, 0])
      assert.deepStrictEqual(member.told, ["drain"])
    })
  )

  it.effect("members that end when they are told are finished, and are told nothing more", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const members = [new FakeMember(drain, "drain"), new FakeMember(drain, "drain")]
      assert.deepStrictEqual(yield* drain.run(Effect.void), { finished: 2, interrupted: 0, cut: 0 })
      for (const member of members) assert.deepStrictEqual(member.told, ["drain"])
      assert.strictEqual(drain.size(), 0)
    })
  )

  it.effect("waits for what is in flight, not a moment longer", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const member = new FakeMember(drain, "never")
      const running = yield* begin(drain)
      yield* TestClock.adjust(9_999)
      assert.isFalse(isDone(running))
      assert.deepStrictEqual(member.told, ["drain"])
      member.leave()
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 1, interrupted: 0, cut: 0 })
      assert.deepStrictEqual(member.told, ["drain"])
    })
  )

  it.effect("interrupts at the deadline, 20 seconds unless it is given", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const member = new FakeMember(drain, "interrupt")
      const running = yield* begin(drain)
      yield* TestClock.adjust(19_999)
      assert.deepStrictEqual(member.told, ["drain"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(member.told, ["drain", "interrupt"])
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 0, interrupted: 1, cut: 0 })
    })
  )

  it.effect("cuts off one second later what is left, and forgets it", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const member = new FakeMember(drain, "never")
      const running = yield* begin(drain)
      yield* TestClock.adjust(10_999)
      assert.deepStrictEqual(member.told, ["drain", "interrupt"])
      assert.isFalse(isDone(running))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(member.told, ["drain", "interrupt", "cut"])
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 0, interrupted: 0, cut: 1 })
      assert.strictEqual(drain.size(), 0)
      member.leave()
    })
  )

  it.effect("a member that cleans up within the second was interrupted, not cut", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const member = new FakeMember(drain, "never")
      const running = yield* begin(drain)
      yield* TestClock.adjust(10_500)
      member.leave()
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 0, interrupted: 1, cut: 0 })
    })
  )

  it.effect("reports each member once", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const kinds = ["drain", "drain", "drain", "interrupt", "interrupt", "cut", "never"] as const
      const early = new FakeMember(drain, "never")
      early.leave()
      early.leave()
      for (const kind of kinds) new FakeMember(drain, kind)
      const running = yield* begin(drain)
      yield* TestClock.adjust(11_000)
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 3, interrupted: 2, cut: 2 })
    })
  )

  it.effect("a member that joins while draining is told once, and has the same deadline", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const first = new FakeMember(drain, "never")
      const running = yield* begin(drain)
      yield* TestClock.adjust(9_000)
      const late = new FakeMember(drain, "interrupt")
      assert.deepStrictEqual(late.told, ["drain"])
      first.leave()
      yield* TestClock.adjust(999)
      assert.isFalse(isDone(running))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late.told, ["drain", "interrupt"])
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 1, interrupted: 1, cut: 0 })
    })
  )

  it.effect("a member that joins while accepting stops is told once", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const late: Array<FakeMember> = []
      const running = yield* begin(
        drain,
        Effect.sync(() => {
          late.push(new FakeMember(drain, "never"))
        })
      )
      assert.deepStrictEqual(late[0]?.told, ["drain"])
      late[0]?.leave()
      yield* Fiber.join(running)
    })
  )

  it.effect("a member that leaves while accepting stops has finished", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const member = new FakeMember(drain, "never")
      assert.deepStrictEqual(yield* drain.run(Effect.sync(member.leave)), { finished: 1, interrupted: 0, cut: 0 })
      assert.deepStrictEqual(member.told, [])
    })
  )

  it.effect("a member that joins in the last second has no more than that", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const first = new FakeMember(drain, "never")
      const running = yield* begin(drain)
      yield* TestClock.adjust(10_500)
      const late = new FakeMember(drain, "cut")
      first.leave()
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(late.told, ["drain", "interrupt", "cut"])
      assert.deepStrictEqual(yield* Fiber.join(running), { finished: 0, interrupted: 1, cut: 1 })
    })
  )

  it.effect("a member that joins when all is over is let go, and is not kept", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      yield* drain.run(Effect.void)
      const late = new FakeMember(drain, "never")
      assert.deepStrictEqual(late.told, ["drain", "cut"])
      assert.strictEqual(drain.size(), 0)
    })
  )

  it.effect("a later call waits for the first one's report, and stops nothing again", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const member = new FakeMember(drain, "interrupt")
      let stops = 0
      const stop = Effect.sync(() => {
        stops++
      })
      const first = yield* begin(drain, stop)
      const second = yield* begin(drain, stop)
      yield* TestClock.adjust("10 seconds")
      const report = yield* Fiber.join(first)
      assert.deepStrictEqual(report, { finished: 0, interrupted: 1, cut: 0 })
      assert.strictEqual(yield* Fiber.join(second), report)
      assert.strictEqual(yield* drain.run(stop), report)
      assert.strictEqual(stops, 1)
      assert.deepStrictEqual(member.told, ["drain", "interrupt"])
    })
  )

  for (const [name, stuck] of [
    ["never completes", Effect.never],
    ["never completes and cannot be interrupted", Effect.uninterruptible(Effect.never)]
  ] as const) {
    it.effect(`a listener whose closing ${name} holds it for one second only`, () =>
      Effect.gen(function* () {
        const drain = Drain.makeUnsafe()
        const member = new FakeMember(drain, "drain")
        const running = yield* begin(drain, stuck)
        yield* TestClock.adjust(999)
        assert.deepStrictEqual(member.told, [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(member.told, ["drain"])
        assert.deepStrictEqual(yield* Fiber.join(running), { finished: 1, interrupted: 0, cut: 0 })
      })
    )
  }

  it.effect("a listener whose closing dies loses no member", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const member = new FakeMember(drain, "drain")
      const report = yield* drain.run(Effect.die(new Error("cannot close")))
      assert.deepStrictEqual(member.told, ["drain"])
      assert.deepStrictEqual(report, { finished: 1, interrupted: 0, cut: 0 })
    })
  )

  it.effect("cannot be interrupted: the interruption waits, and the protocol takes its course", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe({ drainTimeout: "10 seconds" })
      const member = new FakeMember(drain, "never")
      const interrupted = yield* Deferred.make<void>()
      const first = yield* begin(drain)
      const second = yield* begin(drain)
      yield* Effect.forkChild(
        Effect.andThen(Fiber.interruptAll([first, second]), Deferred.succeed(interrupted, undefined)),
        { startImmediately: true }
      )
      yield* TestClock.adjust(10_999)
      assert.isFalse(yield* Deferred.isDone(interrupted))
      assert.deepStrictEqual(member.told, ["drain", "interrupt"])
      yield* TestClock.adjust(1)
      yield* Deferred.await(interrupted)
      assert.deepStrictEqual(member.told, ["drain", "interrupt", "cut"])
      assert.deepStrictEqual(yield* drain.run(Effect.void), { finished: 0, interrupted: 0, cut: 1 })
    })
  )

  it.effect("`begun` waits for the beginning", () =>
    Effect.gen(function* () {
      const drain = Drain.makeUnsafe()
      const waiting = yield* Effect.forkChild(drain.begun, { startImmediately: true })
      assert.isFalse(isDone(waiting))
      yield* drain.run(Effect.void)
      assert.deepStrictEqual(yield* Fiber.await(waiting), Exit.void)
    })
  )

  it("a deadline of 0 is a mistake", () => {
    assert.throws(() => Drain.makeUnsafe({ drainTimeout: 0 }), RangeError)
  })
})
