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
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Limit from "../protocol/Limit.ts"

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
  /** Members that finished in time. */
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
export const makeUnsafe = (options?: Options): Drain => new Protocol(options)

/** What members are told in each phase; who joins later is told all of it at once. */
type Phase = "serving" | "draining" | "interrupting" | "over"

class Protocol implements Drain {
  private readonly deadlineMillis: number
  private readonly members = new Set<Member>()
  private readonly begins = Deferred.makeUnsafe<void>()
  private readonly report = Deferred.makeUnsafe<Report>()
  private phase: Phase = "serving"
  private finished = 0
  private interrupted = 0
  /** Whom to tell that the last member has left. */
  private whenEmpty: (() => void) | undefined

  constructor(options: Options | undefined) {
    this.deadlineMillis = Limit.millis("drainTimeout", options?.drainTimeout ?? "20 seconds")
  }

  readonly begun: Effect.Effect<void> = Deferred.await(this.begins)

  readonly isDraining = (): boolean => this.phase !== "serving"

  readonly size = (): number => this.members.size

  readonly join = (member: Member): (() => void) => {
    if (this.phase !== "over") this.members.add(member)
    // Whoever joins while accepting still stops is told now, and not again with the others.
    if (this.phase !== "serving") this.tell(member)
    return () => this.leave(member)
  }

  readonly run = (stopAccepting: Effect.Effect<void>): Effect.Effect<Report> =>
    Effect.suspend(() => {
      if (this.phase !== "serving") return Deferred.await(this.report)
      this.phase = "draining"
      Deferred.doneUnsafe(this.begins, Exit.void)
      // Timeouts race fibers, which must stay interruptible; the drain as a whole is not.
      return Effect.onExit(this.drain([...this.members], stopAccepting), (exit) => Deferred.done(this.report, exit))
    }).pipe(Effect.uninterruptible)

  private readonly drain = Effect.fnUntraced(
    { self: this },
    function* (atFirst: ReadonlyArray<Member>, stopAccepting: Effect.Effect<void>) {
      yield* this.stop(stopAccepting)
      for (const member of atFirst) if (this.members.has(member)) member.drain()
      yield* this.settle(this.deadlineMillis)
      this.phase = "interrupting"
      for (const member of [...this.members]) member.interrupt()
      yield* this.settle(graceMillis)
      this.phase = "over"
      const left = [...this.members]
      this.members.clear()
      for (const member of left) member.cut()
      return { finished: this.finished, interrupted: this.interrupted, cut: left.length }
    }
  )

  /** On a fiber of its own, which is left behind when it neither ends nor can be interrupted. */
  private readonly stop = Effect.fnUntraced(function* (stopAccepting: Effect.Effect<void>) {
    const stopping = yield* Effect.forkDetach(stopAccepting, { startImmediately: true })
    const exit = yield* Effect.timeoutOption(Fiber.await(stopping), graceMillis)
    if (Option.isNone(exit)) stopping.interruptUnsafe()
    else if (Exit.isFailure(exit.value)) yield* Effect.logError("The listener could not be closed", exit.value.cause)
  })

  /** Waits until every member has left, for `millis` at most. */
  private settle(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.members.size === 0) return resume(Exit.void)
      this.whenEmpty = () => resume(Exit.void)
      return Effect.sync(() => {
        this.whenEmpty = undefined
      })
    }).pipe(Effect.timeoutOption(millis), Effect.asVoid)
  }

  private tell(member: Member): void {
    member.drain()
    if (this.phase === "interrupting") member.interrupt()
    else if (this.phase === "over") member.cut()
  }

  private leave(member: Member): void {
    if (!this.members.delete(member)) return
    if (this.phase === "draining") this.finished++
    else if (this.phase === "interrupting") this.interrupted++
    if (this.members.size === 0) this.whenEmpty?.()
  }
}
