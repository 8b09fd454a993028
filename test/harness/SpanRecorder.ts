/** A tracer that keeps its spans, and a look at them. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export class SpanRecorder {
  readonly spans: Array<Tracer.NativeSpan> = []

  /** Has `effect` record its spans here. */
  readonly record = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withTracer(
      effect,
      Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          this.spans.push(span)
          return span
        }
      })
    )

  /** The spans of a name. */
  named(name: string): ReadonlyArray<Tracer.NativeSpan> {
    return this.spans.filter((span) => span.name === name)
  }
}

/** `ok`, `interrupted`, what it failed with, or `open`. */
export const outcome = ({ status }: Tracer.Span): string => {
  if (status._tag === "Started") return "open"
  if (status.exit._tag === "Success") return "ok"
  return Cause.hasInterruptsOnly(status.exit.cause) ? "interrupted" : String(Cause.squash(status.exit.cause))
}

export const attributes = (span: Tracer.Span): Record<string, unknown> => Object.fromEntries(span.attributes)

/** `traceId/spanId` of the parent; `undefined` for none. */
export const parent = (span: Tracer.Span): string | undefined =>
  Option.match(span.parent, { onNone: () => undefined, onSome: ({ traceId, spanId }) => `${traceId}/${spanId}` })
