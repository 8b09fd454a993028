import { assert, describe, it } from "@effect/vitest"
import * as Problem from "@sluice/core/middleware/Problem"
import * as RequestId from "@sluice/core/middleware/RequestId"
import * as RequestRefused from "@sluice/core/middleware/RequestRefused"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { serve, textOf } from "./App.ts"

const Routes = Layer.mergeAll(
  HttpRouter.add("GET", "/fine", HttpServerResponse.text("fine")),
  HttpRouter.add("GET", "/empty", HttpServerResponse.empty({ status: 204 })),
  HttpRouter.add("GET", "/blank", HttpServerResponse.empty({ status: 200 })),
  HttpRouter.add("GET", "/defect", Effect.die("broken")),
  HttpRouter.add(
    "GET",
    "/invalid",
    Effect.as(Schema.decodeUnknownEffect(Schema.String)(1), HttpServerResponse.empty())
  ),
  HttpRouter.add("GET", "/refused", RequestRefused.fail(new RequestRefused.Overloaded(1, 2))),
  HttpRouter.add("GET", "/own", HttpServerResponse.text("mine", { status: 400 })),
  HttpRouter.add("GET", "/odd", HttpServerResponse.empty({ status: 499 }))
)

const rows: ReadonlyArray<readonly [path: string, status: number, title: string]> = [
  ["/defect", 500, "Internal Server Error"],
  ["/invalid", 400, "Bad Request"],
  ["/refused", 503, "Service Unavailable"],
  ["/nowhere", 404, "Not Found"],
  ["/odd", 499, ""]
]

describe("Problem", () => {
  for (const [path, status, title] of rows) {
    it.effect(`RFC 9457 §3: ${path} is a problem of status ${status}`, () =>
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(Problem.layer, Routes))
        const response = yield* send(path)
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers.get("content-type"), "application/problem+json")
        const text = yield* textOf(response)
        assert.deepStrictEqual(JSON.parse(text), {
          type: "about:blank",
          status,
          ...(title === "" ? {} : { title })
        })
        assert.strictEqual(response.headers.get("content-length"), String(text.length))
      })
    )
  }

  it.effect("fields of the refusal stay, and the request's id is in the problem", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestId.layer(), Problem.layer, Routes))
      const response = yield* send("/refused", { headers: { "x-request-id": "r" } })
      assert.strictEqual(response.headers.get("retry-after"), "2")
      assert.strictEqual(JSON.parse(yield* textOf(response)).requestId, "r")
    })
  )

  it.effect("what is no failure, or has a body, stays", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(Problem.layer, Routes))
      assert.strictEqual(yield* textOf(yield* send("/fine")), "fine")
      for (const path of ["/empty", "/blank"]) {
        const response = yield* send(path)
        assert.isNull(response.headers.get("content-type"))
        assert.strictEqual(yield* textOf(response), "")
      }
      const own = yield* send("/own")
      assert.strictEqual(own.status, 400)
      assert.strictEqual(yield* textOf(own), "mine")
    })
  )

  it.effect("on a single route, others have none", () =>
    Effect.gen(function* () {
      const One = HttpRouter.middleware(Problem.make)
      const send = yield* serve(
        Layer.mergeAll(HttpRouter.add("GET", "/one", Effect.die("broken")).pipe(Layer.provide(One.layer)), Routes)
      )
      assert.strictEqual((yield* send("/one")).headers.get("content-type"), "application/problem+json")
      assert.isNull((yield* send("/defect")).headers.get("content-type"))
    })
  )
})
