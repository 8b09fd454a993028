import { assert, describe, it } from "@effect/vitest"
import * as Deadline from "@sluice/core/service/Deadline"
import * as ServiceError from "@sluice/core/service/ServiceError"
import * as Trace from "@sluice/core/service/Trace"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** The spans that are made, in order. */
const recorded = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return Effect.as(Effect.exit(Effect.provideService(effect, Tracer.Tracer, tracer)), spans)
}

describe("Trace", () => {
  it.effect("a call has a span, with what was left of the deadline and how it ended", () =>
    Effect.gen(function* () {
      const trace = Trace.make({
        name: (call: { readonly method: string }) => `users/${call.method}`,
        attributes: (call) => ({ method: call.method })
      })
      const call = trace({ method: "get" })(ServiceError.fail(new ServiceError.TimedOut(1)))
      const [span] = yield* recorded(Deadline.make({ within: 70 })(call))
      assert.strictEqual(span?.name, "users/get")
      assert.strictEqual(span.kind, "client")
      assert.deepStrictEqual(Object.fromEntries(span.attributes), {
        method: "get",
        "sluice.deadline.remaining_ms": 70,
        "sluice.outcome": "TimedOut"
      })
      assert.strictEqual(span.status._tag, "Ended")
    })
  )

  it.effect("without a deadline it says none; what is nested is its child", () =>
    Effect.gen(function* () {
      const trace = Trace.make({ name: "outer", kind: "internal" })
      const spans = yield* recorded(trace()(Effect.withSpan(Effect.void, "inner")))
      assert.deepStrictEqual(
        spans.map(({ name, kind }) => [name, kind]),
        [
          ["outer", "internal"],
          ["inner", "internal"]
        ]
      )
      assert.deepStrictEqual(Object.fromEntries(spans[0]!.attributes), { "sluice.outcome": "success" })
      assert.strictEqual(spans[1]!.traceId, spans[0]!.traceId)
    })
  )
})
