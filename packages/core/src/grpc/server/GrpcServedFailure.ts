/**
 * What has gone wrong in a call: what its client is told, and what this side
 * writes down because nobody else would hear of it.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { ServedMethod } from "./GrpcServed.ts"

/** Who wanted a handler to stop. @category models */
export type InterruptedBy = "nobody" | "peer" | "server"

/** The status of a handler that ended so; a defect is logged. @category constructors */
export const errorOf = (
  served: ServedMethod,
  cause: Cause.Cause<GrpcError.GrpcError>,
  by: InterruptedBy
): GrpcError.GrpcError => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && reason.error instanceof GrpcError.GrpcError) return told(served, reason.error)
  }
  if (!Cause.hasInterruptsOnly(cause)) {
    report(served, cause)
    return GrpcError.unknown("")
  }
  return interruptions[by]
}

/** The time of a call is over. Made once: clients may set as many deadlines as they like. @category constructors */
export const overdue: GrpcError.GrpcError = GrpcError.deadlineExceeded("the deadline of the call is over")

/** Made once: a client may give up as many calls as it likes. */
const interruptions: Readonly<Record<InterruptedBy, GrpcError.GrpcError>> = {
  nobody: GrpcError.cancelled("the handler was interrupted"),
  peer: GrpcError.cancelled(""),
  server: GrpcError.unavailable("the server is shutting down")
}

/** What this side could not do is its own mistake, and would leave no trace otherwise. @category reporting */
export const told = (served: ServedMethod, error: GrpcError.GrpcError): GrpcError.GrpcError => {
  if (error.reason._tag === "Internal" && error.cause !== undefined) report(served, Cause.fail(error))
  return error
}

/** @category reporting */
export const report = ({ context, method }: ServedMethod, cause: Cause.Cause<unknown>): void => {
  Effect.runForkWith(context)(
    Effect.annotateLogs(Effect.logError("Unhandled error in a gRPC handler", cause), { method: method.path })
  )
}

/** The trailers of an error. Details that are none, from a program without types, are logged and left out. @category writing */
export const trailersOf = (served: ServedMethod, error: GrpcError.GrpcError): FieldsInput => {
  try {
    return GrpcError.toTrailers(error)
  } catch (defect) {
    report(served, Cause.die(defect))
    return GrpcStatus.trailers(error.reason.code, "")
  }
}

/**
 * A method of one reply that has another number of them: interceptors may
 * answer in place of the handler, or run it again. Its client would take that
 * for a broken server.
 *
 * @category constructors
 */
export const wrongCount = (count: "no" | "two"): GrpcError.GrpcError =>
  GrpcError.internal(`the method has one reply, but there were ${count}`, {
    fault: "caller",
    cause: new Error("an interceptor did not run the handling of a call, or ran it again behind its reply")
  })

/** More metadata than the client takes. It is told and nobody else: otherwise it could fill the log. @category constructors */
export const unsendable: GrpcError.GrpcError = GrpcError.internal("the metadata cannot be sent", { fault: "caller" })
