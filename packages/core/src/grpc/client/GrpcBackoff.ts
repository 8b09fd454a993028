/**
 * How long a server that could not be reached is left alone: gRPC's connection
 * backoff, or another schedule.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/**
 * gRPC connection-backoff: 1 second, then 1.6 times as long each time, up to
 * 120 seconds; each 20 % shorter or longer by chance (`Random`).
 *
 * @category schedules
 */
export const schedule: Schedule.Schedule<unknown> = Schedule.exponential("1 second", 1.6).pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(120)))),
  Schedule.jittered
)

/** The delays of one server, one after the other. @category models */
export class GrpcBackoff {
  private readonly schedule: Schedule.Schedule<unknown, unknown>
  private step: Step | undefined = undefined
  private lastMillis = 120_000

  constructor(schedule: Schedule.Schedule<unknown, unknown>) {
    this.schedule = schedule
  }

  /** It was reached: the next delay is the first again. */
  reset(): void {
    this.step = undefined
  }

  /** The next delay in whole milliseconds. Where the schedule has ended, its last one again. */
  next(error: unknown): Effect.Effect<number> {
    return Effect.gen({ self: this }, function* () {
      this.step ??= yield* Schedule.toStep(this.schedule)
      const now = yield* Clock.currentTimeMillis
      this.lastMillis = yield* Pull.catchDone(
        Effect.map(this.step(now, error), ([, delay]) => Math.round(Duration.toMillis(delay))),
        () => Effect.succeed(this.lastMillis)
      )
      return this.lastMillis
    })
  }
}

type Step = (now: number, input: unknown) => Pull.Pull<[unknown, Duration.Duration], never, unknown>
