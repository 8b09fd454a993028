import { assert, it } from "@effect/vitest"
import * as AccessLog from "@sluice/core/server/AccessLog"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const app = Effect.gen(function* () {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  if (url === "/never") return yield* Effect.never
  return HttpServerResponse.text("hello", { status: url === "/busy" ? 503 : 200 })
})

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

it.effect("a line for each request, with what belongs to it, and without its query", () =>
  Effect.gen(function* () {
    const log = new LogRecorder()
    const world = yield* log.listen(WebWorld.serving(app, { observers: [AccessLog.make()] }))
    yield* world.talk(WebWorld.get("/a?secret=1"))
    yield* world.talk(WebWorld.get("/busy"))
    const gone = yield* world.peer()
    gone.write(WebWorld.get("/never"))
    yield* settle
    gone.transport.destroy()
    yield* settle
    assert.deepStrictEqual(
      log.entries.map(({ level, message }) => `${level}: ${message}`),
      ["Info: GET /a 200", "Warn: GET /busy 503", "Info: GET /never - aborted"]
    )
    const { "client.address": client, ...annotations } = log.entries[0]!.annotations
    assert.isString(client)
    assert.deepStrictEqual(annotations, {
      "http.request.method": "GET",
      "url.path": "/a",
      "url.scheme": "http",
      "network.protocol.version": "1.1",
      "http.response.status_code": 200,
      "http.response.body.size": 5,
      "http.server.request.duration": 0
    })
  })
)

it.effect("HTTP/2 is told as any other version", () =>
  Effect.gen(function* () {
    const log = new LogRecorder()
    const world = yield* log.listen(WebWorld.serving(app, { observers: [AccessLog.make()] }))
    const peer = yield* Http2Peer.connect(world)
    peer.send(Wire.headers(1, Wire.get("/a"), "END_STREAM"), Wire.headers(3, Wire.get("/never"), "END_STREAM"))
    yield* peer.saw("DATA 1")
    peer.send(Wire.rstStream(3, "CANCEL"))
    yield* settle
    assert.deepStrictEqual(
      log.entries.map(({ annotations, message }) => `${message} by ${annotations["network.protocol.version"]}`),
      ["GET /a 200 by 2", "GET /never - aborted by 2"]
    )
  })
)

it.effect("its level and which requests it tells can be chosen", () =>
  Effect.gen(function* () {
    const log = new LogRecorder()
    const access = AccessLog.make({ level: () => "Debug", filter: ({ exchange }) => exchange.target !== "/busy" })
    const world = yield* log.listen(WebWorld.serving(app, { observers: [access] }))
    yield* world.talk(WebWorld.get("/busy", "more") + WebWorld.get("/a"))
    yield* settle
    assert.deepStrictEqual(
      log.entries.map(({ level, message }) => `${level}: ${message}`),
      ["Debug: GET /a 200"]
    )
  })
)

it.effect("an option that throws costs its line, and not the connection", () =>
  Effect.gen(function* () {
    const log = new LogRecorder()
    const access = AccessLog.make({
      filter: ({ exchange }) => {
        if (exchange.target === "/never") throw new Error("a mistake")
        return true
      }
    })
    const world = yield* log.listen(WebWorld.serving(app, { observers: [access] }))
    const gone = yield* world.peer()
    gone.write(WebWorld.get("/never"))
    yield* settle
    gone.transport.destroy()
    yield* settle
    yield* world.talk(WebWorld.get("/a"))
    yield* settle
    assert.deepStrictEqual(
      log.entries.map(({ message }) => message),
      ["GET /a 200"]
    )
    assert.strictEqual((yield* world.server.stats).open, 0)
  })
)
