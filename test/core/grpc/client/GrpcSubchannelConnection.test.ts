import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcResolver from "@sluice/core/grpc/client/GrpcResolver"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as World from "../../../harness/GrpcChannelWorld.ts"
import { turns } from "../../../harness/TransportContract.ts"

/** A dialer of transports whose TLS agreed on `alpnProtocol`. */
const agreeing = (alpnProtocol: string | undefined) => {
  const dialed: Array<{ readonly options: Dialer.DialOptions | undefined; readonly transport: Transport }> = []
  const dialer = Dialer.Dialer.of({
    dial: (_, options) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const [transport] = MemoryTransport.pair()
          Object.defineProperty(transport, "tls", { value: { alpnProtocol } })
          dialed.push({ options, transport })
          return transport
        }),
        (transport) => Effect.sync(() => transport.destroy())
      )
  })
  return { dialed, dialer }
}

const over = (dialer: Dialer.Dialer["Service"], servers: GrpcChannel.Servers, options: GrpcChannel.Options) =>
  Effect.provideService(GrpcChannel.make(servers, options), Dialer.Dialer, dialer)

const named = GrpcResolver.fixed([{ target: { host: "10.0.0.1", port: 1 }, serverName: "svc.test" }])

describe("an attempt", () => {
  it.effect("a server that says nothing is given up after the connectTimeout", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      const channel = yield* World.channel(world, World.targets("a"), { connectTimeout: 7000 })
      const heard = yield* World.called(channel, "/1")
      yield* World.adjust(6999)
      assert.isFalse(heard.isOver)
      yield* World.adjust(1)
      assert.include(World.reasonOf(heard).message, "7000 ms")
      // Its time was longer than the delay, so the next attempt is under way.
      assert.deepStrictEqual(
        world.at("a").mutes.map((far) => far.state),
        ["closed", "open"]
      )
    })
  )

  it.effect("dialing is a part of that time", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      world.at("a").dialMillis = 5000
      const channel = yield* World.channel(world, World.targets("a"), { connectTimeout: 7000 })
      const heard = yield* World.called(channel, "/1")
      yield* World.adjust(5000)
      assert.strictEqual(world.at("a").mutes.length, 1)
      yield* World.adjust(1999)
      assert.isFalse(heard.isOver)
      yield* World.adjust(1)
      assert.isTrue(heard.isOver)
    })
  )

  it.effect("a server that hangs up before its SETTINGS could not be reached", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "mute"
      const channel = yield* World.channel(world, World.targets("a"))
      const heard = yield* World.called(channel, "/1")
      world.at("a").mutes[0]!.destroy()
      yield* turns
      assert.deepInclude(World.reasonOf(heard), { _tag: "Unavailable", fault: "transport", retry: "NotSent" })
      assert.strictEqual(yield* channel.state, "TransientFailure")
    })
  )

  it.effect("a dialer that is broken is a server that cannot be reached", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "die"
      const channel = yield* World.channel(world, World.targets("a"))
      const heard = yield* World.called(channel, "/1")
      assert.include(World.reasonOf(heard).message, "a broken dialer")
    })
  )

  it.effect("so is one that interrupts itself, and it is tried again", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      world.at("a").conduct = "interrupt"
      const channel = yield* World.channel(world, World.targets("a"))
      assert.isTrue((yield* World.called(channel, "/1")).isOver)
      world.at("a").conduct = "up"
      const waiting = yield* World.called(channel, "/2", { waitForReady: true })
      yield* World.adjust(1200)
      World.succeeded(waiting)
    })
  )
})

describe("TLS", () => {
  const names: ReadonlyArray<readonly [rule: string, own: string | undefined, asked: string | undefined]> = [
    ["asks for the name of the server", undefined, "svc.test"],
    ["asks for the channel's name where there is one", "own.test", "own.test"]
  ]
  for (const [rule, serverName, asked] of names) {
    it.effect(`${rule}, and for h2 alone`, () =>
      Effect.gen(function* () {
        const { dialed, dialer } = agreeing("h2")
        const tls = { serverName, alpnProtocols: ["http/1.1"] }
        const channel = yield* over(dialer, named, { tls, connectTimeout: 3000, connect: "eager" })
        yield* turns
        assert.strictEqual(yield* channel.state, "Connecting")
        assert.deepStrictEqual(dialed[0]?.options, {
          connectTimeout: 3000,
          tls: { serverName: asked, alpnProtocols: ["h2"] }
        })
      })
    )
  }

  it.effect("RFC 9113 §3.2: a server that does not agree on h2 cannot be reached", () =>
    Effect.gen(function* () {
      const { dialed, dialer } = agreeing("http/1.1")
      const channel = yield* over(dialer, named, { tls: {} })
      const heard = yield* World.called(channel, "/1")
      assert.include(World.reasonOf(heard).message, "http/1.1")
      assert.strictEqual(dialed[0]?.transport.state, "closed")
    })
  )
})
