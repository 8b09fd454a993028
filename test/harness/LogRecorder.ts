/** A logger that keeps what it is told, at every level. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

export interface Entry {
  readonly level: string
  readonly message: string
  /** What went wrong, as it was raised: from the cause, or the second part of the message. */
  readonly error: unknown
  readonly annotations: Readonly<Record<string, unknown>>
}

export class LogRecorder {
  readonly entries: Array<Entry> = []

  private readonly logger = Logger.make((options) => {
    const parts = Array.isArray(options.message) ? options.message : [options.message]
    this.entries.push({
      level: options.logLevel,
      message: String(parts[0]),
      error: options.cause.reasons.length > 0 ? Cause.squash(options.cause) : parts[1],
      annotations: { ...options.fiber.getRef(References.CurrentLogAnnotations) }
    })
  })

  /** What was logged of a connection: level and message. */
  get ofConnections(): ReadonlyArray<string> {
    return this.entries
      .filter((entry) => "peer" in entry.annotations)
      .map((entry) => `${entry.level}: ${entry.message}`)
  }

  readonly listen = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    self.pipe(
      Effect.provide(Logger.layer([this.logger])),
      Effect.provideService(References.MinimumLogLevel, "All")
    ) as Effect.Effect<A, E, R>
}
