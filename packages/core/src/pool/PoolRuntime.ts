/**
 * What the books of a pool use of Effect: the time, fibers, and a later turn.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** @category models */
export class PoolRuntime {
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly background = new Set<Fiber.Fiber<unknown, unknown>>()

  constructor(context: Context.Context<never>) {
    this.context = context
    this.clock = Context.get(context, Clock.Clock)
    this.dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
  }

  now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Runs the task after what runs now, so that a borrower is not on the stack of who gave it the connection. */
  later(task: () => void): void {
    this.dispatcher.scheduleTask(task, 0)
  }

  fork(effect: Effect.Effect<void>): Fiber.Fiber<void> {
    return Effect.runForkWith(this.context)(effect)
  }

  /** The same, until `stopBackground`. */
  forkBackground(effect: Effect.Effect<void>): Fiber.Fiber<void> {
    const fiber = this.fork(effect)
    if (fiber.pollUnsafe() !== undefined) return fiber
    this.background.add(fiber)
    fiber.addObserver(() => this.background.delete(fiber))
    return fiber
  }

  stopBackground(): void {
    for (const fiber of this.background) fiber.interruptUnsafe()
  }

  /** Hooks are others' code: what they throw must not break the books. */
  tell<Arguments extends ReadonlyArray<unknown>>(
    hook: ((...args: Arguments) => void) | undefined,
    ...args: Arguments
  ): void {
    if (hook === undefined) return
    try {
      hook(...args)
    } catch (defect) {
      this.fork(Effect.logError("A hook of a pool has thrown", Cause.die(defect)))
    }
  }
}
