/**
 * Places for calls, and the line of those who wait for one.
 *
 * A call has its place until it ends, however it ends. Whoever leaves hands the
 * place to the next in line without an instant in which it is free, so that
 * nobody who comes later is served before.
 *
 * @internal
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as MonotonicMillis from "./MonotonicMillis.ts"

/** What a call does that finds no place: it waits for that long at most, or is refused. @category models */
export type WhenFull<E> =
  | { readonly _tag: "Wait"; readonly maxMillis: number; readonly refusal: Effect.Effect<never, E> }
  | { readonly _tag: "Refuse"; readonly refusal: Effect.Effect<never, E> }

/** @category options */
export interface Options<E> {
  readonly maxConcurrent: number
  readonly whenFull: (nowMillis: () => number) => WhenFull<E>
  /** Who is served first of those who wait; asked each time. Default: the first. */
  readonly order?: (() => "first" | "last") | undefined
  /** Is told when the line has become empty. */
  readonly onLineEmpty?: (() => void) | undefined
}

/** A call's claim. Whoever gives it a place does so here, so that it is given back however the call ends. */
interface Claim {
  state: "None" | "Waiting" | "Held"
  granted: () => void
}

/** @category models */
export class Places<E> {
  /** May change; nobody who has a place loses it. At least 1. */
  maxConcurrent: number
  private readonly options: Options<E>
  private taken = 0
  /** In the order in which they came. */
  private readonly line: Array<Claim> = []

  constructor(options: Options<E>) {
    this.options = options
    this.maxConcurrent = options.maxConcurrent
  }

  get takenCount(): number {
    return this.taken
  }

  get waitingCount(): number {
    return this.line.length
  }

  /** Runs `self` in a place. `most`: it gets none when so many are taken, and does not wait. */
  around<A, E2, R>(self: Effect.Effect<A, E2, R>, most = Number.POSITIVE_INFINITY): Effect.Effect<A, E | E2, R> {
    return Effect.suspend(() => {
      const claim: Claim = { state: "None", granted: nothing }
      // The finalizer is there before the claim is made: an interrupt between the two loses no place.
      return Effect.onExitPrimitive(
        Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<A, E | E2, R> => {
          if (this.taken < this.maxConcurrent && this.taken < most) {
            this.taken++
            claim.state = "Held"
            return self
          }
          const clock = fiber.getRef(Clock.Clock)
          const whenFull = this.options.whenFull(() => MonotonicMillis.of(clock))
          if (whenFull._tag === "Refuse") return whenFull.refusal
          return Effect.andThen(this.wait(claim, whenFull.maxMillis, whenFull.refusal, fiber), self)
        }),
        () => {
          this.end(claim)
          return undefined
        }
      )
    })
  }

  /** Gives places to those who wait, as far as there are any: after `maxConcurrent` was raised. */
  serve(): void {
    while (this.taken < this.maxConcurrent && this.line.length > 0) {
      this.taken++
      this.grant()
    }
  }

  private wait(
    claim: Claim,
    maxMillis: number,
    refusal: Effect.Effect<never, E>,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<void, E> {
    return Effect.callback((resume) => {
      const timer = Effect.runForkWith(fiber.context)(fiber.getRef(Clock.Clock).sleep(Duration.millis(maxMillis)))
      claim.state = "Waiting"
      claim.granted = () => {
        timer.interruptUnsafe()
        resume(Effect.void)
      }
      this.line.push(claim)
      timer.addObserver((exit) => {
        if (exit._tag === "Success") resume(refusal)
      })
      return Effect.sync(() => timer.interruptUnsafe())
    })
  }

  private end(claim: Claim): void {
    if (claim.state === "Waiting") this.forget(claim)
    if (claim.state !== "Held") return
    if (this.taken > this.maxConcurrent || this.line.length === 0) this.taken--
    else this.grant()
  }

  /** Hands a place that counts as taken to one of the line. */
  private grant(): void {
    const next = this.options.order?.() === "last" ? this.line.pop()! : this.line.shift()!
    if (this.line.length === 0) this.options.onLineEmpty?.()
    next.state = "Held"
    next.granted()
  }

  private forget(claim: Claim): void {
    claim.state = "None"
    this.line.splice(this.line.indexOf(claim), 1)
    if (this.line.length === 0) this.options.onLineEmpty?.()
  }
}

const nothing = (): void => {}
