import { assert, describe, it } from "@effect/vitest"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcSpan from "@sluice/core/grpc/GrpcSpan"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Greeter } from "../../harness/protobuf/hello_pb.ts"
import * as Spans from "../../harness/SpanRecorder.ts"

const method = GrpcMethod.of(Greeter)[0]!

/** One call, and the span around it. */
const spanOf = (
  role: "server" | "client",
  call: Effect.Effect<void, GrpcError.GrpcError>,
  interruption: GrpcStatus.FailureCode = GrpcStatus.Cancelled
) =>
  Effect.gen(function* () {
    const recorder = new Spans.SpanRecorder()
    const parts = {
      role,
      method,
      parent: undefined,
      attributes: { own: 1 },
      interruption: Effect.succeed(interruption)
    }
    yield* recorder.record(Effect.exit(GrpcSpan.around(parts, () => call)))
    assert.lengthOf(recorder.spans, 1)
    return recorder.spans[0]!
  })

describe("GrpcSpan", () => {
  it.effect("has the names of the conventions", () =>
    Effect.gen(function* () {
      const span = yield* spanOf("server", Effect.void)
      assert.deepStrictEqual([span.name, span.kind, Spans.outcome(span)], ["hello.Greeter/SayHello", "server", "ok"])
      assert.deepStrictEqual(Spans.attributes(span), {
        "rpc.system.name": "grpc",
        "rpc.method": "hello.Greeter/SayHello",
        own: 1,
        "rpc.response.status_code": "OK"
      })
    })
  )

  const { Cancelled, DeadlineExceeded } = GrpcStatus
  const fails = Effect.fail(GrpcError.notFound("no Ada"))
  const breaks = Effect.fail(GrpcError.internal("broken"))
  const dies = Effect.die(new Error("a mistake"))
  const rows: ReadonlyArray<
    readonly [
      what: string,
      role: "server" | "client",
      call: Effect.Effect<never, GrpcError.GrpcError>,
      interruption: GrpcStatus.FailureCode,
      code: string,
      errorType: string | undefined,
      outcome: RegExp
    ]
  > = [
    ["no failure of a server", "server", fails, Cancelled, "NOT_FOUND", undefined, /^ok$/],
    ["a failure of a client's call", "client", fails, Cancelled, "NOT_FOUND", "NOT_FOUND", /no Ada/],
    ["a failure of a server", "server", breaks, Cancelled, "INTERNAL", "INTERNAL", /broken/],
    ["a defect", "server", dies, Cancelled, "UNKNOWN", "UNKNOWN", /a mistake/],
    ["a client that has gone", "server", Effect.interrupt, Cancelled, "CANCELLED", undefined, /^interrupted$/],
    ["a caller that has gone", "client", Effect.interrupt, Cancelled, "CANCELLED", "CANCELLED", /^interrupted$/],
    [
      "a deadline",
      "server",
      Effect.interrupt,
      DeadlineExceeded,
      "DEADLINE_EXCEEDED",
      "DEADLINE_EXCEEDED",
      /was interrupted/
    ]
  ]
  for (const [what, role, call, interruption, code, errorType, expected] of rows) {
    it.effect(`${what}: ${code}`, () =>
      Effect.gen(function* () {
        const span = yield* spanOf(role, call, interruption)
        assert.strictEqual(span.attributes.get("rpc.response.status_code"), code)
        assert.strictEqual(span.attributes.get("error.type"), errorType)
        assert.match(Spans.outcome(span), expected)
      })
    )
  }

  it.effect("takes as long as its call, also when that fails", () =>
    Effect.gen(function* () {
      for (const call of [Effect.void, fails, breaks]) {
        const started = yield* Effect.clockWith((clock) => Effect.succeed(clock.currentTimeNanosUnsafe()))
        const adjusted = Effect.andThen(TestClock.adjust("2 seconds"), call)
        const { status } = yield* spanOf("server", adjusted)
        if (status._tag !== "Ended") return assert.fail("it is open")
        assert.deepStrictEqual([status.startTime, status.endTime - status.startTime], [started, 2_000_000_000n])
      }
    })
  )

  it.effect("is the parent of spans within it, and the child of the one that is given, or was there", () =>
    Effect.gen(function* () {
      const recorder = new Spans.SpanRecorder()
      const parts = {
        role: "client",
        method,
        parent: undefined,
        attributes: {},
        interruption: Effect.succeed<GrpcStatus.FailureCode>(Cancelled)
      } as const
      const call = GrpcSpan.around(parts, () => Effect.withSpan(Effect.void, "inner"))
      yield* recorder.record(Effect.withSpan(call, "outer"))
      const [outer, span, inner] = recorder.spans
      assert.deepStrictEqual(
        [Spans.parent(span!), Spans.parent(inner!)],
        [`${outer!.traceId}/${outer!.spanId}`, `${outer!.traceId}/${span!.spanId}`]
      )
    })
  )
})
