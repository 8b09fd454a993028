/**
 * How a call gets a connection, and gives it back.
 *
 * Hot path: an idle connection that needs no test is lent without waiting and
 * without a fiber; `bench/src/micro/pool-checkout.ts` measures it. The end of
 * the call is registered first, and the connection is taken after that, so that
 * an interruption in between loses nothing.
 *
 * @internal
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as PoolConnection from "./PoolConnection.ts"
import type { PoolCore } from "./PoolCore.ts"
import * as PoolError from "./PoolError.ts"
import { finalizer, PoolHold, PoolLease } from "./PoolLease.ts"
import * as PoolWork from "./PoolWork.ts"

/** A connection until the scope closes. @category borrowing */
export const get = <A, E>(core: PoolCore<A, E>): Effect.Effect<A, E | PoolError.PoolError, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const scope = Context.getUnsafe(fiber.context, Scope.Scope)
    if (core.idle.next === undefined || scope.state._tag === "Closed") return getSlow(core, scope)
    const lease = new PoolHold(core)
    return Effect.flatMap(Scope.addFinalizerExit(scope, finalizer(lease)), () =>
      scope.state._tag !== "Closed" && core.takeDirect(lease) ? lent(lease) : getSlow(core, scope)
    )
  })

/** Keeps nothing in the scope if it fails, so that a caller may try again in the same one. */
const getSlow = <A, E>(core: PoolCore<A, E>, scope: Scope.Scope): Effect.Effect<A, E | PoolError.PoolError> =>
  Effect.uninterruptibleMask((restore) => {
    const lease = new PoolLease(core)
    return Effect.onExitPrimitive(restore(acquire(core, lease)), (exit) => {
      if (exit._tag === "Failure") lease.giveBackUnused()
      return undefined
    }).pipe(
      Effect.flatMap(() => {
        const value = lent(lease)
        return Effect.andThen(Scope.addFinalizerExit(scope, finalizer(lease)), value)
      })
    )
  })

/** A connection while `f` runs. @category borrowing */
export const use = <A, E, B, E2, R2>(
  core: PoolCore<A, E>,
  f: (connection: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2 | PoolError.PoolError, R2> =>
  Effect.suspend(() => {
    const lease = new PoolLease(core)
    return Effect.onExitPrimitive(
      Effect.suspend((): Effect.Effect<B, E | E2 | PoolError.PoolError, R2> => {
        if (core.takeDirect(lease)) return f(lease.connection!.value as A)
        return Effect.flatMap(acquire(core, lease), () => f(lease.connection!.value as A))
      }),
      (exit) => {
        lease.giveBack(exit)
        return undefined
      }
    )
  })

const lent = <A, E>(lease: PoolHold<A, E>): Exit.Exit<A> => lease.connection!.exit!

/** Ends with a connection in the lease. If it is interrupted there may be one as well: the caller gives it back. */
const acquire = <A, E>(core: PoolCore<A, E>, lease: PoolLease<A, E>): Effect.Effect<void, E | PoolError.PoolError> =>
  Effect.suspend(() => {
    core.begin(lease)
    return next(core, lease)
  })

const next = <A, E>(core: PoolCore<A, E>, lease: PoolLease<A, E>): Effect.Effect<void, E | PoolError.PoolError> => {
  if (core.isClosed) return Effect.fail(PoolError.make(new PoolError.PoolClosed()))
  if (core.takeIdle(lease)) return checked(core, lease)
  if (!lease.hasWaited && core.isLineFull) {
    core.numbers.acquireRefused++
    return Effect.fail(PoolError.make(new PoolError.TooManyWaiters(core.options.maxWaiterCount)))
  }
  core.join(lease)
  return Effect.flatMap(wait(lease), () => checked(core, lease))
}

const wait = <A, E>(lease: PoolLease<A, E>): Effect.Effect<void, E | PoolError.PoolError> =>
  Effect.callback((resume) => {
    if (lease.outcome !== undefined) resume(lease.outcome)
    else lease.resume = resume
  })

/** Keeps the connection in the lease if it is good, and goes on to the next one otherwise. */
const checked = <A, E>(core: PoolCore<A, E>, lease: PoolLease<A, E>): Effect.Effect<void, E | PoolError.PoolError> =>
  Effect.suspend(() => {
    const connection = lease.connection!
    const { test, testMillis } = core.options
    if (connection.state !== PoolConnection.leased) return again(core, lease)
    if (test === undefined || lease.isProven || !core.isTestDue(connection)) return toldOf(core, connection)
    const limitMillis = Math.min(testMillis, Math.max(core.leftMillis(lease, core.runtime.now()), 1))
    connection.move(PoolConnection.test)
    return Effect.flatMap(PoolWork.passes(connection, test, limitMillis), (passed) => {
      if (!passed || core.isClosed || connection.state !== PoolConnection.testing) return again(core, lease)
      connection.move(PoolConnection.lend)
      return toldOf(core, connection)
    })
  })

/** The connection is no good. The call has its place in the line again before the connection makes room. */
const again = <A, E>(core: PoolCore<A, E>, lease: PoolLease<A, E>): Effect.Effect<void, E | PoolError.PoolError> => {
  const bad = lease.connection!
  lease.connection = undefined
  const going = next(core, lease)
  core.giveBack(bad, undefined)
  return going
}

const toldOf = <A, E>(core: PoolCore<A, E>, connection: PoolConnection.PoolConnection<A>): Effect.Effect<void> => {
  core.runtime.tell(core.options.hooks.onLent, connection.value as A)
  return Effect.void
}
