/**
 * A context to which a server adds services for each connection or request.
 *
 * Effect's contexts are layers on a map, and copied whole beyond some depth:
 * from a flat base, what is added later never comes so far.
 *
 * @internal
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/** The same services in one map. @category constructors */
export const make = (context: Context.Context<never>): Context.Context<never> =>
  Context.makeUnsafe(new Map(context.mapUnsafe))
