/**
 * The one way in which every server stops.
 *
 * 1. No new members: accepting stops, `isDraining` is true.
 * 2. Every member is told. It tells its peer, ends at once when nothing is in
 *    flight, and otherwise finishes what it has begun.
 * 3. Members get until the deadline.
 * 4. Then they are interrupted, and get one second to clean up.
 * 5. What is left then is cut off.
 *
 * So it always ends: no handler, peer or stuck socket can hold it longer than
 * the deadline and that second.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { limitMillis } from "../session/ConnectionOptions.ts"

/**
 * Something that a server has begun and must not lose: a connection with its
 * handler. It leaves when it is finished.
 *
 * @category models
 */
export interface Member {
  /** Finish what is in flight, and begin nothing. Must not throw. */
  drain(): void
  /** The deadline has passed: give up, clean up. */
  interrupt(): void
  /** The last second has passed: let go at once. */
  cut(): void
}

/**
 * How a drain ended.
 *
 * @category models
 */
export interface Report {
  /** Members that were there when it began, and finished in time. */
  readonly finished: number
  /** Members that were interrupted at the deadline, and left. */
  readonly interrupted: number
  /** Members that had to be cut off. */
  readonly cut: number
}

/** @category options */
export interface Options {
  /**
   * How long members may take to finish what they have begun. Above 0.
   * Default 20 seconds.
   */
  readonly drainTimeout?: Duration.Input | undefined
}

/** @category models */
export interface Drain {
  readonly isDraining: () => boolean
  /** Completes when the drain begins. */
  readonly begun: Effect.Effect<void>
  /** Adds a member; the function that is returned takes it out again. A member that comes while draining is told at once. */
  readonly join: (member: Member) => () => void
  readonly size: () => number
  /**
   * Runs the protocol once; later calls wait for the first. `stopAccepting` is
   * step 1. Cannot be interrupted.
   */
  readonly run: (stopAccepting: Effect.Effect<void>) => Effect.Effect<Report>
}

/** Between the interruption of members and cutting them off. */
const graceMillis = 1000

/** @category constructors */
export const makeUnsafe = (options?: Options): Drain => {
  const deadlineMillis = limitMillis("drainTimeout", options?.drainTimeout ?? "20 seconds")
  const members = new Set<Member>()
  const begun = Deferred.makeUnsafe<void>()
  const report = Deferred.makeUnsafe<Report>()
  let phase: "serving" | "draining" = "serving"
  let empty: (() => void) | undefined

  /** Waits until every member has left, for `millis` at most. */
  const settle = (millis: number): Effect.Effect<void> =>
    Effect.callback<void>((resume) => {
      if (members.size === 0) return resume(Exit.void)
      empty = () => resume(Exit.void)
      return Effect.sync(() => {
        empty = undefined
      })
    }).pipe(Effect.timeoutOption(millis), Effect.asVoid)

  const drain = Effect.fnUntraced(function* (stopAccepting: Effect.Effect<void>) {
    yield* Effect.timeoutOption(stopAccepting, graceMillis)
    const atFirst = members.size
    for (const member of [...members]) member.drain()
    yield* settle(deadlineMillis)
    const late = [...members]
    for (const member of late) member.interrupt()
    if (late.length > 0) yield* settle(graceMillis)
    const left = [...members]
    for (const member of left) member.cut()
    members.clear()
    return {
      finished: Math.max(0, atFirst - late.length),
      interrupted: late.length - left.length,
      cut: left.length
    }
  })

  return {
    isDraining: () => phase === "draining",
    begun: Deferred.await(begun),
    size: () => members.size,
    join: (member) => {
      members.add(member)
      if (phase === "draining") member.drain()
      return () => {
        if (members.delete(member) && members.size === 0) empty?.()
      }
    },
    run: (stopAccepting) =>
      Effect.suspend(() => {
        if (phase === "draining") return Deferred.await(report)
        phase = "draining"
        Deferred.doneUnsafe(begun, Exit.void)
        // Timeouts race fibers, which must stay interruptible; the drain as a whole is not.
        return Effect.onExit(drain(stopAccepting), (exit) => Deferred.done(report, exit))
      }).pipe(Effect.uninterruptible)
  }
}
