import { assert, describe, it } from "@effect/vitest"
import * as RequestId from "@sluice/core/middleware/RequestId"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { serve, textOf } from "./App.ts"

const Routes = Layer.mergeAll(
  HttpRouter.add(
    "GET",
    "/",
    Effect.gen(function* () {
      const id = yield* RequestId.CurrentRequestId
      yield* Effect.log("handled")
      return HttpServerResponse.text(id)
    })
  ),
  HttpRouter.add("GET", "/fails", Effect.die("broken"))
)

describe("RequestId", () => {
  it.effect("an id that a request brings goes to the handler, the logs and the response", () => {
    const logs = new LogRecorder()
    return logs.listen(
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(RequestId.layer(), Routes))
        const response = yield* send("/", { headers: { "x-request-id": "Trace_1.a-b" } })
        assert.strictEqual(response.headers.get("x-request-id"), "Trace_1.a-b")
        assert.strictEqual(yield* textOf(response), "Trace_1.a-b")
        assert.deepStrictEqual(
          logs.entries.map((entry) => [entry.message, entry.annotations["http.request_id"]]),
          [["handled", "Trace_1.a-b"]]
        )
      })
    )
  })

  it.effect("without one, requests are numbered after a random word", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestId.layer(), Routes))
      const ids: Array<string> = []
      for (let index = 0; index < 37; index++) ids.push((yield* send("/")).headers.get("x-request-id") ?? "")
      assert.match(ids[0]!, /^[0-9a-f]{16}-1$/)
      const word = ids[0]!.slice(0, 16)
      assert.strictEqual(ids[36], `${word}-11`)
      assert.strictEqual(new Set(ids).size, 37)
    }).pipe(Random.withSeed("ids"))
  )

  it.effect("what does not look like an id is replaced", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestId.layer(), Routes))
      for (const brought of ["", "a b", "a;b", "é", "x".repeat(129), "<script>"]) {
        const response = yield* send("/", { headers: { "x-request-id": brought } })
        assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f]{16}-\w+$/, brought)
      }
      const longest = "x".repeat(128)
      const kept = yield* send("/", { headers: { "x-request-id": longest } })
      assert.strictEqual(kept.headers.get("x-request-id"), longest)
    })
  )

  it.effect("failures and unknown paths have an id too", () =>
    Effect.gen(function* () {
      const send = yield* serve(Layer.mergeAll(RequestId.layer(), Routes))
      for (const [path, status] of [
        ["/fails", 500],
        ["/nowhere", 404]
      ] as const) {
        const response = yield* send(path, { headers: { "x-request-id": "r" } })
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers.get("x-request-id"), "r")
      }
    })
  )

  it.effect("the access log has the id", () => {
    const logs = new LogRecorder()
    return logs.listen(
      Effect.gen(function* () {
        const send = yield* serve(Layer.mergeAll(RequestId.layer(), Routes), HttpMiddleware.logger)
        yield* send("/", { headers: { "x-request-id": "r" } })
        assert.deepStrictEqual(
          logs.entries.map((entry) => [entry.message, entry.annotations["http.request_id"]]),
          [
            ["handled", "r"],
            ["Sent HTTP response", "r"]
          ]
        )
      })
    )
  })

  it.effect("the field, the annotation, and the trust in ids can be chosen", () => {
    const logs = new LogRecorder()
    return logs.listen(
      Effect.gen(function* () {
        const send = yield* serve(
          Layer.mergeAll(
            RequestId.layer({ header: "X-Correlation", incoming: "ignore", annotation: "correlation" }),
            Routes
          )
        )
        const response = yield* send("/", { headers: { "x-correlation": "mine" } })
        const id = response.headers.get("x-correlation")
        assert.notStrictEqual(id, "mine")
        assert.strictEqual(logs.entries[0]?.annotations.correlation, id)
      })
    )
  })

  it.effect("on a single route, others have none", () =>
    Effect.gen(function* () {
      const One = HttpRouter.add("GET", "/one", Effect.map(RequestId.CurrentRequestId, HttpServerResponse.text)).pipe(
        Layer.provide(HttpRouter.middleware(RequestId.make()).layer)
      )
      const send = yield* serve(Layer.mergeAll(One, Routes))
      const one = yield* send("/one")
      assert.strictEqual(one.headers.get("x-request-id"), yield* textOf(one))
      const other = yield* send("/")
      assert.isNull(other.headers.get("x-request-id"))
      assert.strictEqual(yield* textOf(other), "")
    })
  )

  it("a header that is no field name is a mistake", () => {
    assert.throws(() => RequestId.make({ header: "a b" }), RangeError, /header/)
  })
})
