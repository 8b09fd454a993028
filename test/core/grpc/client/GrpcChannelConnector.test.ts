import { assert, describe, it } from "@effect/vitest"
import type { GrpcChannelConnector } from "@sluice/core/grpc/client/GrpcChannelConnector"
import type { Balancing } from "@sluice/core/grpc/client/GrpcPicker"
import * as Effect from "effect/Effect"
import * as World from "../../../harness/GrpcChannelWorld.ts"
import { turns } from "../../../harness/TransportContract.ts"

describe("while a server is connected to", () => {
  it.effect("calls wait in their order, and go out when its SETTINGS have come", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"))
      const calls = ["/1", "/2", "/3"].map((path) => World.call(channel, path))
      assert.strictEqual(yield* channel.state, "Connecting")
      assert.deepInclude(yield* channel.stats, { waitingCount: 3, openCount: 0, connectionCount: 1 })
      yield* turns
      calls.forEach(World.succeeded)
      assert.deepStrictEqual(world.at("a").paths, ["/1", "/2", "/3"])
    })
  )

  it.effect("a call that is given up is not sent", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"))
      const left = World.call(channel, "/left")
      const stayed = World.call(channel, "/stayed")
      left.stream!.reset(8)
      assert.deepInclude(left.failure, { _tag: "Cancelled", retry: "NotSent" })
      yield* turns
      World.succeeded(stayed)
      assert.deepStrictEqual(world.at("a").paths, ["/stayed"])
    })
  )

  it.effect("so many calls wait, and so long", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "hang"
      const options = { maxWaiting: 2, waitTimeout: 5000 }
      const channel = yield* World.channel(world, World.targets("a"), options)
      const first = World.call(channel, "/1")
      const patient = World.call(channel, "/2", { waitForReady: true })
      const tooMany = World.call(channel, "/3")
      assert.deepInclude(World.reasonOf(tooMany), { _tag: "ResourceExhausted", fault: "limit", retry: "NotSent" })
      yield* World.adjust(4999)
      assert.isFalse(first.isOver)
      yield* World.adjust(1)
      assert.deepInclude(World.reasonOf(first), { _tag: "Unavailable", fault: "limit", retry: "NotSent" })
      assert.isFalse(patient.isOver)
      assert.strictEqual((yield* channel.stats).waitingCount, 1)
    })
  )
})

describe("gRPC wait-for-ready: while no server can be reached", () => {
  it.effect("calls fail at once, but those that wait for ready", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a"))
      const fast = World.call(channel, "/fast")
      const patient = World.call(channel, "/patient", { waitForReady: true, rest: "open" })
      yield* turns
      assert.deepInclude(World.reasonOf(fast), { _tag: "Unavailable", fault: "transport", retry: "NotSent" })
      const again = World.call(channel, "/again")
      assert.include(World.reasonOf(again).message, "a:50051")
      assert.deepStrictEqual(again.events, ["refused"], "its receiver hears nothing")
      world.at("a").conduct = "up"
      assert.deepStrictEqual(patient.events, [])
      yield* World.adjust(999)
      assert.deepStrictEqual(patient.events, [])
      yield* World.adjust(1)
      assert.deepStrictEqual(patient.events, ["writable"])
      patient.stream!.end(undefined)
      yield* turns
      World.succeeded(patient)
      World.succeeded(yield* World.called(channel, "/now"))
    }).pipe(World.even)
  )

  it.effect("A62: it stays so while it is tried again", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a"))
      yield* World.called(channel, "/1")
      world.at("a").conduct = "hang"
      yield* World.adjust(1000)
      assert.strictEqual(world.at("a").dialedMillis.length, 2)
      assert.strictEqual(yield* channel.state, "TransientFailure")
      assert.strictEqual(World.reasonOf(World.call(channel, "/2"))._tag, "Unavailable")
    }).pipe(World.even)
  )
})

describe("several servers", () => {
  for (const balancing of ["pick_first", "round_robin", "least_loaded"] as const) {
    it.effect(`${balancing}: one that is dead fails no call`, () =>
      Effect.gen(function* () {
        const world = yield* World.make()
        world.at("a").conduct = "refuse"
        const channel = yield* World.channel(world, World.targets("a", "b"), { balancing })
        for (const path of ["/1", "/2", "/3", "/4"]) World.succeeded(yield* World.called(channel, path))
        assert.deepStrictEqual(world.at("b").paths, ["/1", "/2", "/3", "/4"])
        assert.strictEqual(yield* channel.state, "Ready")
      })
    )

    it.effect(`${balancing}: a rolling restart under load loses no call`, () => rollingRestart(balancing))
  }

  it.effect("pick_first: the first that can be reached gets all, and no other is connected to", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a", "b"))
      for (const path of ["/1", "/2"]) World.succeeded(yield* World.called(channel, path))
      assert.deepStrictEqual(world.at("a").paths, ["/1", "/2"])
      assert.deepStrictEqual(world.at("b").dialedMillis, [])
      world.at("a").restart()
      yield* turns
      assert.strictEqual(yield* channel.state, "Idle")
      World.succeeded(yield* World.called(channel, "/3"))
      assert.deepStrictEqual(world.at("b").paths, ["/3"])
    })
  )

  it.effect("pick_first: when all have failed each is tried by its own backoff, and the first that is there wins", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const host of ["a", "b"]) world.at(host).conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a", "b"))
      const patient = yield* World.called(channel, "/1", { waitForReady: true })
      world.at("b").conduct = "up"
      world.at("a").conduct = "hang"
      yield* World.adjust(1000)
      World.succeeded(patient)
      assert.deepStrictEqual(world.at("b").paths, ["/1"])
      assert.strictEqual((yield* channel.stats).connectionCount, 1, "the other attempt is given up")
      const { length } = world.at("a").dialedMillis
      yield* World.adjust(60_000)
      assert.strictEqual(world.at("a").dialedMillis.length, length)
    }).pipe(World.even)
  )

  it.effect("A61: pick_first: one that does not answer for 250 ms does not hold up the next", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ idleTimeout: "unbounded" })
      for (const host of ["a", "b"]) world.at(host).conduct = "hang"
      const channel = yield* World.channel(world, World.targets("a", "b", "c"))
      const heard = yield* World.called(channel, "/1")
      yield* World.adjust(249)
      assert.deepStrictEqual(world.at("b").dialedMillis, [])
      yield* World.adjust(250)
      assert.deepStrictEqual(world.at("b").dialedMillis, [250])
      assert.deepStrictEqual(world.at("c").dialedMillis, [])
      yield* World.adjust(1)
      World.succeeded(heard)
      assert.deepStrictEqual(world.at("c").dialedMillis, [500])
      assert.strictEqual((yield* channel.stats).connectionCount, 1, "the other attempts are given up")
      yield* World.adjust(60_000)
      assert.strictEqual(world.at("a").dialedMillis.length, 1)
    })
  )

  it.effect("pick_first: one that has failed is tried again while another does not answer", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "refuse"
      world.at("b").conduct = "hang"
      const channel = yield* World.channel(world, World.targets("a", "b"))
      const heard = yield* World.called(channel, "/1")
      world.at("a").conduct = "up"
      yield* World.adjust(1000)
      World.succeeded(heard)
      assert.strictEqual((yield* channel.stats).connectionCount, 1)
    }).pipe(World.even)
  )

  it.effect("round_robin: each in its turn, and one that comes back is used again", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("b").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      yield* World.called(channel, "/1")
      world.at("b").conduct = "up"
      yield* World.adjust(1000)
      for (const path of ["/2", "/3", "/4", "/5"]) World.succeeded(yield* World.called(channel, path))
      assert.deepStrictEqual(world.at("a").paths.length, 3)
      assert.deepStrictEqual(world.at("b").paths.length, 2)
    }).pipe(World.even)
  )

  it.effect("least_loaded: the one with the fewest calls on their way", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold" })
      const channel = yield* World.channel(world, World.targets("a", "b"), {
        balancing: "least_loaded",
        connect: "eager"
      })
      yield* turns
      for (const path of ["/1", "/2", "/3", "/4"]) yield* World.called(channel, path)
      assert.strictEqual(world.at("a").paths.length, 2)
      for (const request of world.at("b").requests) request.respond(200)
      yield* turns
      for (const path of ["/5", "/6"]) yield* World.called(channel, path)
      assert.strictEqual(world.at("b").paths.length, 4)
    })
  )

  it.effect("an attempt goes besides that of another, where there is a choice", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold" })
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      const waited = yield* World.called(channel, "/1")
      const home = world.at("a").paths.length === 1 ? "a" : "b"
      const other = home === "a" ? "b" : "a"
      for (let index = 0; index < 3; index++) yield* World.called(channel, "/2", { besides: waited.stream })
      assert.strictEqual(world.at(other).paths.length, 3)
      const there = yield* World.called(channel, "/3", { besides: waited.stream })
      there.stream!.reset(8)
      yield* World.called(channel, "/4", { besides: there.stream })
      assert.deepStrictEqual(world.at(home).paths, ["/1", "/4"])
      world.at(other).restart()
      yield* turns
      yield* World.called(channel, "/5", { besides: waited.stream })
      assert.deepStrictEqual(world.at(home).paths, ["/1", "/4", "/5"])
    })
  )
})

/** Servers are restarted one after the other, each back for a moment before the next goes; calls are made all the while. */
const rollingRestart = (balancing: Balancing) =>
  Effect.gen(function* () {
    const world = yield* World.make()
    const channel = yield* World.channel(world, World.targets("a", "b"), { balancing })
    const calls: Array<World.Heard> = []
    const load = (count: number) =>
      Effect.gen(function* () {
        for (let index = 0; index < count; index++) {
          for (let each = 0; each < 3; each++) calls.push(World.call(channel, `/${calls.length}`))
          yield* Effect.yieldNow
        }
      })
    yield* load(5)
    for (let round = 0; round < 3; round++) {
      for (const host of ["a", "b"]) {
        const place = world.at(host)
        place.restart()
        yield* load(5)
        yield* World.adjust(round * 700)
        yield* load(5)
        place.conduct = "up"
        yield* load(2)
      }
    }
    yield* turns
    const failures = calls.filter((heard) => heard.failure !== undefined)
    // What a server has not looked at is tried again above the channel.
    for (const heard of failures) assert.strictEqual((heard.failure as { _tag: string })._tag, "RefusedByServer")
    assert.isTrue(calls.every((heard) => heard.isOver))
  }).pipe(World.even)

describe("going away", () => {
  it.effect("a call on its way finishes, and the next one goes to a new connection", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold" })
      const channel = yield* World.channel(world, World.targets("a"))
      const old = yield* World.called(channel, "/old")
      world.at("a").last.drain()
      yield* turns
      const next = yield* World.called(channel, "/next")
      assert.strictEqual(world.at("a").servers.length, 2)
      assert.strictEqual((yield* channel.stats).connectionCount, 2)
      for (const request of world.at("a").requests) request.respond(200)
      yield* turns
      World.succeeded(old)
      World.succeeded(next)
      assert.strictEqual((yield* channel.stats).connectionCount, 1)
    })
  )

  it.effect("RFC 9113 §6.8: a call that the server has not processed is refused, and may be made again at once", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold" })
      const channel = yield* World.channel(world, World.targets("a"))
      const seen = yield* World.called(channel, "/seen")
      const lost = World.call(channel, "/lost")
      const again = new World.Heard()
      const closed = lost.onClosed.bind(lost)
      lost.onClosed = (failure) => {
        closed(failure)
        const attempt = { path: "/again", headers: {}, body: undefined, rest: "whole", waitForReady: false } as const
        again.stream = channel.connector.openUnsafe(attempt, again) as never
      }
      // A GOAWAY that names the first stream as the last.
      world.at("a").last.raw(Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0))
      yield* turns
      assert.deepInclude(lost.failure, { _tag: "RefusedByServer", retry: "RefusedByServer" })
      assert.isFalse(seen.isOver)
      assert.strictEqual(world.at("a").servers.length, 2)
      world.at("a").last.last.respond(200)
      yield* turns
      World.succeeded(again)
    })
  )

  it.effect("calls that wait for a place move on to the next connection", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const channel = yield* World.channel(world, World.targets("a"), { maxConnections: 1 })
      const first = yield* World.called(channel, "/1")
      const second = yield* World.called(channel, "/2")
      assert.strictEqual((yield* channel.stats).waitingCount, 1)
      world.at("a").last.drain()
      yield* turns
      assert.deepStrictEqual(world.at("a").last.requests[0]?.head.path, "/2")
      for (const request of world.at("a").requests) request.respond(200)
      yield* turns
      World.succeeded(first)
      World.succeeded(second)
    })
  )
})

describe("the list of servers", () => {
  it.effect("one that is not in it any more finishes its calls", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold" })
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      const first = yield* World.called(channel, "/1")
      const second = yield* World.called(channel, "/2")
      const connector = channel.connector as GrpcChannelConnector
      connector.setEndpoints(World.targets("b", "c", "c").map((target) => ({ target })))
      yield* turns
      assert.strictEqual((yield* channel.stats).endpointCount, 2)
      assert.strictEqual(world.at("b").dialedMillis.length, 1)
      for (let index = 0; index < 4; index++) yield* World.called(channel, "/3")
      assert.strictEqual(world.at("a").paths.length, 1)
      assert.strictEqual(world.at("c").paths.length, 2)
      yield* World.adjust(60_000)
      for (const host of ["a", "b"]) for (const request of world.at(host).requests) request.respond(200)
      yield* turns
      World.succeeded(first)
      World.succeeded(second)
      assert.strictEqual(world.at("a").last.transport.state, "closed")
      connector.setEndpoints([])
      yield* turns
      assert.include(World.reasonOf(World.call(channel, "/4")).message, "empty")
      connector.setEndpoints(World.targets("d").map((target) => ({ target })))
      yield* turns
      yield* World.called(channel, "/5")
      assert.deepStrictEqual(world.at("d").paths, ["/5"])
    })
  )

  it.effect("one that is not in it any more is not waited for", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "hang"
      const channel = yield* World.channel(world, World.targets("a"))
      const heard = yield* World.called(channel, "/1")
      const connector = channel.connector as GrpcChannelConnector
      connector.setEndpoints(World.targets("b").map((target) => ({ target })))
      yield* turns
      World.succeeded(heard)
      assert.strictEqual((yield* channel.stats).connectionCount, 1)
    })
  )
})
