import { assert, describe, it } from "@effect/vitest"
import type { GrpcChannelConnector } from "@sluice/core/grpc/client/GrpcChannelConnector"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as World from "../../../harness/GrpcChannelWorld.ts"
import * as Wire from "../../../harness/Http2Wire.ts"
import { turns } from "../../../harness/TransportContract.ts"

const backoff = Schedule.spaced(300)

describe("dialing", () => {
  it.effect("gRPC connection-backoff: 1 s, 1.6 times as much each time, at most 120 s", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ idleTimeout: "unbounded" })
      world.at("a").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a"))
      yield* World.called(channel, "/1", { waitForReady: true })
      const delays = [1000, 1600, 2560, 4096, 6554, 10_486]
      for (const delay of delays) yield* World.adjust(delay)
      const dialed = world.at("a").dialedMillis
      assert.deepStrictEqual(
        dialed.slice(1).map((millis, index) => millis - dialed[index]!),
        delays
      )
      for (let step = 0; step < 40; step++) yield* World.adjust(60_000)
      assert.deepStrictEqual(dialed.at(-1)! - dialed.at(-2)!, 120_000)
      world.at("a").conduct = "up"
      yield* World.adjust(120_000)
      assert.strictEqual(yield* channel.state, "Ready")
      world.at("a").conduct = "refuse"
      world.at("a").last.transport.destroy()
      yield* turns
      const before = dialed.length
      yield* World.called(channel, "/2")
      yield* World.adjust(1000)
      assert.strictEqual(dialed.length - before, 2)
    }).pipe(World.even)
  )
})

describe("places", () => {
  it.effect("a further connection is made when those that are there are full, up to maxConnections", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 2 })
      const channel = yield* World.channel(world, World.targets("a"), { maxConnections: 3 })
      const calls: Array<World.Heard> = []
      for (let index = 0; index < 8; index++) calls.push(yield* World.called(channel, `/${index}`))
      assert.strictEqual(world.at("a").servers.length, 3)
      assert.deepInclude(yield* channel.stats, { openCount: 6, waitingCount: 2, connectionCount: 3 })
      for (const request of world.at("a").requests) request.respond(200)
      yield* turns
      assert.deepInclude(yield* channel.stats, { openCount: 2, waitingCount: 0, connectionCount: 3 })
      for (const request of world.at("a").requests) if (request.over === undefined) request.respond(200)
      yield* turns
      calls.forEach(World.succeeded)
    })
  )

  it.effect("a burst gets all connections, one after the other", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const channel = yield* World.channel(world, World.targets("a"))
      for (let index = 0; index < 6; index++) World.call(channel, `/${index}`)
      yield* turns
      yield* turns
      assert.deepInclude(yield* channel.stats, { openCount: 4, waitingCount: 2, connectionCount: 4 })
    })
  )

  it.effect("a further connection that is under way becomes the only one when the others go away", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const channel = yield* World.channel(world, World.targets("a"))
      yield* World.called(channel, "/1")
      world.at("a").dialMillis = 500
      yield* World.called(channel, "/2")
      world.at("a").last.drain()
      yield* turns
      assert.strictEqual(yield* channel.state, "Connecting")
      yield* World.adjust(500)
      assert.strictEqual(yield* channel.state, "Ready")
      assert.strictEqual(world.at("a").dialedMillis.length, 2)
      assert.deepStrictEqual(world.at("a").paths, ["/1", "/2"])
    })
  )

  it.effect("of several servers that are full, one gets a further connection at a time", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      for (const path of ["/1", "/2"]) yield* World.called(channel, path)
      for (const host of ["a", "b"]) world.at(host).conduct = "hang"
      yield* World.called(channel, "/3")
      yield* World.called(channel, "/4")
      assert.strictEqual((yield* channel.stats).connectionCount, 3)
    })
  )

  it.effect("one that fails is tried again by the backoff, and those that are there stay", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const channel = yield* World.channel(world, World.targets("a"))
      yield* World.called(channel, "/1")
      world.at("a").conduct = "refuse"
      const second = yield* World.called(channel, "/2")
      assert.strictEqual(yield* channel.state, "Ready")
      assert.isFalse(second.isOver)
      yield* World.called(channel, "/3")
      assert.strictEqual(world.at("a").dialedMillis.length, 2)
      world.at("a").conduct = "up"
      yield* World.adjust(1000)
      assert.strictEqual((yield* channel.stats).openCount, 3)
    }).pipe(World.even)
  )

  it.effect("a server that takes no calls for now keeps them waiting", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      const channel = yield* World.channel(world, World.targets("a"), { maxConnections: 1 })
      const heard = yield* World.called(channel, "/2", { rest: "open" })
      const [server] = world.at("a").mutes
      server!.write(Wire.wire(Wire.settings({ MAX_CONCURRENT_STREAMS: 0 })))
      yield* turns
      assert.strictEqual(yield* channel.state, "Ready")
      assert.deepStrictEqual(heard.events, [])
      server!.write(Wire.wire(Wire.settings({ MAX_CONCURRENT_STREAMS: 1 })))
      yield* turns
      assert.deepStrictEqual(heard.events, ["writable"])
    })
  )
})

describe("a server that ends each connection before it takes a call", () => {
  const useless = Wire.wire(Wire.settings({ MAX_CONCURRENT_STREAMS: 0 }), Wire.goAway(0, "NO_ERROR"))

  for (const balancing of ["pick_first", "round_robin", "least_loaded"] as const) {
    it.effect(`${balancing}: is not dialed in a rush`, () =>
      Effect.gen(function* () {
        const world = yield* World.make()
        const place = world.at("a")
        place.conduct = "mute"
        const channel = yield* World.channel(world, World.targets("a"), { balancing, maxConnections: 1 })
        const heard = yield* World.called(channel, "/1", { waitForReady: true })
        for (let millis = 0; millis < 3500; millis += 100) {
          for (const far of place.mutes.splice(0)) far.write(useless)
          yield* turns
          yield* World.adjust(100)
        }
        assert.deepStrictEqual(place.dialedMillis, [0, 1000, 2000, 3000])
        place.conduct = "up"
        yield* World.adjust(1000)
        World.succeeded(heard)
      })
    )
  }

  it.effect("pick_first: does not hold up the next", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      const channel = yield* World.channel(world, World.targets("a", "b"), { maxConnections: 1 })
      const heard = yield* World.called(channel, "/1")
      world.at("a").mutes[0]!.write(useless)
      yield* turns
      World.succeeded(heard)
      assert.strictEqual(world.at("b").requests.length, 1)
    })
  )

  it.effect("a further connection is not dialed in a rush either", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 1 })
      const place = world.at("a")
      const channel = yield* World.channel(world, World.targets("a"), { maxConnections: 2 })
      const calls = [yield* World.called(channel, "/1")]
      place.conduct = "mute"
      calls.push(yield* World.called(channel, "/2"))
      for (let millis = 0; millis < 2500; millis += 100) {
        for (const far of place.mutes.splice(0)) far.write(useless)
        yield* turns
        yield* World.adjust(100)
      }
      assert.deepStrictEqual(place.dialedMillis, [0, 0, 1000, 2000])
      place.last.last.respond(200)
      yield* turns
      place.last.last.respond(200)
      yield* turns
      calls.forEach(World.succeeded)
    })
  )
})

describe("gRPC proposal A8: a server that is asked too often", () => {
  it.effect("is asked half as often from then on", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"), { pingInterval: "1 minute" })
      const connector = channel.connector as GrpcChannelConnector
      const intervals = () => [...connector.connections].map(({ session }) => session!.engine.limits.pingIntervalMillis)
      World.succeeded(yield* World.called(channel, "/1"))
      assert.deepStrictEqual(intervals(), [60_000])
      for (const [debug, intervalMillis] of [
        ["too_many_pings", 120_000],
        ["too_many_pings", 240_000],
        ["something else", 240_000]
      ] as const) {
        world.at("a").last.close(11, debug)
        yield* turns
        World.succeeded(yield* World.called(channel, "/2"))
        assert.deepStrictEqual(intervals(), [intervalMillis])
      }
    })
  )
})

describe("idle", () => {
  it.effect("a connection without calls is closed, and the next call makes another", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ idleTimeout: "unbounded" })
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      yield* World.called(channel, "/1")
      yield* World.adjust(30 * 60_000 - 1)
      assert.strictEqual(yield* channel.state, "Ready")
      yield* World.adjust(1)
      assert.strictEqual(yield* channel.state, "Idle")
      yield* World.adjust(60_000)
      assert.strictEqual(world.network.openCount(), 0)
      assert.strictEqual(world.at("a").dialedMillis.length, 1)
      const connector = channel.connector as GrpcChannelConnector
      connector.setEndpoints(World.targets("a", "b", "c").map((target) => ({ target })))
      yield* turns
      assert.deepStrictEqual(world.at("c").dialedMillis, [])
      World.succeeded(yield* World.called(channel, "/2"))
      assert.strictEqual(world.at("a").dialedMillis.length, 2)
      assert.strictEqual(world.at("b").dialedMillis.length, 2)
    })
  )

  it.effect("a server that cannot be reached is not tried for ever when nobody calls", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a"), { idleTimeout: "10 minutes" })
      yield* World.called(channel, "/1")
      for (let minute = 0; minute < 20; minute++) yield* World.adjust(60_000)
      assert.strictEqual(yield* channel.state, "Idle")
      const { length } = world.at("a").dialedMillis
      for (let minute = 0; minute < 20; minute++) yield* World.adjust(60_000)
      assert.strictEqual(world.at("a").dialedMillis.length, length)
      world.at("a").conduct = "up"
      World.succeeded(yield* World.called(channel, "/2"))
    })
  )

  it.effect("round_robin: a server that is lost is connected to again without a call, but not in a rush", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"), { balancing: "round_robin" })
      yield* World.called(channel, "/1")
      world.at("a").last.transport.destroy()
      yield* turns
      assert.strictEqual(world.at("a").dialedMillis.length, 1)
      yield* World.adjust(1000)
      assert.strictEqual(world.at("a").dialedMillis.length, 2)
      yield* World.adjust(5000)
      yield* World.called(channel, "/2")
      world.at("a").last.transport.destroy()
      yield* turns
      assert.strictEqual(world.at("a").dialedMillis.length, 3)
    })
  )

  it.effect("round_robin: a call does not wait for that", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"), { balancing: "round_robin" })
      yield* World.called(channel, "/1")
      world.at("a").last.transport.destroy()
      yield* turns
      World.succeeded(yield* World.called(channel, "/2"))
    })
  )

  it.effect("round_robin: a server that could not be reached is tried by its backoff, also if that is shorter", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "refuse"
      const channel = yield* World.channel(world, World.targets("a"), { balancing: "round_robin", backoff })
      yield* World.called(channel, "/1")
      yield* World.adjust(300)
      assert.deepStrictEqual(world.at("a").dialedMillis, [0, 300])
    })
  )

  it.effect("round_robin: when all have ended idle connections, a new one is left alone too", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, World.targets("a"), { balancing: "round_robin" })
      yield* World.called(channel, "/1")
      for (let minute = 0; minute < 5; minute++) yield* World.adjust(60_000)
      assert.strictEqual(yield* channel.state, "Idle")
      const connector = channel.connector as GrpcChannelConnector
      connector.setEndpoints(World.targets("a", "b").map((target) => ({ target })))
      yield* World.adjust(1000)
      assert.deepStrictEqual(world.at("b").dialedMillis, [])
      World.succeeded(yield* World.called(channel, "/2"))
      assert.strictEqual(world.at("b").dialedMillis.length, 1)
    })
  )

  it.effect("round_robin: servers that end idle connections are left alone until the next call", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("b").options = { idleTimeout: "unbounded" }
      const channel = yield* World.channel(world, World.targets("a", "b"), { balancing: "round_robin" })
      for (const path of ["/1", "/2"]) yield* World.called(channel, path)
      for (let minute = 0; minute < 25; minute++) yield* World.adjust(60_000)
      const { length } = world.at("a").dialedMillis
      assert.strictEqual(length, 2)
      World.succeeded(yield* World.called(channel, "/3"))
      for (const path of ["/4", "/5"]) World.succeeded(yield* World.called(channel, path))
      assert.strictEqual(world.at("a").dialedMillis.length, 3)
      assert.strictEqual(world.at("a").last.requests.length, 1)
    })
  )
})
