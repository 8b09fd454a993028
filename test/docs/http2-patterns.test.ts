/** The programs of docs/patterns for HTTP/2 do what they say. */
import { assert, describe, it } from "@effect/vitest"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import { getAll } from "../../docs/patterns/23-http2-client.ts"
import * as Http2ClientWorld from "../harness/Http2ClientWorld.ts"
import { turns } from "../harness/TransportContract.ts"
import { converse, routes, target } from "./WebInMemory.ts"

const served = routes(
  HttpRouter.add("GET", "/number/:number", (request) => Effect.succeed(HttpServerResponse.text(request.url)))
)

describe("23 HTTP/2 client", () => {
  it.effect("asks a server of ours for more than it takes at a time", () =>
    converse(
      served,
      Effect.gen(function* () {
        const paths = Array.from({ length: 300 }, (_, index) => `/number/${index}`)
        assert.deepStrictEqual(yield* getAll(target, paths), paths)
      })
    )
  )

  it.effect("asks again where the server has not looked, and gives one up that takes too long", () =>
    Effect.gen(function* () {
      let refused = 0
      const world = yield* Http2ClientWorld.make({
        conduct: (request) => {
          if (request.head.path === "/busy" && refused++ < 2) request.reset(Code.RefusedStream)
          else if (request.head.path !== "/silent") request.respond(200, {}, "ok")
        }
      })
      const get = (...paths: ReadonlyArray<string>) => Effect.provide(getAll(target, paths), world.dialer)
      assert.deepStrictEqual(yield* get("/", "/busy"), ["ok", "ok"])
      assert.strictEqual(refused, 3)
      const asking = yield* Effect.forkChild(Effect.flip(get("/", "/silent")), { startImmediately: true })
      yield* turns
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(asking))._tag, "TimeoutError")
      yield* turns
      assert.deepInclude(world.server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
    })
  )
})
