import { assert, describe, it } from "@effect/vitest"
import * as GrpcResolver from "@sluice/core/grpc/client/GrpcResolver"
import { formatTarget } from "@sluice/core/transport/Dialer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Dns from "effect/net/Dns"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const noHints = { failed: Effect.never }

/** Runs a resolver; `lists` are those that came, and `lookups` how often the name was looked up. */
const running = (options: GrpcResolver.DnsOptions, zone: Dns.StaticZone) =>
  Effect.gen(function* () {
    const dns = Result.getOrThrow(Dns.makeStatic(zone))
    const state = { lookups: 0 }
    const counting = Dns.Dns.of({
      ...dns,
      lookup: ((host: string) =>
        Effect.suspend(() => {
          state.lookups++
          return dns.lookup(host)
        })) as typeof dns.lookup
    })
    const latch = Latch.makeUnsafe(false)
    const lists: Array<ReadonlyArray<GrpcResolver.Endpoint>> = []
    const failed = Effect.andThen(
      latch.await,
      Effect.sync(() => latch.closeUnsafe())
    )
    const fiber = yield* Stream.runForEach(GrpcResolver.dns(options).endpoints({ failed }), (list) =>
      Effect.sync(() => lists.push(list))
    ).pipe(Effect.provideService(Dns.Dns, counting), Effect.forkChild({ startImmediately: true }))
    return { state, latch, lists, fiber }
  })

const zone = { hosts: { "svc.test": ["10.0.0.1", "10.0.0.2"] } }

describe("fixed", () => {
  it.effect("is one list", () =>
    Effect.gen(function* () {
      const endpoints = [{ target: { host: "a", port: 1 } }]
      const lists = yield* Stream.runCollect(GrpcResolver.fixed(endpoints).endpoints(noHints))
      assert.deepStrictEqual(lists, [endpoints])
    })
  )
})

describe("dns", () => {
  it.effect("all addresses, with the name for calls and for TLS", () =>
    Effect.gen(function* () {
      const { lists } = yield* running({ host: "svc.test", port: 443 }, zone)
      const [list] = lists
      assert.deepStrictEqual(
        list!.map((one) => formatTarget(one.target)),
        ["10.0.0.1:443", "10.0.0.2:443"]
      )
      for (const one of list!) assert.deepInclude(one, { authority: "svc.test:443", serverName: "svc.test" })
    })
  )

  it.effect("a name without an address is a failure, so that it is looked up again", () =>
    Effect.gen(function* () {
      const dns = Result.getOrThrow(Dns.makeStatic(zone))
      const lookup = (() => Effect.succeed([])) as unknown as typeof dns.lookup
      const { endpoints } = GrpcResolver.dns({ host: "svc.test", port: 443 })
      const error = yield* Stream.runDrain(endpoints(noHints)).pipe(
        Effect.provideService(Dns.Dns, { ...dns, lookup }),
        Effect.flip
      )
      assert.include(String(error), "svc.test has no address")
    })
  )

  it.effect("an address is not looked up", () =>
    Effect.gen(function* () {
      const { lists, state } = yield* running({ host: "::1", port: 443 }, {})
      assert.deepStrictEqual(lists, [[{ target: { host: "::1", port: 443 } }]])
      assert.strictEqual(state.lookups, 0)
    })
  )

  it.effect("looks up again when a connection has failed, but not within 30 seconds", () =>
    Effect.gen(function* () {
      const { latch, state } = yield* running({ host: "svc.test", port: 443 }, zone)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.lookups, 1)
      latch.openUnsafe()
      yield* TestClock.adjust(0)
      assert.strictEqual(state.lookups, 2)
      latch.openUnsafe()
      yield* TestClock.adjust(29_999)
      assert.strictEqual(state.lookups, 2)
      yield* TestClock.adjust(1)
      assert.strictEqual(state.lookups, 3)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.lookups, 3)
    })
  )

  it.effect("looks up again in so much time", () =>
    Effect.gen(function* () {
      const { state } = yield* running({ host: "svc.test", port: 443, refresh: "50 seconds" }, zone)
      yield* TestClock.adjust(49_999)
      assert.strictEqual(state.lookups, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(state.lookups, 2)
      yield* TestClock.adjust(50_000)
      assert.strictEqual(state.lookups, 3)
    })
  )

  it.effect("fails with what the lookup fails with", () =>
    Effect.gen(function* () {
      const { fiber } = yield* running({ host: "no.test", port: 443 }, zone)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepInclude(error, { _tag: "DnsError", reason: "NotFound" })
    })
  )

  it("refresh is at least 30 seconds", () => {
    assert.throws(() => GrpcResolver.dns({ host: "a.test", port: 1, refresh: 29_999 }), RangeError)
  })
})
