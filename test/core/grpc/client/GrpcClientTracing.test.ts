import { assert, describe, it } from "@effect/vitest"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClientTracing from "@sluice/core/grpc/client/GrpcClientTracing"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Effect from "effect/Effect"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"
import * as Spans from "../../../harness/SpanRecorder.ts"

const method = GrpcMethod.of(Greeter)[0]!

/** A call, the options that it was made with in the end, and its spans. */
const made = (
  options: GrpcCallOptions,
  tracing?: GrpcClientTracing.Options,
  answer: Effect.Effect<string, GrpcError.GrpcError> = Effect.succeed("reply")
) =>
  Effect.gen(function* () {
    const recorder = new Spans.SpanRecorder()
    let last: GrpcCallOptions | undefined
    const call = GrpcClientTracing.make(tracing)({ method, options }, (given) => {
      last = given
      return answer
    })
    const exit = yield* Effect.exit(recorder.record(call))
    return { exit, options: last!, spans: recorder.spans }
  })

describe("GrpcClientTracing", () => {
  it.effect("a span, and the server is told of it", () =>
    Effect.gen(function* () {
      const { exit, options, spans } = yield* made({ timeout: "1 second" }, { attributes: { "server.address": "a" } })
      const [span] = spans
      assert.strictEqual(exit._tag === "Success" && exit.value, "reply")
      assert.deepStrictEqual([span!.name, span!.kind, Spans.outcome(span!)], ["hello.Greeter/SayHello", "client", "ok"])
      assert.deepStrictEqual(Spans.attributes(span!), {
        "rpc.system.name": "grpc",
        "rpc.method": "hello.Greeter/SayHello",
        "server.address": "a",
        "rpc.response.status_code": "OK"
      })
      assert.strictEqual(options.timeout, "1 second")
      assert.strictEqual(options.metadata!.get("traceparent"), `00-${span!.traceId}-${span!.spanId}-01`)
      assert.strictEqual(options.metadata!.get("b3"), `${span!.traceId}-${span!.spanId}-1`)
    })
  )
  it.effect("beside the call's own metadata, and in place of another span", () =>
    Effect.gen(function* () {
      const metadata = GrpcMetadata.make({ "x-tenant": "t", traceparent: "old" })
      const { options, spans } = yield* made({ metadata })
      assert.deepStrictEqual(options.metadata!.getAll("traceparent"), [
        `00-${spans[0]!.traceId}-${spans[0]!.spanId}-01`
      ])
      assert.strictEqual(options.metadata!.get("x-tenant"), "t")
      assert.strictEqual(metadata.get("traceparent"), "old")
    })
  )
  it.effect("the server is not told where that is asked for, or tracing is off", () =>
    Effect.gen(function* () {
      const silent = yield* made({}, { propagation: "off" })
      assert.lengthOf(silent.spans, 1)
      assert.isUndefined(silent.options.metadata)
      const off = yield* Effect.withTracerEnabled(made({}), false)
      assert.lengthOf(off.spans, 0)
      assert.isUndefined(off.options.metadata)
    })
  )
  it.effect("calls that are left out have none", () =>
    Effect.gen(function* () {
      const { options, spans } = yield* made({}, { isTraced: ({ method }) => method.name !== "SayHello" })
      assert.deepStrictEqual([options, spans.length], [{}, 0])
    })
  )
  it.effect("a call that fails", () =>
    Effect.gen(function* () {
      const { exit, spans } = yield* made({}, undefined, Effect.fail(GrpcError.notFound("no Ada")))
      assert.strictEqual(exit._tag, "Failure")
      assert.strictEqual(spans[0]!.attributes.get("error.type"), "NOT_FOUND")
      assert.include(Spans.outcome(spans[0]!), "no Ada")
    })
  )
  it.effect("a caller that goes has cancelled its call", () =>
    Effect.gen(function* () {
      const { spans } = yield* made({}, undefined, Effect.interrupt)
      assert.strictEqual(spans[0]!.attributes.get("rpc.response.status_code"), "CANCELLED")
      assert.strictEqual(Spans.outcome(spans[0]!), "interrupted")
    })
  )
})
