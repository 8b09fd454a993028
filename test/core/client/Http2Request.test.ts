import { assert, describe, it } from "@effect/vitest"
import type * as Http2Request from "@sluice/core/client/Http2Request"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Http2ClientWorld from "../../harness/Http2ClientWorld.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

const target = { host: "server.test", port: 8080 }

const connected = (server?: Http2ClientWorld.ServerOptions, options?: Http2Session.Options) =>
  Effect.gen(function* () {
    const world = yield* Http2ClientWorld.make(server)
    const session = yield* Effect.provide(Http2Session.connect(target, options), world.dialer)
    return { world, session }
  })

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Asks on a fiber, in a scope that the test closes. */
const asking = (session: Http2Session.Http2Session, options: Http2Request.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const fiber = yield* session
      .request(options)
      .pipe(Scope.provide(scope), Effect.forkChild({ startImmediately: true }))
    yield* turns
    return { fiber, close: Scope.close(scope, Exit.void) }
  })

describe("what is sent", () => {
  it.effect("a head with defaults, and what is given in their place", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected()
      yield* session.request()
      const { head } = world.server.last
      assert.deepInclude(head, { method: "GET", scheme: "http", authority: "server.test:8080", path: "/" })
      yield* session.request({
        method: "OPTIONS",
        path: "*",
        scheme: "https",
        authority: "other.test",
        headers: { "X-One": "1", list: ["a", "b"], none: undefined }
      })
      const second = world.server.last.head
      assert.deepInclude(second, { method: "OPTIONS", scheme: "https", authority: "other.test", path: "*" })
      assert.deepStrictEqual(second.list, ["x-one", "1", "list", "a", "list", "b"])
    })
  )

  const bodies: ReadonlyArray<
    readonly [rule: string, body: Http2Request.Body, text: string, lengthBytes: number | undefined]
  > = [
    ["text", "Ol\u00e9", "Ol\u00e9", 4],
    ["bytes", bytes("abc"), "abc", 3],
    ["an empty text", "", "", 0],
    ["a stream", Stream.make(bytes("one"), bytes(""), bytes("two")), "onetwo", undefined],
    ["an empty stream", Stream.empty, "", undefined]
  ]
  for (const [rule, body, text, lengthBytes] of bodies) {
    it.effect(`a body: ${rule}`, () =>
      Effect.gen(function* () {
        const { session, world } = yield* connected()
        const response = yield* session.request({ method: "POST", body })
        assert.strictEqual(response.status, 200)
        const { bodyText, ended, head } = world.server.last
        assert.deepStrictEqual([bodyText, ended, head.lengthBytes], [text, "whole", lengthBytes])
      })
    )
    it.effect(`trailers behind ${rule}`, () =>
      Effect.gen(function* () {
        const { session, world } = yield* connected()
        let asked = "early"
        const trailers = { sum: "1" }
        yield* session.request({ method: "POST", body, trailers })
        assert.strictEqual(world.server.last.trailers?.header("sum"), "1")
        assert.strictEqual(world.server.last.bodyText, text)
        const late = Stream.suspend(() => {
          asked = "late"
          return Stream.empty
        })
        yield* session.request({ method: "POST", body: late, trailers: () => ({ asked }) })
        assert.strictEqual(world.server.last.trailers?.header("asked"), "late")
      })
    )
  }

  it.effect("a stream is taken no faster than the server reads", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold", bodies: "kept" }, { sendBufferSize: 1000 })
      let taken = 0
      const body = Stream.range(1, 1000).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          taken++
          return new Uint8Array(1000)
        })
      )
      const { close, fiber } = yield* asking(session, { method: "POST", body })
      yield* turns
      // The window of the stream is 262,144 bytes; what is behind it waits here.
      assert.strictEqual(world.server.last.bodyBytes, 262_144)
      assert.strictEqual(taken, 264)
      world.server.last.consume(262_144)
      yield* turns
      assert.strictEqual(taken, 526)
      assert.isUndefined(fiber.pollUnsafe())
      yield* close
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("a server that takes nothing more of it has its time, and others go on", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected(
        { conduct: (request) => void (request.head.path === "/small" && request.respond(200)), bodies: "kept" },
        { sendTimeout: "10 seconds" }
      )
      const body = new Uint8Array(300_000)
      const stalled = yield* Effect.forkChild(Effect.flip(session.request({ method: "POST", body })), {
        startImmediately: true
      })
      yield* turns
      yield* TestClock.adjust(9_999)
      assert.strictEqual((yield* session.request({ path: "/small" })).status, 200)
      assert.isUndefined(stalled.pollUnsafe())
      yield* TestClock.adjust(1)
      const { reason } = yield* Fiber.join(stalled)
      assert.deepInclude(reason, { _tag: "Stalled", side: "request", fault: "limit", limitMillis: 10_000 })
      yield* turns
      assert.deepInclude(world.server.requests[0]!.over, { _tag: "PeerReset", errorCode: Code.Cancel })
    })
  )

  it.effect("a body that fails ends the request, and says why", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold" })
      const body = Stream.concat(Stream.succeed(bytes("part")), Stream.fail("mine"))
      const error = yield* Effect.flip(session.request({ method: "POST", body }))
      assert.deepInclude(error.reason, { _tag: "RequestBodyFailed", cause: "mine", retry: "MaybeProcessed" })
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
      const broken = Stream.die(new Error("broken"))
      const died = yield* Effect.flip(session.request({ method: "POST", body: broken }))
      assert.strictEqual(died.reason._tag, "RequestBodyFailed")
    })
  )

  it.effect("a body that fails behind the head of the response is told to its reader", () =>
    Effect.gen(function* () {
      const { session } = yield* connected({ conduct: (request) => request.begin(200) })
      const body = Stream.concat(
        Stream.succeed(bytes("part")),
        Stream.fromEffect(Effect.andThen(Effect.sleep(1000), Effect.fail("late")))
      )
      const response = yield* session.request({ method: "POST", body })
      const reading = yield* Effect.forkChild(Effect.flip(response.bytes()), { startImmediately: true })
      yield* TestClock.adjust(1000)
      assert.deepInclude((yield* Fiber.join(reading)).reason, { _tag: "RequestBodyFailed", cause: "late" })
    })
  )

  it.effect("what may not be sent is the caller's fault: head, body and trailers", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold" })
      const refused = (options: Http2Request.Options) =>
        Effect.map(Effect.flip(session.request({ method: "POST", ...options })), ({ reason }) => reason)
      const head = yield* refused({ headers: { "a b": "c" } })
      assert.deepInclude(head, { _tag: "InvalidRequest", fault: "caller", retry: "NotSent" })
      assert.deepInclude(yield* refused({ path: "no slash" }), { _tag: "InvalidRequest", retry: "NotSent" })
      assert.deepInclude(yield* refused({ method: "G T" }), { _tag: "InvalidRequest", retry: "NotSent" })
      assert.deepInclude(yield* refused({ body: "abc", headers: { "content-length": "4" } }), {
        _tag: "InvalidRequest"
      })
      yield* turns
      assert.strictEqual(world.server.requests.length, 0)
      const trailers = yield* refused({ trailers: { "content-length": "3" } })
      assert.deepInclude(trailers, { _tag: "InvalidRequest", retry: "MaybeProcessed" })
      const body = Stream.succeed(bytes("abc"))
      assert.deepInclude(yield* refused({ body, headers: { "content-length": "2" } }), { _tag: "InvalidRequest" })
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
    })
  )
})

describe("what comes", () => {
  it.effect("interim responses, head, body and trailers", () =>
    Effect.gen(function* () {
      const { session } = yield* connected({
        conduct: (request) => {
          request.interim(103, { link: "</a>" })
          request.begin(201, { "x-one": "1" })
          request.write("body")
          request.end({ sum: "4" })
        }
      })
      const interim: Array<unknown> = []
      const onInterim: Http2Request.Options["onInterim"] = (status, headers) => interim.push([status, { ...headers }])
      const response = yield* session.request({ onInterim })
      assert.deepStrictEqual(interim, [[103, { link: "</a>" }]])
      assert.strictEqual(response.status, 201)
      assert.deepStrictEqual({ ...response.headers }, { "x-one": "1" })
      assert.strictEqual(yield* response.text(), "body")
      assert.deepStrictEqual({ ...(yield* response.trailers) }, { sum: "4" })
    })
  )

  it.effect("who throws at an interim response ends its own request, and no other", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({
        conduct: (request) => {
          request.interim(102)
          if (request.head.path === "/") request.respond(200)
        }
      })
      const onInterim = () => {
        throw new Error("mine")
      }
      const exit = yield* Effect.exit(session.request({ path: "/broken", onInterim }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
      assert.strictEqual((yield* session.request()).status, 200)
    })
  )

  it.effect("RFC 9113 §8.5: CONNECT has no path, and is a stream both ways", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: (request) => request.begin(200) })
      const body = Stream.concat(Stream.succeed(bytes("ping")), Stream.never)
      const response = yield* session.request({ method: "CONNECT", authority: "far.test:25", body })
      yield* turns
      const { bodyText, head } = world.server.last
      assert.deepStrictEqual([head.method, head.authority, head.path, bodyText], ["CONNECT", "far.test:25", "", "ping"])
      const reading = yield* Effect.forkChild(Stream.runHead(response.stream), { startImmediately: true })
      world.server.last.write("pong")
      assert.strictEqual(Buffer.from(Option.getOrThrow(yield* Fiber.join(reading))).toString(), "pong")
    })
  )

  it.effect("the length that HEAD tells is none of a body", () =>
    Effect.gen(function* () {
      const { session } = yield* connected({
        conduct: (request) => request.respond(200, { "content-length": "5000000" })
      })
      const response = yield* session.request({ method: "HEAD" })
      assert.strictEqual(response.lengthBytes, 5_000_000)
      assert.strictEqual((yield* response.bytes()).length, 0)
    })
  )

  it.effect("the response comes before the request's body has ended", () =>
    Effect.gen(function* () {
      const { session } = yield* connected({ conduct: (request) => request.respond(413, {}, "too much") })
      const response = yield* session.request({ method: "POST", body: Stream.never })
      assert.strictEqual(response.status, 413)
      assert.strictEqual(yield* response.text(), "too much")
    })
  )

  it.effect("a body above all windows is read whole, and as it comes", () =>
    Effect.gen(function* () {
      const large = new Uint8Array(1_500_000)
      const { session } = yield* connected({ conduct: (request) => request.respond(200, {}, large) })
      const whole = yield* session.request()
      assert.strictEqual((yield* whole.bytes()).length, large.length)
      const coming = yield* session.request()
      const count = yield* Stream.runFold(
        coming.stream,
        () => 0,
        (sum, part) => sum + part.length
      )
      assert.strictEqual(count, large.length)
    })
  )

  it.effect("nobody reads: the server sends no more than a window, and others go on", () =>
    Effect.gen(function* () {
      const large = new Uint8Array(1_500_000)
      const { session, world } = yield* connected({
        conduct: (request) => request.respond(200, {}, request.head.path === "/large" ? large : "small")
      })
      const unread = yield* asking(session, { path: "/large" })
      const response = yield* Fiber.join(unread.fiber)
      yield* turns
      assert.strictEqual(world.server.last.stream.queuedBytes, large.length - 262_144)
      const small = yield* session.request({ path: "/small" })
      assert.strictEqual(yield* small.text(), "small")
      yield* unread.close
      const error = yield* Effect.flip(response.bytes())
      assert.strictEqual(error.reason._tag, "Cancelled")
      // The connection's window is whole again: more than it holds can be read.
      for (let again = 0; again < 2; again++) {
        const next = yield* session.request({ path: "/large" })
        assert.strictEqual((yield* next.bytes()).length, large.length)
      }
    })
  )

  it.effect("a pause has a limit where somebody reads, and only there", () =>
    Effect.gen(function* () {
      const { session } = yield* connected(
        { conduct: (request) => request.begin(200), pingInterval: "unbounded" },
        { bodyTimeout: "10 seconds", pingInterval: "unbounded" }
      )
      const response = yield* session.request()
      yield* TestClock.adjust("1 minute")
      const read = yield* Effect.forkChild(Effect.exit(response.bytes()), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.interrupt(read)
      yield* TestClock.adjust("1 minute")
      const reading = yield* Effect.forkChild(Effect.flip(response.bytes()), { startImmediately: true })
      yield* turns
      yield* TestClock.adjust(9_999)
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepInclude((yield* Fiber.join(reading)).reason, {
        _tag: "Stalled",
        side: "response",
        limitMillis: 10_000
      })
    })
  )
})

describe("given up", () => {
  it.effect("an interruption before the head is RST_STREAM with CANCEL, and ends the request's body", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const { session, world } = yield* connected({ conduct: "hold" })
        track(world as never)
        let ended = "open"
        const body = Stream.ensuring(
          Stream.never,
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => (ended = "released"))
          )
        )
        const { fiber } = yield* asking(session, { method: "POST", body })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(ended, "released")
        yield* turns
        assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
        assert.strictEqual(session.stats.openCount, 0)
      })
    )
  )

  it.effect("the end of its scope before the response is whole, too; a whole one is not reset", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const { session, world } = yield* connected({
          conduct: (request) => (request.head.path === "/part" ? request.begin(200) : request.respond(200, {}, "whole"))
        })
        track(world as never)
        const part = yield* asking(session, { path: "/part" })
        yield* Fiber.join(part.fiber)
        yield* part.close
        yield* turns
        assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
        const whole = yield* asking(session, { path: "/whole" })
        yield* Fiber.join(whole.fiber)
        yield* whole.close
        yield* turns
        assert.strictEqual(world.server.last.over, "clean")
      })
    )
  )

  it.effect("while it waits, it leaves the queue, and its body was never begun", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      yield* session.ping
      const first = yield* asking(session, {})
      let begun = "no"
      const body = Stream.suspend(() => {
        begun = "yes"
        return Stream.empty
      })
      const second = yield* asking(session, { method: "POST", body })
      assert.strictEqual(session.stats.waitingCount, 1)
      yield* Fiber.interrupt(second.fiber)
      assert.strictEqual(session.stats.waitingCount, 0)
      assert.strictEqual(begun, "no")
      world.server.last.respond(204)
      yield* Fiber.join(first.fiber)
      assert.strictEqual(world.server.requests.length, 1)
    })
  )

  it.effect("a body above its limit resets the stream", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({
        conduct: (request) => {
          request.begin(200)
          request.write("0123456789!")
        }
      })
      const response = yield* session.request()
      const error = yield* Effect.flip(response.bytes({ maxSize: 10 }))
      assert.deepInclude(error.reason, { _tag: "ResponseTooLarge", limit: 10 })
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
    })
  )
})

describe("a head that does not come", () => {
  const timers = { pingInterval: "unbounded", waitTimeout: "unbounded" } as const
  it.effect("ends the request after responseTimeout, and no other", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold" }, timers)
      const byDefault = yield* asking(session, {})
      const own = yield* asking(session, { responseTimeout: "2 seconds" })
      yield* TestClock.adjust(1_999)
      assert.isUndefined(own.fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      const { reason } = yield* Effect.flip(Fiber.join(own.fiber))
      assert.deepInclude(reason, {
        _tag: "ResponseTimeout",
        fault: "limit",
        retry: "MaybeProcessed",
        limitMillis: 2000
      })
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
      assert.isUndefined(byDefault.fiber.pollUnsafe())
      yield* TestClock.adjust("298 seconds")
      const late = yield* Effect.flip(Fiber.join(byDefault.fiber))
      assert.deepInclude(late.reason, { _tag: "ResponseTimeout", limitMillis: 300_000 })
    })
  )
  it.effect("counts the wait for a place: then nothing was sent", () =>
    Effect.gen(function* () {
      const server = { conduct: "hold", maxConcurrentStreams: 1 } as const
      const { session, world } = yield* connected(server, { ...timers, responseTimeout: "3 seconds" })
      yield* session.ping
      const first = yield* asking(session, { responseTimeout: "unbounded" })
      const waiting = yield* asking(session, {})
      yield* TestClock.adjust(3_000)
      const { reason } = yield* Effect.flip(Fiber.join(waiting.fiber))
      assert.deepInclude(reason, { _tag: "ResponseTimeout", retry: "NotSent" })
      assert.strictEqual(world.server.requests.length, 1)
      yield* Fiber.interrupt(first.fiber)
    })
  )
  it.effect("has no time once the head is there, and leaves no timer", () =>
    Effect.gen(function* () {
      const { session, world } = yield* connected({ conduct: "hold" }, { ...timers, bodyTimeout: "unbounded" })
      const request = yield* asking(session, { responseTimeout: "1 second" })
      world.server.last.begin(200)
      yield* turns
      const response = yield* Fiber.join(request.fiber)
      yield* TestClock.adjust("1 minute")
      world.server.last.write("late")
      world.server.last.end()
      yield* turns
      assert.strictEqual(yield* response.text(), "late")
    })
  )
})
