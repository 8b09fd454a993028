/**
 * What a call for a connection has: a place in the line, then a connection,
 * then nothing again.
 *
 * The lease is known to whoever ends the call before it gets a connection. So
 * there is no moment at which an interruption could lose one.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { PoolConnection } from "./PoolConnection.ts"
import type { PoolCore } from "./PoolCore.ts"
import type { PoolError } from "./PoolError.ts"
import type { Waiter } from "./PoolLine.ts"

/** A lease that never waits, and so needs less. @category models */
export class PoolHold<A, E> {
  /** Of the lease until it is given back. */
  connection: PoolConnection<A> | undefined = undefined

  protected readonly core: PoolCore<A, E>

  constructor(core: PoolCore<A, E>) {
    this.core = core
  }

  /** The connection back, with what the borrower ended with. The second time it has no effect. */
  giveBack(exit: Exit.Exit<unknown, unknown> | undefined): void {
    const { connection } = this
    if (connection === undefined) return
    this.connection = undefined
    this.core.giveBack(connection, exit)
  }
}

/** @category models */
export class PoolLease<A, E> extends PoolHold<A, E> implements Waiter {
  /** The connection has just been opened, and needs no test. */
  isProven = false
  ticket = 0
  startedMillis = 0
  joinedMillis = 0
  hasWaited = false
  isInLine = false
  before: Waiter | undefined = undefined
  behind: Waiter | undefined = undefined
  /** How its waiting has ended. */
  outcome: Effect.Effect<void, E | PoolError> | undefined = undefined
  /** Wakes the call with the outcome, once it sleeps. */
  resume: ((effect: Effect.Effect<void, E | PoolError>) => void) | undefined = undefined

  /** The place in the line or the connection back. */
  override giveBack(exit: Exit.Exit<unknown, unknown> | undefined): void {
    if (this.isInLine) this.core.leave(this)
    super.giveBack(exit)
  }

  /** The same for a borrower that never saw it. */
  giveBackUnused(): void {
    this.giveBack(undefined)
  }
}

/** The end of the lease as the finalizer of a scope. @category finalizers */
export const finalizer =
  <A, E>(lease: PoolHold<A, E>) =>
  (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    lease.giveBack(exit)
    return Effect.void
  }
