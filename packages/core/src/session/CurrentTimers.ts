/**
 * The timers of the server that serves the current request: what takes its
 * connection over shares them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Timers from "./Timers.ts"

/**
 * `undefined` outside of a server.
 *
 * @category references
 */
export const CurrentTimers: Context.Reference<Timers.Timers | undefined> = Context.Reference<Timers.Timers | undefined>(
  "@sluice/core/session/CurrentTimers",
  { defaultValue: () => undefined }
)

/** The server's timers; outside of a server new ones, for the lifetime of the scope. @category accessors */
export const getOrMake: Effect.Effect<Timers.Timers, never, Scope.Scope> = Effect.flatMap(
  Effect.service(CurrentTimers),
  (timers) => (timers === undefined ? Timers.make : Effect.succeed(timers))
)
