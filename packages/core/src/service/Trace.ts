/**
 * A span for each call, or inside of `Retry` and `Hedge` for each attempt: so a
 * trace shows what a policy did, an attempt beside the other.
 *
 * It is Effect's span with what a reader looks for first: what is left of the
 * deadline when the call begins (`sluice.deadline.remaining_ms`), and how it
 * ended (`sluice.outcome`, in the words of `Metrics`).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import * as Deadline from "./Deadline.ts"
import * as Metrics from "./Metrics.ts"
import * as MonotonicMillis from "./MonotonicMillis.ts"
import type { PerCall } from "./Policy.ts"

/** @category options */
export interface Options<I> {
  /** The name of the span: few of them, without numbers and identifiers. */
  readonly name: string | ((call: I) => string)
  readonly attributes?: ((call: I) => Readonly<Record<string, unknown>>) | undefined
  /** Default `"client"`. */
  readonly kind?: Tracer.SpanKind | undefined
}

/** @category constructors */
export const make = <I = void>(options: Options<I>): PerCall<I> => {
  const kind = options.kind ?? "client"
  const { name, attributes } = options
  return (call) =>
    <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.withFiber((fiber): Effect.Effect<A, E, R> => {
        const leftMillis = Deadline.remainingMillis(fiber.context, () => MonotonicMillis.now(fiber))
        const all: Record<string, unknown> = { ...attributes?.(call) }
        if (leftMillis !== Number.POSITIVE_INFINITY) all["sluice.deadline.remaining_ms"] = Math.round(leftMillis)
        return Effect.useSpan(typeof name === "string" ? name : name(call), { kind, attributes: all }, (span) =>
          Effect.onExitPrimitive(Effect.withParentSpan(self, span), (exit) => {
            span.attribute("sluice.outcome", Metrics.outcomeOf(exit))
            return undefined
          })
        ) as Effect.Effect<A, E, R>
      })
}
