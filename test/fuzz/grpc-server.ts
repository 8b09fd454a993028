/**
 * Has a gRPC server in memory called by clients that are right, wrong, slow and
 * gone, for as long as you like:
 *
 * ```sh
 * npm run fuzz:grpc-server -- [seconds, default 60] [seed]
 * ```
 *
 * Calls of all kinds, of gRPC, grpc-web and Connect, each with a mistake or
 * none, cut and mixed at random, with handlers that answer, fail, die, hang and
 * are interrupted. Each call ends once, as its plan says; one that is reset or
 * whose client is gone has its handler interrupted; and behind a round no call
 * is counted, no handler, timer or fiber runs, no transport is open, and
 * nothing was logged that was not provoked. A failure prints the seed of its
 * round, with which it can be run again.
 */
import * as Assert from "node:assert/strict"
import type { GrpcObserver } from "@sluice/core/grpc/GrpcObserver"
import * as Connect from "@sluice/core/grpc/server/Connect"
import { GrpcDoor } from "@sluice/core/grpc/server/GrpcDoor"
import * as GrpcWeb from "@sluice/core/grpc/server/GrpcWeb"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"
import { turns } from "../harness/TransportContract.ts"
import * as FuzzRun from "./FuzzRun.ts"
import { Caller } from "./GrpcCaller.ts"
import * as Plan from "./GrpcPlan.ts"
import * as Words from "./GrpcWords.ts"
import { Random } from "./Http2Traffic.ts"

/** The doors of a round, which nobody sees from outside. */
const doors = new Set<GrpcDoor>()
const { serve } = GrpcDoor.prototype
GrpcDoor.prototype.serve = function (exchange) {
  doors.add(this)
  return serve.call(this, exchange)
}

class Watch implements GrpcObserver {
  openCount = 0
  endedCount = 0
  onStart(): void {
    this.openCount++
  }
  onEnd(): void {
    this.openCount--
    this.endedCount++
  }
}

const options = (random: Random, watch: Watch) => ({
  wires: [GrpcWeb.make(), Connect.make()],
  maxReceiveMessageSize: Plan.maxReceiveBytes,
  observers: random.chance(4) ? [] : [Effect.succeed(watch)],
  compression: random.pick([[], ["gzip"], ["zstd", "deflate"]]),
  interceptors: random.chance(3)
    ? [<E, R>(_: unknown, handled: Effect.Effect<void, E, R>) => Effect.andThen(Effect.yieldNow, handled)]
    : []
})

const round = (seed: number) =>
  Effect.gen(function* () {
    const random = new Random(seed)
    const tally = new Words.Tally()
    const watch = new Watch()
    const logs = new LogRecorder()
    let callCount = 0
    doors.clear()
    yield* MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make(Words.layer(tally), options(random, watch), { drainTimeout: "10 seconds" })
        track(world)
        const callers: Array<Caller> = []
        for (let count = 1 + random.below(3); count > 0; count--) {
          const transport = yield* world.network.dial(MemoryWorld.target)
          callers.push(
            new Caller(
              transport,
              random,
              random.list(random.pick([3, 20]), () => Plan.make(random))
            )
          )
        }
        callCount = yield* converse(random, callers)
        const isStopped = random.chance(6)
        if (isStopped) {
          const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
          yield* moments(12_000, 4)
          yield* Fiber.join(stopping)
        } else yield* come(random, world, callers)
        yield* turns
        for (const door of doors) Assert.equal(Reflect.get(door, "callCount"), 0, "calls that are counted")
        Assert.equal(tally.liveCount, 0, "handlers that run")
        Assert.equal(watch.openCount, 0, "calls that are observed")
        for (const { failure } of callers) if (failure !== undefined) throw failure
      })
    ).pipe(logs.listen)
    const odd = logs.entries.filter(
      ({ error, level, message }) =>
        (level === "Warn" && !message.startsWith("Server drained")) ||
        (level === "Error" &&
          !/provoked|encoded|cannot be sent|above the \d+ bytes that the peer takes/.test(String(error)))
    )
    Assert.deepEqual(odd, [], "what was logged")
    Assert.ok(odd.length <= tally.provokedCount)
    return callCount
  }).pipe(Effect.provide(NodeGrpcCompression.layer()), Effect.provide(TestClock.layer()))

/** Moves the clock, in so many parts. */
const moments = (millis: number, count: number) =>
  Effect.gen(function* () {
    for (let left = count; left > 0; left--) {
      yield* TestClock.adjust(millis / count)
      yield* turns
    }
  })

const converse = (random: Random, callers: ReadonlyArray<Caller>) =>
  Effect.gen(function* () {
    for (let steps = random.pick([20, 100, 300]); steps > 0; steps--) {
      random.pick(callers).act()
      if (random.chance(4)) yield* Effect.yieldNow
      if (random.chance(20)) yield* turns
      if (random.chance(30)) yield* TestClock.adjust(random.pick([1, 20, 100]))
      if (random.chance(300)) random.pick(callers).leave()
    }
    return callers.reduce((sum, { calls }) => sum + calls.filter(({ sentBytes }) => sentBytes >= 0).length, 0)
  })

/** All that is still to come, comes; who has no end by itself is left. */
const come = (random: Random, world: World.World, callers: ReadonlyArray<Caller>) =>
  Effect.gen(function* () {
    yield* turns
    for (const caller of callers) caller.settle()
    yield* turns
    for (const caller of callers) caller.settle()
    yield* moments(3_000, 3)
    for (const caller of callers) {
      for (const call of caller.calls) {
        if (call.isLeft) continue
        Assert.ok(!caller.isClosed, `the connection is over: ${caller.farewell}`)
        const { about, expected } = call.plan
        if (call.isOver) {
          const allowed =
            caller.isNarrow ||
            (expected.length === 0 ? call.outcome.startsWith("grpc") : expected.includes(call.outcome))
          Assert.ok(allowed, `${call.outcome} for ${about}, not ${expected.join(" or ")}: ${call.heads.join(" | ")}`)
        } else Assert.equal(expected.length, 0, `no end of ${about}, but ${expected.join(" or ")}`)
      }
    }
    const answer = yield* World.call(world, "/hello.Greeter/SayHello", World.text("ok"))
    Assert.equal(answer.code, "0", "a good client is served")
    for (const caller of callers) {
      if (random.chance(2)) for (const call of caller.calls.slice(0, 8)) caller.reset(call)
      if (random.chance(2)) yield* turns
      caller.leave()
    }
    yield* turns
  })

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => Effect.runPromise(Effect.scoped(round(seed))))
