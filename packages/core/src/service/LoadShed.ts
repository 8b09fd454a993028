/**
 * Refuses some calls so that the others are answered in time.
 *
 * Under overload a line only adds waiting: when it is long, every call that is
 * served has waited until its caller has gone. Three ways to refuse instead:
 *
 * - `atOnce`: who finds no place is refused. For callers that have another
 *   callee to go to.
 * - `byQueueDelay`: a short burst may wait, a line that stays may not. While
 *   the line was empty within the last `interval`, a call waits up to
 *   `interval`; after that, up to `target` only, and the last who came is
 *   served first, since its caller is still there. (Controlled delay with
 *   adaptive LIFO, as in B. Maurer, "Fail at Scale", ACM Queue 13.8.)
 * - `byPriority`: the less a call matters, the smaller the share of places that
 *   may be taken when it comes. What matters most finds room under any load of
 *   the rest.
 *
 * What is refused was not begun: `Overloaded` says `NotSent`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Places, type WhenFull } from "./Places.ts"
import type { PerCall, Policy } from "./Policy.ts"
import * as PolicyOption from "./PolicyOption.ts"
import * as ServiceError from "./ServiceError.ts"

type Refused = ServiceError.ServiceError<ServiceError.Overloaded>

/** @category constructors */
export const atOnce = (options: {
  /** Calls at a time; at least 1. */
  readonly maxConcurrent: number
}): Effect.Effect<Policy<Refused>> =>
  Effect.sync(() => {
    const maxConcurrent = PolicyOption.count("maxConcurrent", options.maxConcurrent)
    const refuse = refusing("concurrent", maxConcurrent)
    const places = new Places({ maxConcurrent, whenFull: () => refuse })
    return <A, E, R>(self: Effect.Effect<A, E, R>) => places.around(self)
  })

/** @category options */
export interface QueueDelayOptions {
  /** Calls at a time; at least 1. */
  readonly maxConcurrent: number
  /** How long a call may wait when the line did not become empty for `interval`. Default 5 milliseconds. */
  readonly target?: Duration.Input | undefined
  /** How long a line may stay, and a call wait in a burst; more than `target`. Default 100 milliseconds. */
  readonly interval?: Duration.Input | undefined
  /** Calls that may wait; from 1 to 65,536. Default 1,024: memory is bounded whatever comes. */
  readonly maxWaiting?: number | undefined
}

/** @category constructors */
export const byQueueDelay = (options: QueueDelayOptions): Effect.Effect<Policy<Refused>> =>
  Effect.sync(() => {
    const maxConcurrent = PolicyOption.count("maxConcurrent", options.maxConcurrent)
    const maxWaiting = PolicyOption.count("maxWaiting", options.maxWaiting ?? 1024, 1, 65_536)
    const targetMillis = PolicyOption.millis("target", options.target ?? "5 millis")
    const intervalMillis = PolicyOption.millis("interval", options.interval ?? "100 millis")
    if (targetMillis >= intervalMillis) throw new RangeError("target must be less than interval")
    const lineFull = refusing("waiting", maxWaiting)
    const inBurst = waiting(intervalMillis)
    const inOverload = waiting(targetMillis)
    /** When the line began to stand; `undefined` while there is none. */
    let standingSince: number | undefined
    let isOverloaded = false
    const places: Places<Refused> = new Places({
      maxConcurrent,
      whenFull: (nowMillis) => {
        if (places.waitingCount >= maxWaiting) return lineFull
        const now = nowMillis()
        standingSince ??= now
        isOverloaded = now - standingSince > intervalMillis
        return isOverloaded ? inOverload : inBurst
      },
      order: () => (isOverloaded ? "last" : "first"),
      onLineEmpty: () => {
        standingSince = undefined
        isOverloaded = false
      }
    })
    return <A, E, R>(self: Effect.Effect<A, E, R>) => places.around(self)
  })

/** @category options */
export interface PriorityOptions<Priority extends string> {
  /** Calls at a time; at least 1. */
  readonly maxConcurrent: number
  /**
   * For each priority, the share of places that may be taken when a call of it
   * begins: above 0, at most 1, and at least one place. The highest has 1.
   */
  readonly shares: Readonly<Record<Priority, number>>
}

/** @category constructors */
export const byPriority = <Priority extends string>(
  options: PriorityOptions<Priority>
): Effect.Effect<PerCall<Priority, Refused>> =>
  Effect.sync(() => {
    const maxConcurrent = PolicyOption.count("maxConcurrent", options.maxConcurrent)
    const refuse = refusing("priority", maxConcurrent)
    const places = new Places({ maxConcurrent, whenFull: () => refuse })
    const policies = new Map<string, Policy<Refused>>()
    for (const [priority, input] of Object.entries<number>(options.shares)) {
      const share = PolicyOption.ratio(`shares.${priority}`, input, Number.MIN_VALUE, 1)
      const most = Math.max(1, Math.floor(share * maxConcurrent))
      policies.set(priority, (self) => places.around(self, most))
    }
    if (Math.max(...Object.values<number>(options.shares)) !== 1) {
      throw new RangeError("shares must give 1 to a priority, or there are places that nobody can have")
    }
    return (priority) => {
      const policy = policies.get(priority)
      if (policy === undefined) throw new RangeError(`there is no priority ${priority}`)
      return policy
    }
  })

const refusing = (limit: ServiceError.OverloadedLimit, limitAmount: number): WhenFull<Refused> => ({
  _tag: "Refuse",
  refusal: ServiceError.fail(new ServiceError.Overloaded(limit, limitAmount))
})

const waiting = (maxMillis: number): WhenFull<Refused> => ({
  _tag: "Wait",
  maxMillis,
  refusal: ServiceError.fail(new ServiceError.Overloaded("queue delay", maxMillis))
})
