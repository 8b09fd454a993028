import { assert, describe, it } from "@effect/vitest"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as AcceptWorld from "../../harness/AcceptWorld.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { turns } from "../../harness/TransportContract.ts"

describe("AcceptLoop", () => {
  it.effect("serves what comes, and counts it", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make()
      const a = world.connect("a")
      world.connect("b")
      assert.deepStrictEqual(world.served, ["a", "b"])
      assert.strictEqual(world.drain.size(), 2)
      assert.deepInclude(world.stats.snapshot(), { open: 2, accepted: 2, waiting: 0 })
      a.transport.destroy()
      yield* turns
      assert.deepInclude(world.stats.snapshot(), { open: 1, closed: {} })
      world.finish("a", "ConnectionLost")
      assert.deepInclude(world.stats.snapshot(), { open: 1, accepted: 2, closed: { ConnectionLost: 1 } })
      assert.strictEqual(world.drain.size(), 1)
    })
  )

  it.effect("over the limit they wait unread, and get the next free place in the order of their coming", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 2 })
      for (const name of ["a", "b"]) world.connect(name)
      const waiting = ["c", "d", "e"].map((name) => world.connect(name))
      for (const caller of waiting) caller.transport.write(Buffer.from("hello"))
      yield* turns
      assert.deepStrictEqual(world.served, ["a", "b"])
      assert.deepInclude(world.stats.snapshot(), { open: 2, accepted: 2, waiting: 3 })
      for (const caller of waiting) assert.strictEqual(caller.accepted.receivedBytes, 0)
      world.finish("b")
      assert.deepStrictEqual(world.served, ["a", "b", "c"])
      world.finish("c")
      world.finish("a")
      assert.deepStrictEqual(world.served, ["a", "b", "c", "d", "e"])
      assert.deepInclude(world.stats.snapshot(), { accepted: 5, waiting: 0, refused: {} })
      assert.strictEqual(world.timers.size(), 0)
    })
  )

  it.effect("with a full waiting room the next one is refused", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1, maxWaiting: 1 })
      world.connect("a")
      const waiting = world.connect("b")
      const refused = world.connect("c")
      yield* turns
      assert.deepStrictEqual(refused.closedBy, new TransportError.TooManyConnections("total", 1))
      assert.strictEqual(waiting.accepted.state, "open")
      assert.deepInclude(world.stats.snapshot(), { waiting: 1, accepted: 1, refused: { TooManyConnections: 1 } })
    })
  )

  it.effect("one address above its limit is refused at once, others are served", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnectionsPerAddress: 1 })
      world.connect("a", "2001:db8::1")
      const refused = world.connect("b", "2001:db8::2")
      world.connect("c", "2001:db8:0:1::1")
      yield* turns
      assert.deepStrictEqual(refused.closedBy, new TransportError.TooManyConnections("per address", 1))
      assert.deepStrictEqual(world.served, ["a", "c"])
      world.finish("a")
      world.connect("d", "2001:db8::3")
      assert.deepStrictEqual(world.served, ["a", "c", "d"])
    })
  )

  it.effect("those that wait count for their address: one peer cannot fill the waiting room", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1, maxConnectionsPerAddress: 2, maxWaiting: 3 })
      world.connect("a", "192.0.2.1")
      world.connect("b", "192.0.2.2")
      const second = world.connect("c", "192.0.2.2")
      const third = world.connect("d", "192.0.2.2")
      const other = world.connect("e", "192.0.2.3")
      yield* turns
      assert.deepStrictEqual(third.closedBy, new TransportError.TooManyConnections("per address", 2))
      assert.strictEqual(other.accepted.state, "open")
      assert.deepInclude(world.stats.snapshot(), { waiting: 3, refused: { TooManyConnections: 1 } })
      second.transport.destroy()
      yield* turns
      world.connect("f", "192.0.2.2")
      assert.deepInclude(world.stats.snapshot(), { waiting: 3, refused: { TooManyConnections: 1 } })
      for (const name of ["a", "b", "e"]) world.finish(name)
      assert.deepStrictEqual(world.served, ["a", "b", "e", "f"])
    })
  )

  it.effect("nobody waits longer than `waitTimeout`, each from its own coming", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1, waitTimeout: "3 seconds" })
      world.connect("a")
      const first = world.connect("b")
      yield* TestClock.adjust(1)
      const second = world.connect("c")
      yield* TestClock.adjust(2_998)
      assert.strictEqual(first.accepted.state, "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(first.accepted.state, "closed")
      assert.strictEqual(second.accepted.state, "open")
      assert.deepInclude(world.stats.snapshot(), { waiting: 1, refused: { TooManyConnections: 1 } })
      yield* TestClock.adjust(1)
      assert.strictEqual(second.accepted.state, "closed")
      yield* turns
      assert.strictEqual(first.closedBy?._tag, "TooManyConnections")
      assert.deepInclude(world.stats.snapshot(), { waiting: 0, refused: { TooManyConnections: 2 } })
      assert.strictEqual(world.timers.size(), 0)
    })
  )

  it.effect("they wait 10 seconds unless it is given", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      world.connect("a")
      const waiting = world.connect("b")
      yield* TestClock.adjust(9_999)
      assert.strictEqual(waiting.accepted.state, "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(waiting.accepted.state, "closed")
    })
  )

  it.effect("who vanished while waiting is skipped, and was not refused", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      world.connect("a")
      const vanished = ["b", "c"].map((name) => world.connect(name))
      world.connect("d")
      for (const caller of vanished) caller.transport.destroy()
      world.finish("a")
      assert.deepStrictEqual(world.served, ["a", "d"])
      assert.deepInclude(world.stats.snapshot(), { waiting: 0, accepted: 2, refused: {} })
    })
  )

  it.effect("who vanished while waiting leaves its place in the waiting room to others", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1, maxWaiting: 2, waitTimeout: "3 seconds" })
      world.connect("a")
      const vanished = ["b", "c"].map((name) => world.connect(name))
      for (const caller of vanished) caller.transport.destroy()
      yield* turns
      assert.strictEqual(world.stats.snapshot().waiting, 0)
      assert.strictEqual(world.timers.size(), 0)
      const next = world.connect("d")
      assert.strictEqual(next.accepted.state, "open")
      yield* TestClock.adjust("3 seconds")
      yield* turns
      assert.strictEqual(next.closedBy?._tag, "TooManyConnections")
      assert.deepInclude(world.stats.snapshot(), { waiting: 0, refused: { TooManyConnections: 1 } })
    })
  )

  it.effect("`stop` refuses those that wait, keeps those that are served, and closes the listener", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      const a = world.connect("a")
      const waiting = ["b", "c"].map((name) => world.connect(name))
      yield* world.loop.stop
      yield* turns
      for (const caller of waiting) assert.strictEqual(caller.closedBy?._tag, "TooManyConnections")
      assert.strictEqual(a.accepted.state, "open")
      assert.strictEqual(world.listenerCloses, 1)
      assert.deepInclude(world.stats.snapshot(), { waiting: 0, refused: { TooManyConnections: 2 } })
      assert.strictEqual(world.timers.size(), 0)
      world.finish("a")
      assert.deepStrictEqual(world.served, ["a"])
    })
  )

  it.effect("while the server drains, what still comes is refused", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make()
      world.connect("a")
      const draining = yield* Effect.forkChild(world.drain.run(world.loop.stop), { startImmediately: true })
      yield* TestClock.adjust(0)
      const late = world.connect("b")
      yield* turns
      assert.strictEqual(late.closedBy?._tag, "TooManyConnections")
      assert.deepStrictEqual(world.served, ["a"])
      assert.deepStrictEqual(world.told, ["a drain"])
      world.finish("a")
      assert.deepStrictEqual(yield* Fiber.join(draining), { finished: 1, interrupted: 0, cut: 0 })
    })
  )

  it.effect("what the listener itself refused is counted by its reason", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make()
      const refuse = (reason: TransportError.Reason) =>
        world.acceptor!.onRefused(TransportError.make(reason), undefined)
      refuse(new TransportError.TlsHandshakeTimeout(10))
      refuse(new TransportError.ProxyHeaderInvalid("none"))
      refuse(new TransportError.TlsHandshakeTimeout(10))
      assert.deepStrictEqual(world.stats.snapshot().refused, { TlsHandshakeTimeout: 2, ProxyHeaderInvalid: 1 })
      assert.strictEqual(world.stats.snapshot().accepted, 0)
    })
  )

  it.effect("a session that says twice that it is finished frees one place", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      for (const name of ["a", "b", "c"]) world.connect(name)
      world.finish("a")
      world.finish("a")
      assert.deepStrictEqual(world.served, ["a", "b"])
      assert.deepStrictEqual(world.stats.snapshot().closed, { Finished: 1 })
    })
  )

  it.effect("a session that is finished within its own beginning is no member", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      yield* world.loop.start((transport, finished) => {
        const member = world.serve(transport, finished)
        finished("Finished")
        return member
      })
      world.connect("a")
      world.connect("b")
      assert.deepStrictEqual(world.stats.snapshot().closed, { Finished: 2 })
      assert.strictEqual(world.drain.size(), 0)
    })
  )

  it.effect("a connection that is gone already when it is accepted is served to its end", () =>
    Effect.gen(function* () {
      const world = yield* AcceptWorld.make({ maxConnections: 1 })
      const gone = new AcceptWorld.Caller("gone", "192.0.2.1")
      gone.transport.destroy()
      yield* turns
      assert.strictEqual(gone.accepted.state, "closed")
      world.offer(gone)
      assert.deepStrictEqual(world.served, ["gone"])
      assert.deepInclude(world.stats.snapshot(), { open: 0, accepted: 1 })
      world.connect("a")
      world.finish("gone")
      assert.deepStrictEqual(world.served, ["gone", "a"])
    })
  )

  it("limits that make no sense are mistakes", () => {
    for (const options of [{ maxConnections: 0 }, { maxWaiting: -1 }, { waitTimeout: 0 }]) {
      assert.throws(() => new AcceptWorld.AcceptWorld(undefined as never, options), RangeError)
    }
  })
})

/** What must be true of an accept loop, in the simplest words: lists of names. */
class Model {
  readonly serving: Array<string> = []
  readonly waiting: Array<string> = []
  accepted = 0
  refused = 0
  private readonly maxConnections: number
  private readonly maxWaiting: number

  constructor(maxConnections: number, maxWaiting: number) {
    this.maxConnections = maxConnections
    this.maxWaiting = maxWaiting
  }

  connect(name: string): void {
    if (this.serving.length < this.maxConnections) this.admit(name)
    else if (this.waiting.length < this.maxWaiting) this.waiting.push(name)
    else this.refused++
  }

  finish(name: string): void {
    this.serving.splice(this.serving.indexOf(name), 1)
    const next = this.waiting.shift()
    if (next !== undefined) this.admit(next)
  }

  vanish(name: string): void {
    this.waiting.splice(this.waiting.indexOf(name), 1)
  }

  private admit(name: string): void {
    this.accepted++
    this.serving.push(name)
  }
}

describe("laws", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it.effect(`after 1,000 connects and closes in random order nothing has leaked (seed ${seed})`, () =>
      Effect.gen(function* () {
        const random = new SeededRandom(seed)
        const [maxConnections, maxWaiting] = [1 + random.below(20), random.below(20)]
        const world = yield* AcceptWorld.make({ maxConnections, maxWaiting, maxConnectionsPerAddress: 1_000 })
        const model = new Model(maxConnections, maxWaiting)
        const callers = new Map<string, AcceptWorld.Caller>()
        const check = () => {
          const { open, waiting, accepted, refused } = world.stats.snapshot()
          assert.deepStrictEqual(
            { open, waiting, accepted, refused: refused.TooManyConnections ?? 0 },
            {
              open: model.serving.length,
              waiting: model.waiting.length,
              accepted: model.accepted,
              refused: model.refused
            }
          )
          assert.strictEqual(world.drain.size(), model.serving.length)
        }
        const finish = Effect.fnUntraced(function* (name: string) {
          callers.get(name)!.transport.destroy()
          yield* turns
          world.finish(name)
          model.finish(name)
        })
        for (let count = 0; count < 1_000; ) {
          const step = random.below(10)
          if (step < 6) {
            const name = `caller ${count++}`
            callers.set(name, world.connect(name, `192.0.2.${random.below(4)}`))
            model.connect(name)
          } else if (step < 8 && model.waiting.length > 0) {
            const name = random.pick(model.waiting)
            callers.get(name)!.transport.destroy()
            yield* turns
            model.vanish(name)
          } else if (model.serving.length > 0) {
            yield* finish(random.pick(model.serving))
          }
          check()
        }
        while (model.serving.length > 0) yield* finish(random.pick(model.serving))
        check()
        assert.strictEqual(world.timers.size(), 0)
        assert.strictEqual([...callers.values()].filter((caller) => caller.accepted.state === "open").length, 0)
      })
    )
  }

  it.effect("a crowd at a server of two places leaves nothing behind", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(() => Effect.void, { maxConnections: 2, maxWaiting: 100 })
        track(world)
        const random = new SeededRandom(4)
        const peers = yield* Effect.forEach(Array.from({ length: 60 }), () => world.peer())
        for (const peer of peers) {
          if (random.below(2) === 0) peer.transport.end()
          else peer.transport.destroy()
          if (random.below(3) === 0) yield* turns
        }
        yield* turns
        const { open, waiting, accepted, refused } = yield* world.server.stats
        assert.deepStrictEqual({ open, waiting, refused }, { open: 0, waiting: 0, refused: {} })
        assert.isAtMost(accepted, 60)
      })
    )
  )
})
