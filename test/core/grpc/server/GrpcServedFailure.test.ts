import { assert, describe, it } from "@effect/vitest"
import type * as GrpcServed from "@sluice/core/grpc/server/GrpcServed"
import * as GrpcServedFailure from "@sluice/core/grpc/server/GrpcServedFailure"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { LogRecorder } from "../../../harness/LogRecorder.ts"

/** What `of` makes of a method, and how much was logged. */
const logged = <A>(of: (served: GrpcServed.ServedMethod) => A) =>
  Effect.gen(function* () {
    const logs = new LogRecorder()
    const context = yield* logs.listen(Effect.context<never>())
    const result = of({ context, method: { path: "/a.B/C" } } as GrpcServed.ServedMethod)
    return [result, logs.entries.map(({ annotations }) => annotations)] as const
  })

const told = { method: "/a.B/C" }

describe("GrpcServedFailure", () => {
  const cases: ReadonlyArray<
    readonly [
      what: string,
      cause: Cause.Cause<GrpcError.GrpcError>,
      by: GrpcServedFailure.InterruptedBy,
      message: string,
      logs: "logged" | "silent"
    ]
  > = [
    ["its own error", Cause.fail(GrpcError.notFound("x")), "nobody", "NOT_FOUND: x", "silent"],
    ["a defect", Cause.die("x"), "nobody", "UNKNOWN", "logged"],
    ["an error that is none of gRPC", Cause.fail(new Error("x") as never), "nobody", "UNKNOWN", "logged"],
    ["a client that has gone", Cause.interrupt(1), "peer", "CANCELLED", "silent"],
    ["a server that stops", Cause.interrupt(1), "server", "UNAVAILABLE: the server is shutting down", "silent"],
    ["itself", Cause.interrupt(1), "nobody", "CANCELLED: the handler was interrupted", "silent"],
    ["an inner mistake", Cause.fail(GrpcError.internal("x", { cause: 1 })), "nobody", "INTERNAL: x", "logged"],
    ["INTERNAL that it chose", Cause.fail(GrpcError.internal("x")), "nobody", "INTERNAL: x", "silent"]
  ]
  for (const [what, cause, by, message, logs] of cases) {
    it.effect(`a handler that ends by ${what}: ${message}`, () =>
      Effect.gen(function* () {
        const [error, entries] = yield* logged((served) => GrpcServedFailure.errorOf(served, cause, by))
        assert.strictEqual(error.message, message)
        assert.deepStrictEqual(entries, logs === "logged" ? [told] : [])
      })
    )
  }

  it.effect("details that are none are logged, and the code is told all the same", () =>
    Effect.gen(function* () {
      const details = [GrpcErrorDetails.BadRequest({} as never)]
      const [trailers, entries] = yield* logged((served) =>
        GrpcServedFailure.trailersOf(served, GrpcError.notFound("x", { details }))
      )
      assert.deepStrictEqual(trailers, { "grpc-status": "5" })
      assert.deepStrictEqual(entries, [told])
    })
  )

  it("what interceptors and metadata do wrong is this side's mistake", () => {
    for (const error of [GrpcServedFailure.wrongCount("no"), GrpcServedFailure.unsendable]) {
      assert.deepStrictEqual([error.reason._tag, error.reason.fault], ["Internal", "caller"])
    }
    // Without a cause it is not logged: clients could fill the log by taking little.
    assert.isDefined(GrpcServedFailure.wrongCount("no").cause)
    assert.isUndefined(GrpcServedFailure.unsendable.cause)
  })
})
