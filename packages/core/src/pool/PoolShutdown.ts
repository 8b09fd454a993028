/**
 * How a pool ends: nobody gets a connection any more, idle ones close, borrowers
 * may finish until a deadline, and what they have then is closed under them.
 * It always ends, whatever borrowers and finalizers do.
 *
 * @internal
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as PoolConnection from "./PoolConnection.ts"
import type { PoolCore } from "./PoolCore.ts"

/** How a shutdown went. @category models */
export interface Report {
  /** Connections that borrowers gave back in time. */
  readonly returned: number
  /** Connections that were closed while borrowers had them. */
  readonly cut: number
  /** Connections that were still opening or closing when the pool gave them up. */
  readonly left: number
}

/** For what ends right at its own limit. */
const graceMillis = 1_000

/** Shuts the pool down. Whoever calls this again gets the same report, at the same time. @category shutdown */
export const shutdown = <A, E>(core: PoolCore<A, E>): Effect.Effect<Report> =>
  Effect.uninterruptible(
    Effect.suspend(() => {
      if (core.isClosed) return Deferred.await(core.closed)
      const { drainMillis, closeMillis } = core.options
      const held = heldCount(core)
      core.beginShutdown()
      return Effect.gen(function* () {
        yield* until(core, () => heldCount(core) === 0, drainMillis)
        const cut = heldCount(core)
        cutHeld(core)
        yield* until(core, () => core.connections.size === 0, closeMillis + graceMillis)
        const report: Report = { returned: held - cut, cut, left: core.connections.size }
        yield* Deferred.succeed(core.closed, report)
        return report
      })
    })
  )

/** Those that borrowers and tests have. */
const heldCount = <A, E>({ counts }: PoolCore<A, E>): number =>
  counts[PoolConnection.testing]! + counts[PoolConnection.leased]! + counts[PoolConnection.doomed]!

const cutHeld = <A, E>(core: PoolCore<A, E>): void => {
  for (const connection of core.connections) {
    if (connection.state !== PoolConnection.opening && connection.state !== PoolConnection.closing) {
      core.close(connection, "shutdown")
    }
  }
}

const until = <A, E>(core: PoolCore<A, E>, holds: () => boolean, limitMillis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (holds()) return resume(Effect.void)
    core.onChange = () => {
      if (holds()) resume(Effect.void)
    }
  }).pipe(
    Effect.interruptible,
    Effect.timeoutOption(limitMillis),
    Effect.andThen(
      Effect.sync(() => {
        core.onChange = undefined
      })
    )
  )
