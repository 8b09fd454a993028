import { assert, describe, it } from "@effect/vitest"
import * as HttpUpgrade from "@sluice/core/server/HttpUpgrade"
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { HttpBody } from "@sluice/core/session/HttpBody"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Exchange from "../../harness/FakeExchange.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const { FakeExchange, webSocketFields } = Exchange

const request = HttpServerRequest.fromWeb(new Request("http://server.test/"))

const toSocket = (exchange: Exchange.FakeExchange, headers: Record<string, string> = {}) =>
  HttpUpgrade.toSocket(request, exchange, Headers.fromInput(headers))

/** What a body has, in so many chunks. */
const bodyOf = (...chunks: ReadonlyArray<Uint8Array>): HttpBody => {
  const left = [...chunks]
  const pull = Effect.suspend(() => {
    const next = left.shift()
    return next === undefined ? Effect.fail(Cause.Done()) : Effect.succeed([next] as const)
  })
  return { lengthBytes: undefined, pull, collect: () => Effect.never, collectNow: () => undefined, trailers: undefined }
}

describe("toSocket", () => {
  it.effect("fails for a request that asks for no other protocol", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(toSocket(new FakeExchange()))
      assert.strictEqual(error.reason._tag, "RequestParseError")
    })
  )

  it.effect("fails for several protocols, none of which is known", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ headers: { upgrade: "a, b", connection: "upgrade" } })
      assert.strictEqual((yield* Effect.flip(toSocket(exchange))).reason._tag, "RequestParseError")
    })
  )

  it.effect("fails for a WebSocket that the request cannot have; it can be answered still", () =>
    Effect.gen(function* () {
      const { "sec-websocket-key": _, ...headers } = webSocketFields
      const exchange = new FakeExchange({ headers })
      assert.strictEqual((yield* Effect.flip(toSocket(exchange))).reason._tag, "RequestParseError")
      assert.isTrue(exchange.isAnswerable)
      const further = yield* Effect.flip(toSocket(new FakeExchange({ headers: webSocketFields }), { "x-a": "b" }))
      assert.strictEqual(further.reason._tag, "InternalError")
    })
  )

  it.effect("RFC 8441 §5: over HTTP/2 the answer is 200, and says no protocol", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ method: "CONNECT", version: "2", upgradeProtocol: "chat" })
      const socket = yield* toSocket(exchange, { "x-a": "b" })
      const scope = yield* Scope.make()
      yield* Scope.provide(socket.reader, scope)
      assert.strictEqual(exchange.upgradedWith?.status, 200)
      assert.deepStrictEqual({ ...exchange.upgradedWith?.headers }, { "x-a": "b" })
      exchange.peer.destroy()
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.effect("looks at the origin where the program says so", () =>
    Effect.gen(function* () {
      const headers = { ...webSocketFields, origin: "https://evil.test" }
      yield* toSocket(new FakeExchange({ headers }))
      const refused = toSocket(new FakeExchange({ headers })).pipe(
        Effect.provideService(WebSocketServer.SocketOptions, { origins: "same-origin" })
      )
      assert.strictEqual((yield* Effect.flip(refused)).reason._tag, "RequestParseError")
      // Another protocol beside it is no way around that.
      const several = toSocket(new FakeExchange({ headers: { ...headers, upgrade: "websocket, other" } })).pipe(
        Effect.provideService(WebSocketServer.SocketOptions, { origins: "same-origin" })
      )
      assert.strictEqual((yield* Effect.flip(several)).reason._tag, "RequestParseError")
    })
  )
})

describe("a WebSocket", () => {
  it.effect("is opened by the reader and closed with its scope", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ headers: webSocketFields })
      const socket = yield* toSocket(exchange)
      assert.isTrue(exchange.isAnswerable)
      const writer = yield* socket.writer
      const scope = yield* Scope.make()
      const { pull } = yield* Scope.provide(socket.reader, scope)
      assert.strictEqual(exchange.upgradedWith?.status, 101)
      yield* writer.write("hi")
      exchange.peer.write(Uint8Array.from(Buffer.from("818537fa213d7f9f4d5158", "hex")))
      assert.deepStrictEqual(yield* pull, ["Hello"])
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* turns
      assert.strictEqual(Buffer.concat(exchange.heard.chunks).toString("hex"), "81026869880203e8")
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
      assert.strictEqual((yield* Effect.flip(writer.write("late"))).reason._tag, "SocketWriteError")
      assert.strictEqual((yield* Effect.flip(Effect.scoped(socket.reader))).reason._tag, "SocketOpenError")
    })
  )

  it.effect("cannot be opened once the request was answered", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ headers: webSocketFields })
      const socket = yield* toSocket(exchange)
      exchange.respond()
      assert.strictEqual((yield* Effect.flip(Effect.scoped(socket.reader))).reason._tag, "SocketOpenError")
    })
  )
})

describe("another protocol", () => {
  const headers = { upgrade: "echo/1", connection: "Upgrade" }

  it.effect("is answered with 101, and gets the bytes behind the request first", () =>
    Effect.gen(function* () {
      const exchange = new FakeExchange({ headers, rest: bytes("early,") })
      const socket = yield* toSocket(exchange, { "x-a": "b" })
      const scope = yield* Scope.make()
      const { pull } = yield* Scope.provide(socket.reader, scope)
      assert.deepStrictEqual({ ...exchange.upgradedWith?.headers }, { "x-a": "b", upgrade: "echo/1" })
      assert.deepStrictEqual(yield* pull, [bytes("early,")])
      exchange.peer.write(bytes("later"))
      assert.deepStrictEqual(yield* pull, [bytes("later")])
      const writer = yield* socket.writer
      yield* writer.write("answer")
      yield* turns
      assert.strictEqual(exchange.heard.text, "answer")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(exchange.transport.state, "closed")
    })
  )

  it.effect("ends when the server drains, and is cut when it must", () =>
    Effect.gen(function* () {
      const draining = new FakeExchange({ headers })
      const one = yield* toSocket(draining)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { pull } = yield* one.reader
          const waiting = yield* Effect.forkChild(Effect.flip(pull), { startImmediately: true })
          draining.upgraded?.drain()
          assert.deepInclude((yield* Fiber.join(waiting)).reason, { _tag: "SocketCloseError", code: 1000 })
        })
      )
      const cut = new FakeExchange({ headers })
      const two = yield* toSocket(cut)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* two.reader
          cut.upgraded?.cut()
          assert.strictEqual(cut.transport.state, "closed")
        })
      )
    })
  )

  it.effect("comes behind the request's body, of which not too much is read", () =>
    Effect.gen(function* () {
      const small = yield* toSocket(new FakeExchange({ headers, body: bodyOf(bytes("a"), bytes("b")) }))
      yield* Effect.scoped(small.reader)
      const large = yield* toSocket(new FakeExchange({ headers, body: bodyOf(new Uint8Array(2 ** 18 + 1)) }))
      assert.strictEqual((yield* Effect.flip(Effect.scoped(large.reader))).reason._tag, "SocketOpenError")
    })
  )

  it.effect("leaves the fields of an upgrade to the server", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(toSocket(new FakeExchange({ headers }), { connection: "close" }))
      assert.strictEqual(error.reason._tag, "InternalError")
    })
  )
})
