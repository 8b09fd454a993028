import { assert, describe, it } from "@effect/vitest"
import * as WebSocketEndpoint from "@sluice/core/client/WebSocketEndpoint"
import * as WebSocketMasks from "@sluice/core/client/WebSocketMasks"
import * as WebSocketOpening from "@sluice/core/client/WebSocketOpening"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import * as Timers from "@sluice/core/session/Timers"
import * as WebSocketSessionOptions from "@sluice/core/session/WebSocketSessionOptions"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as NodeDeflate from "@sluice/node/NodeDeflate"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { bytes, record, turns } from "../../harness/TransportContract.ts"

/** Draws the bytes of the key in RFC 6455 §1.3. */
const masks = new WebSocketMasks.WebSocketMasks({
  getRandomValues: (array) => {
    if (array instanceof Uint8Array) array.set(Buffer.from("dGhlIHNhbXBsZSBub25jZQ==", "base64"))
    return array
  }
})

/** An opening under way, and the server's end of its connection. */
const opening = (options: Partial<WebSocketOpening.Options> = {}) =>
  Effect.gen(function* () {
    const timers = yield* Timers.make
    const [transport, server] = MemoryTransport.pair()
    const heard = record(server)
    const fiber = yield* WebSocketOpening.open({
      transport,
      timers,
      masks,
      endpoint: WebSocketEndpoint.resolve("ws://server.test/x"),
      protocols: undefined,
      headers: undefined,
      limits: WebSocketSessionOptions.resolve(),
      http: Http1Options.resolve(),
      codec: undefined,
      ...options
    }).pipe(Effect.forkChild({ startImmediately: true }))
    yield* turns
    const say = (text: string) =>
      Effect.andThen(
        Effect.sync(() => server.write(bytes(text))),
        turns
      )
    return { fiber, timers, transport, server, heard, say }
  })

const accepted = (lines = ""): string =>
  `HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n${lines}\r\n`

describe("open", () => {
  it.effect("takes an answer that comes byte by byte, behind others that say to wait", () =>
    Effect.gen(function* () {
      const { fiber, say, server } = yield* opening()
      yield* say("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
      for (const byte of accepted()) server.write(bytes(byte))
      const socket = yield* Fiber.join(fiber)
      assert.strictEqual(socket.role, "client")
      server.write(Uint8Array.of(0x81, 0x01, 0x61))
      assert.strictEqual(yield* socket.receive, "a")
    })
  )

  it.effect("leaves the handshake's own fields to the client", () =>
    Effect.gen(function* () {
      const { heard } = yield* opening({ headers: { "sec-websocket-version": "8", host: "evil.test", cookie: "a=b" } })
      assert.include(heard.text, "sec-websocket-version: 13\r\n")
      assert.include(heard.text, "host: server.test\r\n")
      assert.include(heard.text, "cookie: a=b\r\n")
      assert.notInclude(heard.text, "evil")
    })
  )

  it.effect("offers compression where it can, and takes no other than was offered", () =>
    Effect.gen(function* () {
      const limits = WebSocketSessionOptions.resolve({ compression: "permessage-deflate" })
      const without = yield* opening({ limits })
      assert.notInclude(without.heard.text, "extensions")
      const offering = yield* opening({ limits, codec: NodeDeflate.make() })
      assert.include(offering.heard.text, "sec-websocket-extensions: permessage-deflate")
      yield* offering.say(
        accepted(
          "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
        )
      )
      assert.strictEqual((yield* Fiber.join(offering.fiber)).compression, "permessage-deflate")
      const wrong = yield* opening()
      yield* wrong.say(accepted("sec-websocket-extensions: permessage-deflate\r\n"))
      const { reason } = yield* Effect.flip(Fiber.join(wrong.fiber))
      assert.deepInclude(reason, { _tag: "HandshakeRefused", field: "sec-websocket-extensions" })
    })
  )

  it.effect("says why the connection was lost", () =>
    Effect.gen(function* () {
      const { fiber, timers, transport } = yield* opening()
      transport.destroy(TransportError.make(new TransportError.ConnectionLost("ECONNRESET")))
      const { reason } = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(reason._tag, "ConnectionLost")
      assert.include(reason.message, "ECONNRESET")
      assert.strictEqual(timers.size(), 0)
      const ended = yield* opening()
      ended.server.end()
      assert.strictEqual((yield* Effect.flip(Fiber.join(ended.fiber))).reason._tag, "ConnectionLost")
    })
  )

  it.effect("gives the transport up when it fails, is interrupted, or cannot ask", () =>
    Effect.gen(function* () {
      const failed = yield* opening()
      yield* failed.say("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
      assert.deepInclude((yield* Effect.flip(Fiber.join(failed.fiber))).reason, { status: 404 })
      const interrupted = yield* opening()
      yield* Fiber.interrupt(interrupted.fiber)
      const wrong = yield* opening({ headers: { "a b": "c" } })
      const exit = yield* Fiber.await(wrong.fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      for (const { transport } of [failed, interrupted, wrong]) assert.strictEqual(transport.state, "closed")
    })
  )
})
