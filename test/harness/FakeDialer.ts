/** A dialer by hand: it does with each attempt what the test has said, and keeps count of what is open. */
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Recorder, record } from "./TransportContract.ts"

/** `hang`: no answer before the dialer's `connectTimeout`. */
export type Answer = "connect" | "refuse" | "hang" | "die"

/** The far end of a connection that was dialed. */
export interface Remote {
  readonly transport: Transport
  readonly heard: Recorder
}

export class FakeDialer {
  /** For the attempts to come; when there is none left, they connect. */
  readonly answers: Array<Answer>
  readonly attempts: Array<{ readonly target: Dialer.Target; readonly options: Dialer.DialOptions | undefined }> = []
  readonly remotes: Array<Remote> = []
  /** Attempts under way. */
  dialing = 0
  private readonly transports: Array<Transport> = []

  constructor(...answers: ReadonlyArray<Answer>) {
    this.answers = [...answers]
  }

  /** Transports on this side that are open. */
  get open(): number {
    return this.transports.filter((transport) => transport.state === "open").length
  }

  get last(): Remote {
    return this.remotes.at(-1)!
  }

  get layer(): Layer.Layer<Dialer.Dialer> {
    return Layer.succeed(Dialer.Dialer, Dialer.Dialer.of({ dial: this.dial }))
  }

  readonly dial: Dialer.Dialer["Service"]["dial"] = (target, options) =>
    Effect.suspend(() => {
      this.attempts.push({ target, options })
      const address = Dialer.formatTarget(target)
      switch (this.answers.shift() ?? "connect") {
        case "connect":
          return Effect.acquireRelease(
            Effect.sync(() => this.connect()),
            (transport) => Effect.sync(() => transport.destroy())
          )
        case "refuse":
          return Effect.fail(TransportError.make(new TransportError.ConnectionRefused(address)))
        case "die":
          return Effect.die(new Error("a broken dialer"))
        case "hang":
          return this.hang(address, Duration.toMillis(options?.connectTimeout ?? "10 seconds"))
      }
    })

  private connect(): Transport {
    const [near, far] = MemoryTransport.pair()
    this.transports.push(near)
    this.remotes.push({ transport: far, heard: record(far) })
    return near
  }

  private hang(address: string, limitMillis: number): Effect.Effect<never, TransportError.TransportError> {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.dialing++),
      () =>
        Effect.andThen(
          Effect.sleep(limitMillis),
          Effect.fail(TransportError.make(new TransportError.ConnectTimeout(address, limitMillis)))
        ),
      () => Effect.sync(() => this.dialing--)
    )
  }
}
