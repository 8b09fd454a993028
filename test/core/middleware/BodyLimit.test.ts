import { assert, describe, it } from "@effect/vitest"
import * as BodyLimit from "@sluice/core/middleware/BodyLimit"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { serve, textOf } from "./App.ts"

const reading = <E>(path: HttpRouter.PathInput, read: (request: HttpServerRequest) => Effect.Effect<string, E>) =>
  HttpRouter.add(
    "*",
    path,
    Effect.flatMap(HttpServerRequest, (request) => Effect.map(read(request), HttpServerResponse.text))
  )

const Routes = Layer.mergeAll(
  reading("/text", (request) => request.text),
  reading("/json", (request) => Effect.map(request.json, JSON.stringify)),
  reading("/bytes", (request) => Effect.map(request.arrayBuffer, (buffer) => String(buffer.byteLength))),
  reading("/stream", (request) => Stream.mkString(Stream.decodeText(request.stream))),
  reading("/unread", () => Effect.succeed("unread"))
)

/** A body that does not say its length. */
const chunked = (chunks: ReadonlyArray<string>): RequestInit =>
  ({
    method: "POST",
    body: new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      }
    }),
    duplex: "half"
  }) as RequestInit

const post = (body: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-length": String(body.length) }
})

describe("BodyLimit", () => {
  it.effect("a body that says a greater length is refused before its handler, however it would be read", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 4 }), Routes))
      for (const path of ["/text", "/json", "/bytes", "/stream", "/unread"]) {
        assert.strictEqual((yield* send(path, post("12345"))).status, 413, path)
        assert.strictEqual((yield* send(path, post("1234"))).status, 200, path)
      }
    })
  )

  it.effect("a body without a length is cut where it passes the limit", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 4 }), Routes))
      for (const path of ["/text", "/json", "/bytes", "/stream"]) {
        assert.strictEqual((yield* send(path, chunked(["12", "345"]))).status, 413, path)
        assert.strictEqual((yield* send(path, chunked(["12", "34"]))).status, 200, path)
      }
      assert.strictEqual(yield* textOf(yield* send("/stream", chunked(["12", "34"]))), "1234")
      assert.strictEqual((yield* send("/unread", chunked(["12345"]))).status, 200)
    })
  )

  it.effect("the limit holds below a prefix, where the router changes the request", () =>
    Effect.gen(function* () {
      const Prefixed = HttpRouter.use((router) =>
        router.prefixed("/v1").add(
          "POST",
          "/stream",
          Effect.flatMap(HttpServerRequest, (request) =>
            Effect.map(Stream.mkString(Stream.decodeText(request.stream)), (text) =>
              HttpServerResponse.text(request.url + text)
            )
          )
        )
      )
      const send = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 4 }), Prefixed))
      assert.strictEqual(yield* textOf(yield* send("/v1/stream", chunked(["12", "34"]))), "/stream1234")
      assert.strictEqual((yield* send("/v1/stream", chunked(["12", "345"]))).status, 413)
    })
  )

  it.effect("of a router's limit and a route's, the smaller one holds", () =>
    Effect.gen(function* () {
      const limited = (maxBody: number) =>
        Layer.provide(Routes, HttpRouter.middleware(BodyLimit.make({ maxBody })).layer)
      const smaller = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 8 }), limited(4)))
      const greater = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 4 }), limited(8)))
      for (const send of [smaller, greater]) {
        for (const path of ["/text", "/stream"]) {
          assert.strictEqual((yield* send(path, post("12345"))).status, 413)
          assert.strictEqual((yield* send(path, chunked(["12345"]))).status, 413)
          assert.strictEqual((yield* send(path, chunked(["1234"]))).status, 200)
        }
      }
    })
  )

  it.effect("by default bodies have 2 MiB", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BodyLimit.layer(), Routes))
      const most = "x".repeat(2 * 1024 * 1024)
      assert.strictEqual((yield* send("/bytes", post(most))).status, 200)
      assert.strictEqual((yield* send("/bytes", post(`${most}x`))).status, 413)
    })
  )

  it.effect("requests without a body pass", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(BodyLimit.layer({ maxBody: 4 }), Routes))
      assert.strictEqual((yield* send("/unread")).status, 200)
      assert.strictEqual((yield* send("/unread", { method: "POST" })).status, 200)
    })
  )

  it("a limit that makes no sense is a mistake", () => {
    assert.throws(() => BodyLimit.make({ maxBody: 0 }), RangeError, /maxBody/)
  })
})
