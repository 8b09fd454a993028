/**
 * The options of a pool, as a user writes them and as they are used.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Limit from "../protocol/Limit.ts"
import type { PoolError } from "./PoolError.ts"
import type { Order } from "./PoolIdle.ts"
import type { CloseReason } from "./PoolStats.ts"

/**
 * Told of what happens, as it happens. A hook must be quick; what it throws is
 * logged and has no other effect.
 *
 * @category options
 */
export interface Hooks<A> {
  /** A connection is open. */
  readonly onOpened?: ((connection: A) => void) | undefined
  /** An attempt to open one failed. There may be another. */
  readonly onOpenFailed?: ((cause: Cause.Cause<unknown>) => void) | undefined
  /** A borrower gets the connection. */
  readonly onLent?: ((connection: A) => void) | undefined
  /** The borrower has given it back. */
  readonly onReturned?: ((connection: A) => void) | undefined
  /** The connection is about to be closed. */
  readonly onClosed?: ((connection: A, reason: CloseReason) => void) | undefined
}

/**
 * What holds for every connection, whether its pool has keys or not.
 *
 * @category options
 */
export interface Options<A, E, R = never> {
  /** Tells this pool's metrics from those of another one, as the attribute `sluice.pool.name`. Default `pool`. */
  readonly name?: string | undefined
  /**
   * How long an idle connection is kept, as long as there are more than
   * `minConnections`. It may live on until the next upkeep. Default 10 minutes.
   */
  readonly idleTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * The age at which a connection is closed: when it comes back, or at the next
   * upkeep if it is idle. A borrower is not disturbed. Default 30 minutes.
   */
  readonly maxLifetime?: Duration.Input | "unbounded" | undefined
  /**
   * The share of `maxLifetime` by which a connection may live shorter, at
   * random, so that those opened together do not end together. From 0 to 1.
   * Default 0.1. No effect with an unbounded lifetime.
   */
  readonly lifetimeJitter?: number | undefined
  /** The time for `get`, with all waiting and testing; then it fails with `AcquireTimeout`. Default 30 s. */
  readonly acquireTimeout?: Duration.Input | undefined
  /**
   * How many may wait for a connection that another one has, beyond those for
   * whom one is being opened. One more fails with `TooManyWaiters` at once. With
   * 0, nobody waits. Default 1,000; about 300 bytes each.
   */
  readonly maxWaiters?: number | undefined
  /** The time for one attempt of `connect`; then it fails with `ConnectTimeout`. Default 10 s. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * When `connect` is tried again. When the schedule ends, who has waited
   * longest gets the failure. Nothing is tried again for which nobody waits any
   * more. Default: from 100 ms doubling up to 5 s, with jitter, until
   * `acquireTimeout`. A schedule that never waits makes a busy loop.
   */
  readonly connectSchedule?: Schedule.Schedule<unknown, E | PoolError> | undefined
  /**
   * Whether the connection is known to be usable. Asked at every checkout and
   * return, so it must be quick: a flag, not a question to the other end.
   */
  readonly isOpen?: ((connection: A) => boolean) | undefined
  /**
   * Finds out whether the connection works, for example by a ping. A connection
   * is closed when this fails, dies, is interrupted or takes too long.
   */
  readonly test?: ((connection: A) => Effect.Effect<void, unknown, R>) | undefined
  /**
   * Which connections are tested before they are lent: those that have been
   * idle for at least so long. Default `"always"`, but never one that has just
   * been opened. No effect without `test`.
   */
  readonly testOnCheckout?: Duration.Input | "always" | "never" | undefined
  /** Whether they are tested when they come back; the borrower does not wait for it. Default `"never"`. */
  readonly testOnReturn?: "always" | "never" | undefined
  /**
   * Makes a connection that came back ready for another borrower, for example
   * by a rollback. It is closed when this fails. The borrower does not wait for
   * it. Default: nothing.
   */
  readonly reset?: ((connection: A) => Effect.Effect<void, unknown, R>) | undefined
  /** The time for `test`, and for `reset`. Default 5 s. */
  readonly testTimeout?: Duration.Input | undefined
  /**
   * Whether a connection is closed because of what its borrower failed with.
   * `Cause.hasInterrupts` is a good choice for connections on which an answer
   * may still come after its borrower is gone. Default: never.
   */
  readonly invalidateOn?: ((cause: Cause.Cause<unknown>) => boolean) | undefined
  /**
   * `"newest first"` lends the connection that came back last, so that those
   * not needed become idle; `"oldest first"` uses all alike. Default
   * `"newest first"`.
   */
  readonly order?: Order | undefined
  /** How often idle connections are looked at, and the minimum is restored. Default 30 s. */
  readonly upkeepInterval?: Duration.Input | undefined
  /** How long a pool that shuts down waits for borrowers, before it closes what they have. Default 20 s. */
  readonly drainTimeout?: Duration.Input | undefined
  /** How long a connection may take to close and still counts. Default 5 s. */
  readonly closeTimeout?: Duration.Input | undefined
  readonly hooks?: Hooks<A> | undefined
}

/** @category options */
export interface Size {
  /** Connections that are kept open though nobody needs them; from 0 to `maxConnections`. Default 0. */
  readonly minConnections?: number | undefined
  /** Connections at a time, with those that are being opened or closed; at least 1. Default 10. */
  readonly maxConnections?: number | undefined
}

/** The same, converted once. @category models */
export interface Resolved<A, E> {
  readonly name: string
  readonly minCount: number
  readonly maxCount: number
  readonly idleMillis: number
  readonly lifetimeMillis: number
  readonly jitterRatio: number
  readonly acquireMillis: number
  readonly maxWaiterCount: number
  readonly connectMillis: number
  readonly connectSchedule: Schedule.Schedule<unknown, E | PoolError>
  readonly isOpen: ((connection: A) => boolean) | undefined
  readonly test: ((connection: A) => Effect.Effect<void, unknown>) | undefined
  /** Idle for so long, a connection is tested before it is lent; `Infinity` for never. */
  readonly testAfterMillis: number
  /** What a connection that came back goes through. */
  readonly afterReturn: ((connection: A) => Effect.Effect<void, unknown>) | undefined
  readonly testMillis: number
  readonly invalidateOn: ((cause: Cause.Cause<unknown>) => boolean) | undefined
  readonly order: Order
  readonly upkeepMillis: number
  readonly drainMillis: number
  readonly closeMillis: number
  readonly hooks: Hooks<A>
}

/**
 * Fills in defaults. Throws a `RangeError` that names the option for a value
 * out of range: that is a mistake in the program.
 *
 * @category constructors
 */
export const resolve = <A, E>(options: Options<A, E> & Size): Resolved<A, E> => {
  const maxCount = Limit.count("maxConnections", options.maxConnections ?? 10)
  return {
    name: options.name ?? "pool",
    minCount: Limit.count("minConnections", options.minConnections ?? 0, 0, maxCount),
    maxCount,
    idleMillis: Limit.millisOrUnbounded("idleTimeout", options.idleTimeout ?? "10 minutes"),
    lifetimeMillis: Limit.millisOrUnbounded("maxLifetime", options.maxLifetime ?? "30 minutes"),
    jitterRatio: share("lifetimeJitter", options.lifetimeJitter ?? 0.1),
    acquireMillis: Limit.millis("acquireTimeout", options.acquireTimeout ?? "30 seconds"),
    maxWaiterCount: Limit.count("maxWaiters", options.maxWaiters ?? 1000, 0),
    connectMillis: Limit.millis("connectTimeout", options.connectTimeout ?? "10 seconds"),
    connectSchedule: options.connectSchedule ?? defaultConnectSchedule,
    isOpen: options.isOpen,
    test: options.test,
    testAfterMillis: options.test === undefined ? Number.POSITIVE_INFINITY : testAfter(options.testOnCheckout),
    afterReturn: afterReturn(options),
    testMillis: Limit.millis("testTimeout", options.testTimeout ?? "5 seconds"),
    invalidateOn: options.invalidateOn,
    order: oneOf("order", options.order ?? "newest first", ["newest first", "oldest first"]),
    upkeepMillis: Limit.millis("upkeepInterval", options.upkeepInterval ?? "30 seconds"),
    drainMillis: Limit.millis("drainTimeout", options.drainTimeout ?? "20 seconds"),
    closeMillis: Limit.millis("closeTimeout", options.closeTimeout ?? "5 seconds"),
    hooks: options.hooks ?? {}
  }
}

/** From 100 ms doubling up to 5 s, each 80 to 120 % of that. @category constants */
export const defaultConnectSchedule: Schedule.Schedule<unknown> = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
)

const testAfter = (input: Duration.Input | "always" | "never" = "always"): number => {
  if (input === "always") return 0
  return input === "never" ? Number.POSITIVE_INFINITY : Limit.millis("testOnCheckout", input)
}

const afterReturn = <A, E>(options: Options<A, E>): Resolved<A, E>["afterReturn"] => {
  const testOnReturn = oneOf("testOnReturn", options.testOnReturn ?? "never", ["always", "never"])
  const test = testOnReturn === "always" ? options.test : undefined
  const { reset } = options
  if (reset === undefined || test === undefined) return reset ?? test
  return (connection) => Effect.andThen(reset(connection), test(connection))
}

const share = (option: string, input: number): number => {
  if (input >= 0 && input <= 1) return input
  throw new RangeError(`${option} must be from 0 to 1, but is ${String(input)}`)
}

const oneOf = <const A extends string>(option: string, input: A, words: ReadonlyArray<A>): A => {
  if (words.includes(input)) return input
  throw new RangeError(`${option} must be one of ${words.join(", ")}, but is ${String(input)}`)
}
