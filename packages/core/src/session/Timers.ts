/**
 * Many deadlines, one sleeping fiber.
 *
 * A server has a deadline or two for each connection. A fiber for each would
 * cost more memory than the connection itself, so they share one heap and one
 * fiber, which sleeps on Effect's Clock until the earliest deadline. On a test
 * clock every deadline is therefore exact.
 *
 * Time is monotonic: a corrected wall clock neither ends nor prolongs a wait.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"

/**
 * One deadline that may be set again and again. `onTime` runs on the timers'
 * fiber: it must be quick and must not throw.
 *
 * @category models
 */
export class Timer {
  /** Only `Timers` writes these two. */
  atMillis = Number.POSITIVE_INFINITY
  index = -1
  readonly onTime: (nowMillis: number) => void
  constructor(onTime: (nowMillis: number) => void) {
    this.onTime = onTime
  }
}

/** @category models */
export interface Timers {
  /** Milliseconds of a monotonic clock with an arbitrary origin. */
  readonly now: () => number
  /** Arms `timer` at `atMillis` of `now`, in place of what it was armed at. `Infinity` disarms it. */
  readonly set: (timer: Timer, atMillis: number) => void
  readonly clear: (timer: Timer) => void
  /** How many timers are armed. */
  readonly size: () => number
  /**
   * Runs `task` once the fibers that are ready to run now have run: for what is
   * cheaper to do once for all of them. It must not throw.
   */
  readonly soon: (task: () => void) => void
}

/**
 * Timers for the lifetime of a scope; closing it disarms them all.
 *
 * @category constructors
 */
export const make: Effect.Effect<Timers, never, Scope.Scope> = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const timers = new HeapTimers(context)
  yield* Effect.addFinalizer(() => timers.stop)
  return timers
})

const nanosPerMilli = BigInt(1_000_000)

class HeapTimers implements Timers {
  private readonly heap: Array<Timer> = []
  private readonly clock: Clock.Clock
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** `firing`: timers are being served, and what they arm is slept for when all are. */
  private sleeper: { readonly fiber: Fiber.Fiber<void>; readonly untilMillis: number } | "firing" | undefined
  private stopped = false

  constructor(context: Context.Context<never>) {
    this.clock = Context.get(context, Clock.Clock)
    this.dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
    this.fork = Effect.runForkWith(context)
  }

  readonly now = (): number => Number(this.clock.monotonicTimeNanosUnsafe() / nanosPerMilli)

  readonly size = (): number => this.heap.length

  readonly soon = (task: () => void): void => this.dispatcher.scheduleTask(task, 0)

  readonly set = (timer: Timer, atMillis: number): void => {
    if (this.stopped) return
    if (atMillis === Number.POSITIVE_INFINITY) {
      this.clear(timer)
      return
    }
    timer.atMillis = atMillis
    if (timer.index < 0) {
      timer.index = this.heap.length
      this.heap.push(timer)
    }
    this.sift(timer)
    this.sleep()
  }

  readonly clear = (timer: Timer): void => {
    const index = timer.index
    if (index < 0) return
    timer.index = -1
    timer.atMillis = Number.POSITIVE_INFINITY
    const last = this.heap.pop()!
    if (last !== timer) {
      last.index = index
      this.heap[index] = last
      this.sift(last)
    }
  }

  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    this.stopped = true
    for (const timer of this.heap.splice(0)) timer.index = -1
    const sleeper = this.sleeper
    this.sleeper = undefined
    return sleeper === undefined || sleeper === "firing" ? Effect.void : Fiber.interrupt(sleeper.fiber)
  })

  /** Keeps one fiber asleep until the earliest deadline; an early wake-up is harmless, a late one is not. */
  private sleep(): void {
    const earliest = this.heap[0]
    if (earliest === undefined) return
    const asleep = this.sleeper
    if (asleep === "firing") return
    if (asleep !== undefined) {
      if (asleep.untilMillis <= earliest.atMillis) return
      // Forgotten first: its observer runs within the interruption, and must not take it for a wake-up.
      this.sleeper = undefined
      asleep.fiber.interruptUnsafe()
    }
    // `now` is whole: whoever woke within the millisecond would find it too early, and sleep again.
    const delayMillis = Math.ceil(earliest.atMillis - this.now())
    // A clock may end a sleep of no time at once, and `onTime` must not run within `set`.
    const fiber = this.fork(delayMillis > 0 ? this.clock.sleep(Duration.millis(delayMillis)) : Effect.yieldNow)
    const sleeper = { fiber, untilMillis: earliest.atMillis }
    this.sleeper = sleeper
    fiber.addObserver(() => {
      if (this.sleeper !== sleeper) return
      this.sleeper = undefined
      this.fire()
    })
  }

  private fire(): void {
    const nowMillis = this.now()
    this.sleeper = "firing"
    try {
      let timer = this.heap[0]
      while (timer !== undefined && timer.atMillis <= nowMillis) {
        this.clear(timer)
        timer.onTime(nowMillis)
        timer = this.heap[0]
      }
    } finally {
      // One that throws, against the rules, must not keep the others from their time.
      this.sleeper = undefined
      this.sleep()
    }
  }

  private sift(timer: Timer): void {
    const heap = this.heap
    let index = timer.index
    while (index > 0) {
      const parent = heap[(index - 1) >> 1]!
      if (parent.atMillis <= timer.atMillis) break
      heap[index] = parent
      parent.index = index
      index = (index - 1) >> 1
    }
    while (true) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.atMillis < heap[child]!.atMillis) child++
      const least = heap[child]!
      if (timer.atMillis <= least.atMillis) break
      heap[index] = least
      least.index = index
      index = child
    }
    heap[index] = timer
    timer.index = index
  }
}
