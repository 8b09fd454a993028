/**
 * What a pool does that takes time, each as a fiber of its own.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { idle, type PoolConnection } from "./PoolConnection.ts"
import type { PoolCore } from "./PoolCore.ts"
import * as PoolError from "./PoolError.ts"

/**
 * Opens the connection, trying again as long as the schedule goes on and
 * somebody wants it. Every attempt has its own scope; `connection.scope` is the
 * one that must be closed, wherever this is interrupted.
 *
 * @category opening
 */
export const open = <A, E>(core: PoolCore<A, E>, connection: PoolConnection<A>): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { connectSchedule } = core.options
      const attempts = Effect.retry(attempt(core, connection), {
        schedule: connectSchedule,
        while: () => core.isOpeningWanted
      })
      const exit = yield* Effect.exit(restore(attempts))
      if (exit._tag === "Failure") yield* closeScope(core, connection, exit)
      core.openEnded(connection, exit, yield* Random.next)
    })
  )

const attempt = <A, E>(
  core: PoolCore<A, E>,
  connection: PoolConnection<A>
): Effect.Effect<A, E | PoolError.PoolError> =>
  Effect.suspend(() => {
    const { connectMillis } = core.options
    const scope = Scope.makeUnsafe()
    connection.scope = scope
    return Scope.provide(core.connect, scope).pipe(
      Effect.timeoutOrElse({
        duration: connectMillis,
        orElse: () => Effect.fail(PoolError.make(new PoolError.ConnectTimeout(connectMillis)))
      }),
      Effect.onExit((exit) => {
        if (exit._tag === "Success") return Effect.void
        core.openFailed(exit.cause)
        return closeScope(core, connection, exit)
      })
    )
  })

/** Closes the connection. Its place is free again then, or after `closeTimeout`. @category closing */
export const close = <A, E>(core: PoolCore<A, E>, connection: PoolConnection<A>): Effect.Effect<void> =>
  Effect.map(closeScope(core, connection, Exit.void), (inTime) => core.closeEnded(connection, inTime))

/** Whether the scope closed in time. If not, it goes on closing, and nobody waits for it. */
const closeScope = <A, E>(
  core: PoolCore<A, E>,
  connection: PoolConnection<A>,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const scope = connection.scope
    if (scope === undefined) return Effect.succeed(true)
    connection.scope = undefined
    const closing = Scope.close(scope, exit).pipe(
      Effect.catchCause((cause) => Effect.logWarning(`The pool ${core.options.name} closed a connection`, cause))
    )
    return Effect.flatMap(Effect.forkDetach(closing, { startImmediately: true }), (fiber) =>
      fiber.pollUnsafe() !== undefined
        ? Effect.succeed(true)
        : Fiber.await(fiber).pipe(
            Effect.interruptible,
            Effect.timeoutOption(core.options.closeMillis),
            Effect.map(Option.isSome)
          )
    )
  })

/** Looks at a connection that came back. @category testing */
export const examine = <A, E>(
  core: PoolCore<A, E>,
  connection: PoolConnection<A>,
  test: (connection: A) => Effect.Effect<void, unknown>
): Effect.Effect<void> =>
  Effect.map(passes(connection, test, core.options.testMillis), (passed) => core.examined(connection, passed))

/** @category testing */
export const passes = <A>(
  connection: PoolConnection<A>,
  test: (connection: A) => Effect.Effect<void, unknown>,
  limitMillis: number
): Effect.Effect<boolean> =>
  Effect.suspend(() => test(connection.value as A)).pipe(
    Effect.timeoutOption(limitMillis),
    Effect.exit,
    Effect.map((exit) => exit._tag === "Success" && Option.isSome(exit.value))
  )

/** Fails those who have waited too long, one sleep for the whole line. @category waiting */
export const watch = <A, E>(core: PoolCore<A, E>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const nextMillis = core.expireWaiters()
    return nextMillis === undefined ? Effect.void : Effect.flatMap(Effect.sleep(nextMillis), () => watch(core))
  })

/** Closes what is too old or not needed, and restores the minimum, again and again. @category upkeep */
export const upkeep = <A, E>(core: PoolCore<A, E>): Effect.Effect<void> =>
  Effect.sync(() => {
    const now = core.runtime.now()
    const { idleMillis, minCount } = core.options
    let newer: PoolConnection<A> | undefined
    for (let each = core.idle.oldest; each?.state === idle; each = newer) {
      newer = each.newer
      if (now >= each.expiresAtMillis) core.close(each, "lifetime")
      else if (now - each.idleSinceMillis >= idleMillis && core.lastingCount > minCount) core.close(each, "idle")
    }
    core.openForMinimum()
  }).pipe(Effect.delay(core.options.upkeepMillis), Effect.forever)
