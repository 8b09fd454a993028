/**
 * The books of a pool: which connection is whose, who waits, and what is to be
 * done next. Every decision is made here, in one turn and without an effect;
 * what takes time is a fiber that comes back with its outcome.
 *
 * It always holds that
 *
 *     connections (all but those closed) <= maxConnections
 *     somebody in the line  =>  no connection is idle
 *
 * so a connection that comes back goes straight to who has waited longest, and
 * who comes later cannot overtake.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Member, PoolBudget } from "./PoolBudget.ts"
import * as PoolConnection from "./PoolConnection.ts"
import * as PoolError from "./PoolError.ts"
import { PoolIdle } from "./PoolIdle.ts"
import type { PoolHold, PoolLease } from "./PoolLease.ts"
import { PoolLine } from "./PoolLine.ts"
import type { Resolved } from "./PoolOptions.ts"
import { PoolRuntime } from "./PoolRuntime.ts"
import type { Report } from "./PoolShutdown.ts"
import * as PoolStats from "./PoolStats.ts"
import * as PoolWork from "./PoolWork.ts"

/** @category options */
export interface Parts<A, E> {
  readonly connect: Effect.Effect<A, E, Scope.Scope>
  readonly options: Resolved<A, E>
  /** For all fibers of the pool. */
  readonly context: Context.Context<never>
  /** Shared with other pools. */
  readonly budget?: PoolBudget | undefined
}

/** @category models */
export class PoolCore<A, E> implements Member {
  readonly connect: Effect.Effect<A, E, Scope.Scope>
  readonly options: Resolved<A, E>
  readonly runtime: PoolRuntime
  /** All but those closed. */
  readonly connections = new Set<PoolConnection.PoolConnection<A>>()
  /** The same by state. */
  readonly counts = PoolConnection.makeCounts()
  readonly idle: PoolIdle<A>
  readonly line = new PoolLine<PoolLease<A, E>>()
  readonly numbers = new PoolStats.PoolCounts()
  isClosed = false
  readonly closed = Deferred.makeUnsafe<Report>()
  /** Called at every change, while the pool shuts down. */
  onChange: (() => void) | undefined = undefined

  private readonly budget: PoolBudget | undefined
  /** Why the latest attempt to open one failed, if none has succeeded since. */
  private lastFailure: Cause.Cause<unknown> | undefined = undefined
  private lastTicket = 0
  /** When the watcher of the line looks at it again; `Infinity` without one. */
  private watchedMillis = Number.POSITIVE_INFINITY
  private watcher: Fiber.Fiber<void> | undefined = undefined

  constructor({ connect, options, context, budget }: Parts<A, E>) {
    this.connect = connect
    this.options = options
    this.idle = new PoolIdle(options.order)
    this.runtime = new PoolRuntime(context)
    this.budget = budget
    budget?.members.add(this)
  }

  /** An idle connection that needs no test, for the lease. Hot path. */
  takeDirect(lease: PoolHold<A, E>): boolean {
    const connection = this.idle.next
    if (connection === undefined || this.isTestDue(connection)) return false
    const { isOpen, hooks } = this.options
    if (isOpen !== undefined && !isOpen(connection.value as A)) return false
    this.idle.remove(connection)
    connection.move(PoolConnection.lend)
    lease.connection = connection
    this.numbers.acquireStarted++
    this.numbers.acquireDirect++
    if (hooks.onLent !== undefined) this.runtime.tell(hooks.onLent, connection.value as A)
    return true
  }

  /** The next idle connection that is open, tested or not. */
  takeIdle(lease: PoolLease<A, E>): boolean {
    const { isOpen } = this.options
    for (let next = this.idle.next; next !== undefined; next = this.idle.next) {
      if (isOpen === undefined || isOpen(next.value as A)) {
        this.idle.remove(next)
        next.move(PoolConnection.lend)
        lease.connection = next
        lease.isProven = false
        return true
      }
      this.close(next, "broken")
    }
    return false
  }

  isTestDue(connection: PoolConnection.PoolConnection<A>): boolean {
    const { testAfterMillis } = this.options
    return (
      testAfterMillis !== Number.POSITIVE_INFINITY && this.runtime.now() - connection.idleSinceMillis >= testAfterMillis
    )
  }

  begin(lease: PoolLease<A, E>): void {
    this.numbers.acquireStarted++
    lease.ticket = ++this.lastTicket
    lease.startedMillis = this.runtime.now()
  }

  /** Those for whom a connection is being opened, or can be, do not count as waiters. */
  get isLineFull(): boolean {
    const { maxCount, maxWaiterCount } = this.options
    const coming = this.counts[PoolConnection.opening]! + maxCount - this.connections.size
    return this.line.size - coming >= maxWaiterCount
  }

  join(lease: PoolLease<A, E>): void {
    if (!lease.hasWaited) this.numbers.acquireWaited++
    lease.hasWaited = true
    lease.joinedMillis = this.runtime.now()
    lease.outcome = undefined
    this.line.join(lease)
    const deadlineMillis = lease.startedMillis + this.options.acquireMillis
    // Later than the one watched for, unless it comes back to its place at the head.
    if (deadlineMillis < this.watchedMillis) {
      this.watchedMillis = deadlineMillis
      this.watcher?.interruptUnsafe()
      this.watcher = this.runtime.forkBackground(PoolWork.watch(this))
    }
    this.openForLine()
  }

  /** The call has ended while it stood in the line. */
  leave(lease: PoolLease<A, E>): void {
    this.line.leave(lease)
    this.numbers.acquireWaitMillis += this.runtime.now() - lease.joinedMillis
  }

  /** Fails those whose time is over. The time until the next one's is; `undefined` if nobody waits. */
  expireWaiters(): number | undefined {
    const now = this.runtime.now()
    for (let head = this.line.head; head !== undefined; head = this.line.head) {
      const leftMillis = this.leftMillis(head, now)
      if (leftMillis > 0) {
        this.watchedMillis = now + leftMillis
        return leftMillis
      }
      this.refuse(head, Effect.fail(this.timedOut()))
    }
    this.watchedMillis = Number.POSITIVE_INFINITY
    return undefined
  }

  leftMillis(lease: PoolLease<A, E>, now: number): number {
    return lease.startedMillis + this.options.acquireMillis - now
  }

  timedOut(): PoolError.PoolError {
    this.numbers.acquireTimedOut++
    return PoolError.make(new PoolError.AcquireTimeout(this.options.acquireMillis, this.lastFailure))
  }

  /** The borrower is done with it; `exit` is how it ended, `undefined` if it never saw the connection. */
  giveBack(connection: PoolConnection.PoolConnection<A>, exit: Exit.Exit<unknown, unknown> | undefined): void {
    const { hooks, afterReturn } = this.options
    if (exit !== undefined && hooks.onReturned !== undefined) {
      this.runtime.tell(hooks.onReturned, connection.value as A)
    }
    // It was cut off while it was lent.
    if (connection.state >= PoolConnection.closing) return
    connection.idleSinceMillis = this.runtime.now()
    const reason = this.reasonToClose(connection, exit)
    if (reason !== undefined) this.close(connection, reason)
    else if (afterReturn === undefined) this.place(connection)
    else {
      connection.move(PoolConnection.test)
      this.runtime.fork(PoolWork.examine(this, connection, afterReturn))
    }
  }

  private reasonToClose(
    connection: PoolConnection.PoolConnection<A>,
    exit: Exit.Exit<unknown, unknown> | undefined
  ): PoolStats.CloseReason | undefined {
    const { isOpen, invalidateOn } = this.options
    if (connection.state === PoolConnection.doomed) return "broken"
    // The test was cut short, and its answer may still be on its way.
    if (connection.state === PoolConnection.testing) return "invalid"
    if (this.isClosed) return "shutdown"
    if (isOpen !== undefined && !isOpen(connection.value as A)) return "broken"
    if (exit?._tag === "Failure" && invalidateOn?.(exit.cause) === true) return "broken"
    return connection.idleSinceMillis >= connection.expiresAtMillis ? "lifetime" : undefined
  }

  /** The test of a connection that came back has ended. */
  examined(connection: PoolConnection.PoolConnection<A>, passed: boolean): void {
    const { state } = connection
    if (state !== PoolConnection.testing && state !== PoolConnection.doomed) return
    connection.idleSinceMillis = this.runtime.now()
    if (state === PoolConnection.doomed) this.close(connection, "broken")
    else if (this.isClosed) this.close(connection, "shutdown")
    else if (!passed) this.close(connection, "invalid")
    else this.place(connection)
  }

  /** To who has waited longest, or to the idle ones. */
  private place(connection: PoolConnection.PoolConnection<A>, isProven = false): void {
    const head = this.line.head
    if (this.budget?.prefersAnother(this) === true) this.closeForRoom(connection)
    else if (head === undefined) {
      connection.move(PoolConnection.keep)
      this.idle.add(connection)
    } else {
      this.leave(head)
      connection.move(PoolConnection.lend)
      head.connection = connection
      head.isProven = isProven
      this.wake(head, Effect.void)
    }
  }

  /** Doomed where somebody has it, closed where nobody does. */
  invalidate(value: A): void {
    for (const connection of this.connections) {
      if (connection.exit === undefined || connection.value !== value) continue
      if (connection.state === PoolConnection.idle) this.close(connection, "broken")
      else connection.move(PoolConnection.doom)
      return
    }
  }

  get lackingCount(): number {
    if (this.isClosed) return 0
    const wanted = this.line.size - this.counts[PoolConnection.opening]!
    return Math.max(0, Math.min(wanted, this.options.maxCount - this.connections.size))
  }

  get waitingSinceMillis(): number {
    return this.line.head?.startedMillis ?? Number.POSITIVE_INFINITY
  }

  get idleSinceMillis(): number {
    return this.idle.oldest?.idleSinceMillis ?? Number.POSITIVE_INFINITY
  }

  makeRoom(): void {
    if (this.idle.oldest !== undefined) this.closeForRoom(this.idle.oldest)
  }

  openForLine(): void {
    while (this.lackingCount > 0 && (this.budget === undefined || this.budget.take(this))) this.open()
  }

  openForMinimum(): void {
    // Counted once: what fails at once is tried again at the next upkeep, not here.
    for (let missing = this.options.minCount - this.lastingCount; missing > 0; missing--) {
      if (!this.isClosed && this.connections.size < this.options.maxCount) this.open()
    }
  }

  /** Whether somebody needs what is being opened. */
  get isOpeningWanted(): boolean {
    return !this.isClosed && (this.line.size > 0 || this.lastingCount <= this.options.minCount)
  }

  /** Those that are not about to go. */
  get lastingCount(): number {
    return this.connections.size - this.counts[PoolConnection.closing]! - this.counts[PoolConnection.doomed]!
  }

  private open(): void {
    const connection = new PoolConnection.PoolConnection<A>(this.counts)
    this.connections.add(connection)
    this.runtime.forkBackground(PoolWork.open(this, connection))
  }

  openFailed(cause: Cause.Cause<unknown>): void {
    if (this.isClosed && Cause.hasInterruptsOnly(cause)) return
    this.lastFailure = cause
    this.numbers.openFailed++
    const { onOpenFailed } = this.options.hooks
    this.runtime.tell(onOpenFailed, cause)
  }

  /** It is open, or will not be tried again. `ageShare` is the part of the jitter that it gets, from 0 to 1. */
  openEnded(
    connection: PoolConnection.PoolConnection<A>,
    exit: Exit.Exit<A, E | PoolError.PoolError>,
    ageShare: number
  ) {
    if (exit._tag === "Failure") {
      this.end(connection)
      const head = this.line.head
      if (head !== undefined) this.refuse(head, Effect.failCause(exit.cause))
      this.openForLine()
      return
    }
    const { lifetimeMillis, jitterRatio, hooks } = this.options
    this.lastFailure = undefined
    this.numbers.opened++
    connection.opened(exit.value)
    connection.idleSinceMillis = this.runtime.now()
    connection.expiresAtMillis = connection.idleSinceMillis + lifetimeMillis * (1 - jitterRatio * ageShare)
    this.runtime.tell(hooks.onOpened, exit.value)
    if (this.isClosed) this.close(connection, "shutdown")
    else this.place(connection, true)
  }

  close(connection: PoolConnection.PoolConnection<A>, reason: PoolStats.CloseReason): void {
    const { onClosed } = this.options.hooks
    if (connection.state === PoolConnection.idle) this.idle.remove(connection)
    connection.move(PoolConnection.close)
    this.numbers.closed(reason)
    this.runtime.tell(onClosed, connection.value as A, reason)
    this.runtime.fork(PoolWork.close(this, connection))
    this.onChange?.()
  }

  private closeForRoom(connection: PoolConnection.PoolConnection<A>): void {
    connection.makesRoom = true
    this.budget?.roomIsMade()
    this.close(connection, "room")
  }

  /** Its scope has closed, or has been given up. */
  closeEnded(connection: PoolConnection.PoolConnection<A>, inTime: boolean): void {
    if (!inTime) this.numbers.abandoned++
    this.end(connection)
    this.openForLine()
    this.openForMinimum()
  }

  private end(connection: PoolConnection.PoolConnection<A>): void {
    connection.move(PoolConnection.end)
    this.connections.delete(connection)
    this.budget?.give(connection.makesRoom)
    this.onChange?.()
  }

  start(): void {
    this.openForMinimum()
    this.runtime.forkBackground(PoolWork.upkeep(this))
  }

  beginShutdown(): void {
    this.isClosed = true
    for (let head = this.line.head; head !== undefined; head = this.line.head) {
      this.refuse(head, Effect.fail(PoolError.make(new PoolError.PoolClosed())))
    }
    this.runtime.stopBackground()
    while (this.idle.oldest !== undefined) this.close(this.idle.oldest, "shutdown")
  }

  stats(): PoolStats.Stats {
    const counts = this.counts
    return {
      ...this.numbers,
      connections: this.connections.size,
      opening: counts[PoolConnection.opening]!,
      idle: counts[PoolConnection.idle]!,
      testing: counts[PoolConnection.testing]!,
      leased: counts[PoolConnection.leased]! + counts[PoolConnection.doomed]!,
      closing: counts[PoolConnection.closing]!,
      waiting: this.line.size
    }
  }

  private refuse(lease: PoolLease<A, E>, why: Effect.Effect<never, E | PoolError.PoolError>): void {
    this.leave(lease)
    this.wake(lease, why)
  }

  private wake(lease: PoolLease<A, E>, outcome: Effect.Effect<void, E | PoolError.PoolError>): void {
    lease.outcome = outcome
    this.runtime.later(() => lease.resume?.(outcome))
  }
}
