import { assert, describe, it } from "@effect/vitest"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { FakeDialer } from "../../harness/FakeDialer.ts"
import * as Http2ClientWorld from "../../harness/Http2ClientWorld.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"
import { turns } from "../../harness/TransportContract.ts"

const target = { host: "server.test", port: 8080 }

const connected = (server?: Http2ClientWorld.ServerOptions, options?: Http2Session.Options) =>
  Effect.gen(function* () {
    const world = yield* Http2ClientWorld.make(server)
    const session = yield* Effect.provide(Http2Session.connect(target, options), world.dialer)
    return { world, session }
  })

/** A session in a scope that the test closes, and a request on its way, in the test's own scope. */
const inScope = (server?: Http2ClientWorld.ServerOptions, options?: Http2Session.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { session, world } = yield* Scope.provide(connected(server, options), scope)
    const asking = yield* Effect.forkChild(Effect.exit(Effect.scoped(session.request())), { startImmediately: true })
    yield* turns
    const close = Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    return { world, session, asking, close }
  })

/** A dialer of a transport whose TLS agreed on `alpnProtocol`; what it dialed last is `transport`. */
const agreeing = (alpnProtocol: string | undefined) => {
  const dialed: Array<{ readonly options: Dialer.DialOptions | undefined; readonly state: () => string }> = []
  const layer = Layer.succeed(Dialer.Dialer, {
    dial: (_, options) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const [near] = MemoryTransport.pair()
          Object.defineProperty(near, "tls", { value: { alpnProtocol } })
          dialed.push({ options, state: () => near.state })
          return near
        }),
        (transport) => Effect.sync(() => transport.destroy())
      )
  })
  return { layer, dialed }
}

describe("connect", () => {
  it.effect("asks, is answered, and leaves nothing", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const { session, world } = yield* connected()
        track(world as never)
        const responses = yield* Effect.forEach(
          ["/a", "/b", "/c"],
          (path) =>
            Effect.scoped(
              Effect.flatMap(session.request({ method: "POST", path, body: path }), (response) => response.text())
            ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(responses, ["hello /a", "hello /b", "hello /c"])
        yield* turns
        assert.isTrue(session.isAvailable)
        assert.deepInclude(session.stats, { sentCount: 3, completedCount: 3, openCount: 0 })
        assert.isUndefined(session.tls)
        assert.isDefined(session.local)
        assert.isDefined(session.peer)
      })
    )
  )

  it.effect("RFC 9113 §3.2: offers h2 alone where TLS is asked for, and takes no other answer", () =>
    Effect.gen(function* () {
      const h2 = agreeing("h2")
      const tls = { serverName: "a.test", alpnProtocols: ["http/1.1"] }
      const options = { tls, connectTimeout: "3 seconds", closeTimeout: 1, drainTimeout: 1 } as const
      const scope = yield* Scope.make()
      const session = yield* Http2Session.connect(target, options).pipe(Effect.provide(h2.layer), Scope.provide(scope))
      assert.strictEqual(session.tls?.alpnProtocol, "h2")
      assert.deepStrictEqual(h2.dialed[0]?.options, {
        connectTimeout: "3 seconds",
        tls: { serverName: "a.test", alpnProtocols: ["h2"] }
      })
      yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(2)
      assert.strictEqual(h2.dialed[0]?.state(), "closed")
      for (const alpnProtocol of ["http/1.1", undefined]) {
        const other = agreeing(alpnProtocol)
        const error = yield* Effect.flip(Effect.provide(Http2Session.connect(target, { tls: {} }), other.layer))
        assert.deepInclude(error.reason, { _tag: "Http2NotAgreed", fault: "peer", retry: "NotSent", alpnProtocol })
        assert.strictEqual(other.dialed[0]?.state(), "closed")
      }
    })
  )

  it.effect("fails with what the dialer fails with", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(Effect.provide(Http2Session.connect(target), new FakeDialer("refuse").layer))
      assert.instanceOf(refused, TransportError.TransportError)
      assert.strictEqual(refused.reason._tag, "ConnectionRefused")
    })
  )

  it.effect("with what makes no sense it is a defect", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<Http2Session.Options> = [
        { maxWaiting: -1 },
        { maxWaiting: 1.5 },
        { waitTimeout: 0 },
        { drainTimeout: "unbounded" as never },
        { streamWindow: 0 }
      ]
      for (const options of wrong) {
        const exit = yield* Effect.exit(connected({}, options))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause), JSON.stringify(options))
      }
    })
  )

  const authorities: ReadonlyArray<
    readonly [rule: string, target: Dialer.Target, options: Http2Session.Options, authority: string]
  > = [
    ["a host and its port", { host: "a.test", port: 8080 }, {}, "a.test:8080"],
    ["the scheme's own port is not named", { host: "a.test", port: 80 }, {}, "a.test"],
    ["another scheme's is", { host: "a.test", port: 443 }, {}, "a.test:443"],
    ["IPv6", { host: "::1", port: 8080 }, {}, "[::1]:8080"],
    ["an address", NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 8080), {}, "127.0.0.1:8080"],
    ["a Unix socket", { path: "/run/app.sock" }, {}, "localhost"],
    ["what is given", { host: "a.test", port: 8080 }, { authority: "b.test" }, "b.test"]
  ]
  for (const [rule, to, options, authority] of authorities) {
    it.effect(`names the server: ${rule}`, () =>
      Effect.gen(function* () {
        const world = yield* Http2ClientWorld.make()
        const session = yield* Effect.provide(Http2Session.connect(to, options), world.dialer)
        yield* session.request()
        assert.strictEqual(world.server.last.head.authority, authority)
        assert.strictEqual(world.server.last.head.scheme, "http")
      })
    )
  }
})

describe("many at a time", () => {
  it.effect("however the bytes are cut", () =>
    Effect.gen(function* () {
      for (const bufferBytes of [1, 7, 100]) {
        const { session } = yield* connected({ bufferBytes })
        const body = "0123456789".repeat(50)
        const ask = (path: string) =>
          Effect.scoped(
            Effect.flatMap(session.request({ method: "POST", path, body, trailers: { a: "b" } }), (response) =>
              response.text()
            )
          )
        const texts = yield* Effect.all([ask("/a"), ask("/b"), ask("/c")], { concurrency: 3 })
        assert.deepStrictEqual(texts, ["hello /a", "hello /b", "hello /c"], `${bufferBytes} bytes`)
      }
    })
  )

  for (let seed = 1; seed <= 20; seed++) {
    it.effect(`whatever becomes of each, nothing is left, and all are counted: seed ${seed}`, () =>
      MemoryWorld.leavesNothing((track) => chaos(seed, track))
    )
  }
})

/** Requests of all kinds, of which some are given up, reset, or lost with the server. */
const chaos = (seed: number, track: (world: never) => void) =>
  Effect.gen(function* () {
    const random = new SeededRandom(seed)
    const { session, world } = yield* connected(
      {
        maxConcurrentStreams: 1 + random.below(8),
        bufferBytes: 1 + random.below(100_000),
        conduct: (request) => {
          const fate = random.below(6)
          if (fate === 0) request.reset(random.below(14))
          else if (fate === 1) request.begin(200)
          else if (fate === 2) request.respond(200, {}, new Uint8Array(random.below(400_000)))
          else request.respond(200, {}, "small")
        }
      },
      { maxWaiting: 30, waitTimeout: "2 seconds", drainTimeout: "1 second", sendBufferSize: 1000 }
    )
    track(world as never)
    const ask = Effect.gen(function* () {
      const kind = random.below(4)
      const part = new Uint8Array(random.below(100_000))
      const body = [undefined, "text", part, Stream.make(part, part)][kind]
      yield* Effect.sleep(random.below(50))
      const response = yield* session.request({
        method: "POST",
        body,
        trailers: random.below(2) ? { a: "b" } : undefined
      })
      if (random.below(4) > 0) yield* response.bytes()
    }).pipe(Effect.scoped, Effect.timeout(20 + random.below(100)), Effect.exit)
    const all = yield* Effect.forkChild(
      Effect.all(
        Array.from({ length: 100 }, () => ask),
        { concurrency: "unbounded" }
      )
    )
    const end = random.below(3)
    for (let millis = 0; millis < 300; millis += 10) {
      yield* TestClock.adjust(10)
      yield* turns
      if (millis !== 40) continue
      if (end === 1) world.server.transport.destroy()
      if (end === 2) world.server.drain()
    }
    const exits = yield* Fiber.join(all)
    const { completedCount, failedCount, openCount, sentCount, waitingCount } = session.stats
    assert.deepStrictEqual([openCount, waitingCount], [0, 0])
    assert.strictEqual(sentCount, completedCount + failedCount)
    assert.strictEqual(exits.length, 100)
    for (const exit of exits) {
      if (Exit.isFailure(exit)) assert.isFalse(Cause.hasDies(exit.cause), Cause.pretty(exit.cause))
    }
    assert.isAbove(completedCount, 0)
    const ended = yield* Effect.forkChild(session.closed)
    yield* turns
    assert.strictEqual(ended.pollUnsafe() !== undefined, end !== 0)
    yield* Fiber.interrupt(ended)
  })

describe("what waits", () => {
  it.effect("one at a time, where the server wants that: all are answered, in their order", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ maxConcurrentStreams: 1 })
      yield* session.ping
      const paths = Array.from({ length: 50 }, (_, index) => `/${index}`)
      const texts = yield* Effect.forEach(
        paths,
        (path) => Effect.scoped(Effect.flatMap(session.request({ path }), (response) => response.text())),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        texts,
        paths.map((path) => `hello ${path}`)
      )
      assert.deepStrictEqual(
        world.server.requests.map(({ head }) => head.path),
        paths
      )
    })
  )

  it.effect("has limits: how many, and how long", () =>
    Effect.gen(function* () {
      const server = { conduct: "hold", maxConcurrentStreams: 1 } as const
      const { session } = yield* connected(server, {
        maxWaiting: 1,
        waitTimeout: "2 seconds",
        pingInterval: "unbounded"
      })
      yield* session.ping
      assert.strictEqual(session.capacity, 1)
      const first = yield* Effect.forkChild(session.request(), { startImmediately: true })
      assert.strictEqual(session.capacity, 0)
      const waiting = yield* Effect.forkChild(Effect.flip(session.request()), { startImmediately: true })
      const refused = yield* Effect.flip(session.request())
      assert.deepInclude(refused.reason, { _tag: "TooManyWaiting", fault: "limit", retry: "NotSent", limitCount: 1 })
      yield* TestClock.adjust(1_999)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust(1)
      const late = yield* Fiber.join(waiting)
      assert.deepInclude(late.reason, { _tag: "WaitTimeout", fault: "limit", retry: "NotSent", limitMillis: 2000 })
      yield* Fiber.interrupt(first)
    })
  )
})

describe("ping", () => {
  it.effect("says how long the answer took", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected()
      yield* turns
      world.server.transport.pause()
      const pinging = yield* Effect.forkChild(session.ping, { startImmediately: true })
      yield* TestClock.adjust(250)
      world.server.transport.resume()
      assert.strictEqual(Duration.toMillis(yield* Fiber.join(pinging)), 250)
    })
  )

  it.effect("fails with how the session ended", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected()
      const pinging = yield* Effect.forkChild(Effect.flip(session.ping), { startImmediately: true })
      world.server.transport.destroy()
      assert.strictEqual((yield* Fiber.join(pinging)).reason._tag, "ConnectionLost")
      assert.strictEqual((yield* Effect.flip(session.ping)).reason._tag, "ConnectionLost")
    })
  )
})

describe("the end", () => {
  it.effect("its scope closes: GOAWAY, no new requests, and what is on its way is finished", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const { asking, close, session, world } = yield* inScope({ conduct: "hold" })
        track(world as never)
        const closing = yield* close
        assert.isFalse(session.isAvailable)
        assert.strictEqual(session.capacity, 0)
        const refused = yield* Effect.flip(session.request())
        assert.deepInclude(refused.reason, { _tag: "SessionClosed", fault: "caller", retry: "NotSent" })
        yield* turns
        assert.deepStrictEqual(world.server.goAways.at(-1), [Code.NoError, ""])
        assert.isUndefined(closing.pollUnsafe())
        world.server.last.respond(200)
        yield* Fiber.join(closing)
        assert.isTrue(Exit.isSuccess(yield* Fiber.join(asking)))
        assert.strictEqual((yield* session.closed)._tag, "SessionClosed")
      })
    )
  )

  it.effect("its scope closes: at the deadline what is left is cut", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const { asking, close, world } = yield* inScope({ conduct: "hold" }, { drainTimeout: "3 seconds" })
        track(world as never)
        const closing = yield* close
        yield* TestClock.adjust(2_999)
        assert.isUndefined(asking.pollUnsafe())
        yield* TestClock.adjust(1)
        const exit = yield* Fiber.join(asking)
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.deepInclude((error as { reason: object }).reason, { _tag: "SessionClosed", retry: "MaybeProcessed" })
        yield* Fiber.join(closing)
      })
    )
  )

  it.effect("its scope closes: a server that does not read holds it no longer than both limits", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const options = { drainTimeout: "3 seconds", closeTimeout: "2 seconds" } as const
        const { close, world } = yield* inScope({ conduct: "hold" }, options)
        track(world as never)
        world.server.transport.pause()
        const closing = yield* close
        yield* TestClock.adjust(5_000)
        yield* Fiber.join(closing)
      })
    )
  )

  it.effect("interrupted, a program leaves nothing, whatever was on its way", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* Http2ClientWorld.make({ conduct: "hold" })
        track(world as never)
        const program = Effect.scoped(
          Effect.gen(function* () {
            const session = yield* Effect.provide(Http2Session.connect(target), world.dialer)
            yield* Effect.all([session.request(), session.request()], { concurrency: 2 })
          })
        )
        const fiber = yield* Effect.forkChild(program, { startImmediately: true })
        yield* turns
        yield* Fiber.interrupt(fiber)
        yield* turns
        assert.strictEqual(world.network.openCount(), 0)
        for (const { over } of world.server.requests) assert.deepInclude(over, { errorCode: Code.Cancel })
      })
    )
  )

  it.effect("the server drains: the session says so, and ends behind its last response", () =>
    Effect.gen(function* () {
      const { asking, session, world } = yield* inScope({ conduct: "hold" })
      world.server.drain()
      yield* turns
      assert.isFalse(session.isAvailable)
      assert.deepInclude((yield* Effect.flip(session.request())).reason, { _tag: "GoneAway", retry: "NotSent" })
      world.server.last.respond(200)
      assert.isTrue(Exit.isSuccess(yield* Fiber.join(asking)))
      assert.deepInclude(yield* session.closed, { _tag: "GoneAway", errorCode: Code.NoError })
    })
  )

  it.effect("the server is lost in the middle of a response", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: (request) => request.begin(200) })
      const response = yield* session.request()
      const reading = yield* Effect.forkChild(Effect.flip(response.bytes()), { startImmediately: true })
      world.server.transport.destroy()
      const { reason } = yield* Fiber.join(reading)
      assert.deepInclude(reason, { _tag: "ConnectionLost", fault: "transport", retry: "MaybeProcessed" })
      const ended = yield* session.closed
      assert.strictEqual(ended._tag === "ConnectionLost" && ended.error?.reason._tag, "ConnectionLost")
    })
  )

  it.effect("an owner hears of places, of the drain, and of the end", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const world = yield* Http2ClientWorld.make({ maxConcurrentStreams: 1 })
      const owner = {
        onCapacity: () => events.push("capacity"),
        onDraining: () => events.push("draining"),
        onClosed: (ended: { readonly _tag: string }) => events.push(ended._tag)
      }
      const { calls, session } = yield* Effect.provide(Http2Session.acquire(target, { owner }), world.dialer)
      yield* session.ping
      yield* session.request()
      yield* turns
      calls.closeUnsafe(1)
      yield* calls.closed
      assert.deepStrictEqual(events, ["capacity", "draining", "SessionClosed"])
    })
  )
})
