/**
 * A span around a call, by the names of OpenTelemetry's semantic conventions
 * for gRPC.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import * as GrpcError from "../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../protocol/grpc/GrpcStatus.ts"
import * as GrpcConventions from "./GrpcConventions.ts"
import type { GrpcMethod } from "./GrpcMethod.ts"

/** @category models */
export interface Parts {
  readonly role: GrpcConventions.Role
  readonly method: GrpcMethod
  /** `undefined`: the span that is there, if any. */
  readonly parent: Tracer.AnySpan | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  /** What it means that the call is interrupted. */
  readonly interruption: Effect.Effect<GrpcStatus.FailureCode>
}

/** Runs a call within a span, which is the parent of those in it. @category combinators */
export const around = <A, R>(
  { attributes, interruption, method, parent, role }: Parts,
  call: (span: Tracer.Span) => Effect.Effect<A, GrpcError.GrpcError, R>
): Effect.Effect<A, GrpcError.GrpcError, R> => {
  const name = GrpcConventions.methodName(method)
  const options: Tracer.SpanOptionsNoTrace = {
    kind: role,
    parent,
    attributes: { ...GrpcConventions.system, "rpc.method": name, ...attributes }
  }
  return Effect.useSpan(name, options, (span) =>
    Effect.withParentSpan(call(span), span, { captureStackTrace: false }).pipe(
      Effect.onExit((exit) => Effect.flatMap(codeOf(exit, interruption), (code) => end(span, role, exit, code)))
    )
  )
}

const codeOf = (
  exit: Exit.Exit<unknown, GrpcError.GrpcError>,
  interruption: Effect.Effect<GrpcStatus.FailureCode>
): Effect.Effect<GrpcStatus.Code> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(GrpcStatus.Ok)
  const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  if (failure?.error instanceof GrpcError.GrpcError) return Effect.succeed(failure.error.reason.code)
  return Cause.hasInterruptsOnly(exit.cause) ? interruption : Effect.succeed(GrpcStatus.Unknown)
}

/**
 * What is no error of this side ends the span well, as NOT_FOUND for a server;
 * whoever made the span ends it with `exit` otherwise.
 */
const end = (
  span: Tracer.Span,
  role: GrpcConventions.Role,
  exit: Exit.Exit<unknown, GrpcError.GrpcError>,
  code: GrpcStatus.Code
): Effect.Effect<void> => {
  const { attributes, isError } = GrpcConventions.statusOf(role, code)
  for (const name of Object.keys(attributes)) span.attribute(name, attributes[name])
  if (Exit.isSuccess(exit) || code === GrpcStatus.Ok) return Effect.void
  // A fiber that is interrupted at its deadline says that no more than one whose client has gone.
  const isInterrupted = Cause.hasInterruptsOnly(exit.cause)
  if (isInterrupted ? code === GrpcStatus.Cancelled : isError) return Effect.void
  const ended = isError ? Exit.fail(GrpcError.make(code, "the call was interrupted")) : Exit.void
  return Effect.clockWith((clock) => Effect.sync(() => span.end(clock.currentTimeNanosUnsafe(), ended)))
}
