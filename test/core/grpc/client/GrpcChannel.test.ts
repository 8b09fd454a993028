import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import type * as GrpcConnectivity from "@sluice/core/grpc/client/GrpcConnectivity"
import * as GrpcResolver from "@sluice/core/grpc/client/GrpcResolver"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Dns from "effect/net/Dns"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcChannelWorld.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { turns } from "../../../harness/TransportContract.ts"

const target = { host: "a.test", port: 50_051 }

/** A channel in a scope that the test closes. */
const inScope = (world: World.World, servers: GrpcChannel.Servers, options?: GrpcChannel.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const channel = yield* GrpcChannel.make(servers, options).pipe(
      Effect.provideService(Dialer.Dialer, world.dialer),
      Scope.provide(scope)
    )
    const close = Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    return { channel, close }
  })

describe("options", () => {
  const wrong: ReadonlyArray<readonly [GrpcChannel.Options, string]> = [
    [{ compression: "br" }, 'compression: there is no compressor "br"'],
    [{ balancing: "ring" as never }, "balancing must be pick_first or round_robin or least_loaded, but is ring"],
    [{ maxConnections: 0 }, "maxConnections must be a whole number from 1 to 2^53 - 1, but is 0"]
  ]
  for (const [options, message] of wrong) {
    it.effect(`${JSON.stringify(options)} are a defect at the start`, () =>
      Effect.gen(function* () {
        const { dialer } = yield* World.make()
        const exit = yield* Effect.exit(
          Effect.scoped(Effect.provideService(GrpcChannel.make(target, options), Dialer.Dialer, dialer))
        )
        assert.deepStrictEqual(exit, Exit.die(new RangeError(message)))
      })
    )
  }
})

describe("one server", () => {
  it.effect("is connected to by the first call, once, and nothing is left behind", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make()
        track(world as never)
        const channel = yield* World.channel(world, target)
        assert.strictEqual(yield* channel.state, "Idle")
        assert.deepStrictEqual(world.at("a.test").dialedMillis, [])
        World.succeeded(yield* World.called(channel, "/a"))
        World.succeeded(yield* World.called(channel, "/b"))
        assert.strictEqual(yield* channel.state, "Ready")
        assert.strictEqual(world.at("a.test").dialedMillis.length, 1)
        const [first] = world.at("a.test").requests
        assert.deepInclude(first?.head, { method: "POST", scheme: "http", authority: "a.test:50051", path: "/a" })
      })
    )
  )

  it.effect("replies that nobody reads do not hold up other calls on the connection", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ conduct: "hold", sendTimeout: "unbounded" })
      const channel = yield* World.channel(world, target)
      const body = new Uint8Array(300_000)
      for (let index = 0; index < 6; index++) {
        const unread = yield* World.called(channel, `/${index}`)
        unread.stream = undefined
        world.at("a.test").last.last.respond(200, {}, body)
        yield* turns
        assert.notInclude(unread.events, "end")
      }
      const heard = yield* World.called(channel, "/small")
      world.at("a.test").last.last.respond(200, {}, "hello")
      yield* turns
      World.succeeded(heard)
    })
  )

  it.effect("eager: is connected to at once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, target, { connect: "eager", authority: "other.test" })
      yield* turns
      assert.strictEqual(yield* channel.state, "Ready")
      yield* World.called(channel, "/a")
      assert.strictEqual(world.at("a.test").last.last.head.authority, "other.test")
    })
  )

  it.effect("by its path", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const channel = yield* World.channel(world, { path: "/run/a.sock" })
      World.succeeded(yield* World.called(channel, "/a"))
      assert.strictEqual(world.at("unix:///run/a.sock").last.last.head.authority, "localhost")
    })
  )

  it.effect("as a layer, with what calls have", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const layer = GrpcChannel.layer(target, { timeout: 1000 }).pipe(
        Layer.provide(Layer.succeed(Dialer.Dialer, world.dialer))
      )
      const channel = Context.get(yield* Layer.build(layer), GrpcChannel.GrpcChannel)
      assert.strictEqual(channel.calls.timeoutMillis, 1000)
      assert.deepStrictEqual(yield* channel.stats, {
        state: "Idle",
        endpointCount: 1,
        connectionCount: 0,
        openCount: 0,
        waitingCount: 0
      })
    })
  )
})

describe("changes", () => {
  it.effect("are the state now and all that follow, and end with Shutdown", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { channel, close } = yield* inScope(world, target)
      const seen: Array<GrpcConnectivity.State> = []
      const fiber = yield* Stream.runForEach(channel.changes, (state) => Effect.sync(() => seen.push(state))).pipe(
        Effect.forkChild({ startImmediately: true })
      )
      world.at("a.test").conduct = "refuse"
      World.call(channel, "/a")
      yield* turns
      world.at("a.test").conduct = "up"
      yield* World.adjust(1000)
      world.at("a.test").last.transport.destroy()
      yield* turns
      yield* close
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["Idle", "Connecting", "TransientFailure", "Ready", "Idle", "Shutdown"])
    }).pipe(World.even)
  )
})

describe("the end of its scope", () => {
  it.effect("calls that wait are cancelled, and those on their way have the drainTimeout", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make({ conduct: "hold", maxConcurrentStreams: 2 })
        track(world as never)
        const { channel, close } = yield* inScope(world, target, { maxConnections: 1, drainTimeout: 3000 })
        const finishes = yield* World.called(channel, "/finishes")
        const hangs = yield* World.called(channel, "/hangs")
        const waits = yield* World.called(channel, "/waits", { waitForReady: true })
        const closing = yield* close
        yield* turns
        assert.deepInclude(World.reasonOf(waits), { _tag: "Cancelled", fault: "caller", retry: "NotSent" })
        assert.deepInclude(World.reasonOf(World.call(channel, "/late")), { _tag: "Cancelled", fault: "caller" })
        assert.strictEqual(yield* channel.state, "Shutdown")
        world.at("a.test").requests[0]?.respond(200)
        yield* turns
        World.succeeded(finishes)
        yield* World.adjust(2999)
        assert.isFalse(hangs.isOver)
        yield* World.adjust(1)
        assert.deepInclude(hangs.failure, { _tag: "SessionClosed" })
        yield* Fiber.join(closing)
      })
    )
  )

  const moments: ReadonlyArray<readonly [when: string, conduct: World.Conduct]> = [
    ["is dialed", "hang"],
    ["has not said its SETTINGS", "mute"],
    ["is left alone", "refuse"]
  ]
  for (const [when, conduct] of moments) {
    it.effect(`while a server ${when}, at once`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          const world = yield* World.make()
          track(world as never)
          world.at("a.test").conduct = conduct
          const { channel, close } = yield* inScope(world, target)
          const heard = yield* World.called(channel, "/a", { waitForReady: true })
          const closing = yield* close
          yield* turns
          assert.strictEqual(World.reasonOf(heard)._tag, "Cancelled")
          yield* Fiber.join(closing)
          for (const far of world.at("a.test").mutes) far.destroy()
          yield* turns
        })
      )
    )
  }

  it.effect("servers that drain are ended too", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make({ conduct: "hold" })
        track(world as never)
        const lists = yield* Queue.unbounded<ReadonlyArray<GrpcResolver.Endpoint>>()
        const { channel, close } = yield* inScope(world, GrpcResolver.make(Stream.fromQueue(lists)))
        yield* Queue.offer(lists, [{ target }])
        const hangs = yield* World.called(channel, "/hangs")
        yield* Queue.offer(
          lists,
          World.targets("b").map((one) => ({ target: one }))
        )
        yield* turns
        yield* World.adjust(600_000)
        assert.isFalse(hangs.isOver)
        const closing = yield* close
        yield* World.adjust(5000)
        assert.deepInclude(hangs.failure, { _tag: "SessionClosed" })
        yield* World.adjust(5000)
        yield* Fiber.join(closing)
      })
    )
  )
})

describe("a resolver", () => {
  it.effect("is asked with the first call, and calls wait for its list", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const lists = yield* Queue.unbounded<ReadonlyArray<GrpcResolver.Endpoint>>()
      let asked = 0
      const resolver = GrpcResolver.make(
        Stream.unwrap(
          Effect.sync(() => {
            asked++
            return Stream.fromQueue(lists)
          })
        )
      )
      const channel = yield* World.channel(world, resolver)
      yield* turns
      assert.strictEqual(asked, 0)
      const heard = yield* World.called(channel, "/a")
      assert.strictEqual(asked, 1)
      assert.strictEqual(yield* channel.state, "Connecting")
      assert.deepStrictEqual(heard.events, [])
      yield* Queue.offer(lists, [{ target, authority: "svc.test" }])
      yield* turns
      World.succeeded(heard)
      assert.strictEqual(world.at("a.test").last.last.head.authority, "svc.test")
    })
  )

  it.effect("by DNS: all addresses are servers; without any, calls fail and the name is looked up by the backoff", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ idleTimeout: "unbounded" })
      let zone: Dns.StaticZone = {}
      let lookups = 0
      const dns = Dns.make({
        lookup: (host) =>
          Effect.suspend(() => {
            lookups++
            return Effect.flatMap(Effect.fromResult(Dns.makeStatic(zone)), (fixed) => fixed.lookup(host))
          }).pipe(
            Effect.mapError(
              (cause) => new Dns.DnsError({ reason: "NotFound", method: "lookup", hostname: host, cause })
            )
          )
      })
      const channel = yield* Effect.provideService(
        World.channel(world, GrpcResolver.dns({ host: "svc.test", port: 50_051 }) as never, {
          balancing: "round_robin"
        }),
        Dns.Dns,
        dns
      )
      const heard = yield* World.called(channel, "/a")
      assert.include(World.reasonOf(heard).message, "no server is known")
      assert.strictEqual(yield* channel.state, "TransientFailure")
      const patient = yield* World.called(channel, "/b", { waitForReady: true })
      zone = { hosts: { "svc.test": ["10.0.0.1", "10.0.0.2"] } }
      yield* World.adjust(1000)
      World.succeeded(patient)
      for (let index = 0; index < 4; index++) World.succeeded(yield* World.called(channel, "/c"))
      assert.isNotEmpty(world.at("10.0.0.1").paths)
      assert.isNotEmpty(world.at("10.0.0.2").paths)
      // Its servers have moved: the lost connection has the name looked up again.
      zone = { hosts: { "svc.test": ["10.0.0.3"] } }
      for (const host of ["10.0.0.1", "10.0.0.2"]) world.at(host).restart()
      yield* turns
      yield* World.adjust(30_000)
      World.succeeded(yield* World.called(channel, "/d"))
      assert.deepStrictEqual(world.at("10.0.0.3").paths, ["/d"])
      assert.strictEqual(lookups, 3)
      yield* World.adjust(120_000)
      assert.strictEqual(lookups, 3, "nothing has failed since")
    }).pipe(World.even)
  )

  it.effect("that fails later leaves the servers that are known", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      let runs = 0
      const resolver = GrpcResolver.make(
        Stream.unwrap(
          Effect.sync(() => {
            runs++
            return Stream.concat(Stream.make([{ target }]), Stream.fail("the registry is gone"))
          })
        )
      )
      const channel = yield* World.channel(world, resolver)
      World.succeeded(yield* World.called(channel, "/a"))
      yield* TestClock.adjust("10 seconds")
      World.succeeded(yield* World.called(channel, "/b"))
      assert.strictEqual(world.at("a.test").dialedMillis.length, 1)
      assert.strictEqual(runs, 11, "each list begins the backoff anew")
    }).pipe(World.even)
  )

  it.effect("that fails is not asked for ever when nobody calls", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      let asked = 0
      const resolver = GrpcResolver.make(
        Stream.unwrap(
          Effect.sync(() => {
            asked++
            return Stream.fail("the registry is gone")
          })
        )
      )
      const channel = yield* World.channel(world, resolver, { idleTimeout: "10 minutes" })
      World.reasonOf(yield* World.called(channel, "/a"))
      for (let minute = 0; minute < 20; minute++) yield* World.adjust(60_000)
      assert.strictEqual(yield* channel.state, "Idle")
      const before = asked
      for (let minute = 0; minute < 20; minute++) yield* World.adjust(60_000)
      assert.strictEqual(asked, before)
      const heard = yield* World.called(channel, "/b")
      assert.strictEqual(asked, before + 1)
      assert.include(World.reasonOf(heard).message, "the registry is gone")
    }).pipe(World.even)
  )
})
