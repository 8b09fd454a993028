/**
 * How long a connection may be used: behind a load balancer of connections,
 * clients that keep theirs for days would never come to a new server.
 *
 * A connection that is too old drains as in the drain of its server, alone:
 * GOAWAY or `Connection: close`, and what is in flight finishes within the
 * grace. Each has an age of its own, up to a tenth shorter or longer, so that a
 * thousand clients do not come again at the same time.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Limit from "../protocol/Limit.ts"
import type { HttpSession } from "../session/HttpSession.ts"
import { Timer, type Timers } from "../session/Timers.ts"
import type { Transport } from "../transport/Transport.ts"

/** @category options */
export interface Options {
  /**
   * How long a connection is used before its client is asked to make another.
   * Above 0. Default `"unbounded"`. WebSockets end with 1001.
   */
  readonly maxConnectionAge?: Duration.Input | "unbounded" | undefined
  /** How long what is in flight may then take before it is interrupted. Above 0. Default `"unbounded"`. */
  readonly maxConnectionAgeGrace?: Duration.Input | "unbounded" | undefined
}

/** Serves a transport. @category models */
export type Start = (transport: Transport, finished: (reason: string) => void) => HttpSession

/** Bounds the age of what `start` serves. Options that make no sense are defects. @category constructors */
export const bounding = (options: Options | undefined, timers: Timers): Effect.Effect<(start: Start) => Start> =>
  Effect.map(Random.Random, (random) => {
    const ageMillis = Limit.millisOrUnbounded("maxConnectionAge", options?.maxConnectionAge ?? "unbounded")
    const graceMillis = Limit.millisOrUnbounded("maxConnectionAgeGrace", options?.maxConnectionAgeGrace ?? "unbounded")
    if (ageMillis === Number.POSITIVE_INFINITY) return (start) => start
    return (start) => (transport, finished) => {
      const own = ageMillis * (0.9 + 0.2 * random.nextDoubleUnsafe())
      return new Aging(timers, own, graceMillis).start(start, transport, finished)
    }
  })

class Aging {
  private readonly timers: Timers
  private readonly graceMillis: number
  private readonly timer: Timer
  private phase: "young" | "old" | "over" = "young"
  private session: HttpSession | undefined = undefined

  constructor(timers: Timers, ageMillis: number, graceMillis: number) {
    this.timers = timers
    this.graceMillis = graceMillis
    this.timer = new Timer(() => this.expire())
    timers.set(this.timer, timers.now() + ageMillis)
  }

  start(start: Start, transport: Transport, finished: (reason: string) => void): HttpSession {
    const session = start(transport, (reason) => {
      this.phase = "over"
      this.timers.clear(this.timer)
      finished(reason)
    })
    this.session = session
    return session
  }

  private expire(): void {
    if (this.phase === "young") {
      this.phase = "old"
      this.timers.set(this.timer, this.timers.now() + this.graceMillis)
      this.session?.drain()
    } else if (this.phase === "old") this.session?.cut()
  }
}
