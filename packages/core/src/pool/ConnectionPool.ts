/**
 * A pool of connections: opened when needed, lent to one borrower at a time,
 * tested, replaced when they are old or broken, and closed with their scope.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const pool = yield* ConnectionPool.make({
 *     connect: Effect.acquireRelease(openDatabase, (database) => database.close),
 *     test: (database) => database.ping,
 *     maxConnections: 20
 *   })
 *   return yield* pool.use((database) => database.query("select 1"))
 * })
 * ```
 *
 * It is not built on Effect's `Pool`, since that cannot keep what this one
 * promises (both are shown by tests): `Pool.invalidate` opens the replacement
 * while the borrower still has the broken one, so that there are more than the
 * maximum; and it opens connections one batch after the other, so that a single
 * `connect` which hangs or backs off holds up all others. Nor can it give back
 * to a borrower whose connection fails a test its place in the line, or end
 * before the last borrower does. It has what this one has not: a resource that
 * several borrowers share.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as PoolAcquire from "./PoolAcquire.ts"
import { PoolCore } from "./PoolCore.ts"
import type { PoolError } from "./PoolError.ts"
import * as PoolOptions from "./PoolOptions.ts"
import * as PoolShutdown from "./PoolShutdown.ts"
import * as PoolStats from "./PoolStats.ts"

/** @category options */
export interface Options<A, E, R = never> extends PoolOptions.Options<A, E, Exclude<R, Scope.Scope>>, PoolOptions.Size {
  /** Opens one connection. What it adds to its scope closes it. */
  readonly connect: Effect.Effect<A, E, R>
}

/** How a shutdown went. @category models */
export type Report = PoolShutdown.Report

/** @category models */
export interface ConnectionPool<A, E = never> {
  /**
   * A connection, until the scope closes. Those who wait get one in the order
   * in which they came. Fails with a `PoolError`, or as `connect` does.
   */
  readonly get: Effect.Effect<A, E | PoolError, Scope.Scope>
  /** A connection while the effect runs. Cheaper than `get` and a scope. */
  readonly use: <B, E2, R2>(f: (connection: A) => Effect.Effect<B, E2, R2>) => Effect.Effect<B, E | E2 | PoolError, R2>
  /** The connection is broken: nobody gets it any more, and it is closed as soon as its borrower gives it back. */
  readonly invalidate: (connection: A) => Effect.Effect<void>
  /**
   * Closes the pool before its scope does: nobody gets a connection any more,
   * borrowers may finish until `drainTimeout`, and what they have then is closed.
   */
  readonly shutdown: Effect.Effect<Report>
  readonly stats: Effect.Effect<PoolStats.Stats>
}

/**
 * A pool that is shut down when its scope closes. It does not wait for the
 * minimum to be open. An option that makes no sense is a defect that names it.
 *
 * @category constructors
 */
export const make = <A, E, R>(
  options: Options<A, E, R>
): Effect.Effect<ConnectionPool<A, E>, never, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.gen(function* () {
    const resolved = PoolOptions.resolve<A, E>(options as Options<A, E, Scope.Scope>)
    const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
    const core = new PoolCore<A, E>({
      connect: options.connect as Effect.Effect<A, E, Scope.Scope>,
      options: resolved,
      context: context as Context.Context<never>
    })
    yield* Effect.addFinalizer(() => PoolShutdown.shutdown(core))
    yield* PoolStats.publish(() => core.stats(), resolved.name)
    core.start()
    return {
      get: PoolAcquire.get(core),
      use: (f) => PoolAcquire.use(core, f),
      invalidate: (connection) => Effect.sync(() => core.invalidate(connection)),
      shutdown: PoolShutdown.shutdown(core),
      stats: Effect.sync(() => core.stats())
    }
  })

/** The same as a service. @category layers */
export const layer = <Self, A, E, R>(
  service: Context.Key<Self, ConnectionPool<A, E>>,
  options: Options<A, E, R>
): Layer.Layer<Self, never, Exclude<R, Scope.Scope>> => Layer.effect(service)(make(options))
