/**
 * Whether the server that serves the current request drains.
 *
 * Handlers that run for long look at it to end in good time; the readiness
 * check turns to 503 by it, so that a load balancer sends no more.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** @category models */
export interface DrainState {
  readonly isDraining: () => boolean
  /** Completes when the drain begins. */
  readonly begun: Effect.Effect<void>
}

/**
 * What a request sees of its server's drain. Outside of a server nothing drains.
 *
 * @category references
 */
export const Draining: Context.Reference<DrainState> = Context.Reference<DrainState>("@sluice/core/server/Draining", {
  defaultValue: () => ({ isDraining: () => false, begun: Effect.never })
})
