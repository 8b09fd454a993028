/**
 * One connection to one server of a channel: from the moment in which it is
 * dialed to that in which its transport is gone.
 *
 * ```text
 *  Connecting ──▶ Ready ──▶ Draining ──▶ Over      Ready: SETTINGS have come
 *      └──────────────────────────────────▲        given up, or failed
 * ```
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Resolved } from "../../protocol/http2/Http2Options.ts"
import * as Http2ClientError from "../../session/Http2ClientError.ts"
import { Http2ClientSession, type Owner as SessionOwner } from "../../session/Http2ClientSession.ts"
import { Timer, type Timers } from "../../session/Timers.ts"
import * as Dialer from "../../transport/Dialer.ts"
import type { TlsClientOptions } from "../../transport/Tls.ts"
import * as TransportError from "../../transport/TransportError.ts"
import type { GrpcBackoff } from "./GrpcBackoff.ts"
import type { Endpoint } from "./GrpcResolver.ts"

/** What all connections of a channel have in common. @category options */
export interface Settings {
  readonly dialer: Dialer.Dialer["Service"]
  readonly timers: Timers
  readonly limits: Resolved
  readonly tls: TlsClientOptions | undefined
  readonly authority: string | undefined
  readonly connectMillis: number
  /** Connections to one server at most. */
  readonly connectionCount: number
  readonly backoff: Schedule.Schedule<unknown, unknown>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/** Why a connection did not come about, or was lost. @category models */
export interface ConnectFailure {
  readonly message: string
}

/** Hears what becomes of it. @category models */
export interface Owner {
  onReady(connection: GrpcSubchannelConnection): void
  /** A call can be sent, after one found no place or the last one was taken. */
  onCapacity(): void
  /** It was ready, and takes no more calls. */
  onDraining(connection: GrpcSubchannelConnection, ended: Http2ClientError.Ended): void
  /** It was never ready. The next attempt is `delayMillis` behind the beginning of this one. */
  onFailed(failure: ConnectFailure, delayMillis: number): void
  /** Last of all, in any case. */
  onGone(connection: GrpcSubchannelConnection): void
}

/** @category models */
export class GrpcSubchannelConnection implements SessionOwner {
  readonly startedMillis: number
  /** Once there is a transport. */
  session: Http2ClientSession | undefined = undefined
  /** Once it is begun. */
  fiber: Fiber.Fiber<void> | undefined = undefined
  /** How many calls the channel had sent when it became ready. */
  callCount = 0
  private phase: "connecting" | "ready" | "draining" | "over" = "connecting"
  private tooLate: TransportError.TransportError | undefined = undefined
  private readonly settings: Settings
  private readonly endpoint: Endpoint
  private readonly owner: Owner
  private readonly settingsTimer: Timer

  constructor(settings: Settings, endpoint: Endpoint, owner: Owner) {
    this.settings = settings
    this.endpoint = endpoint
    this.owner = owner
    this.startedMillis = settings.timers.now()
    this.settingsTimer = new Timer(() => {
      this.tooLate = TransportError.make(
        new TransportError.ConnectTimeout(Dialer.formatTarget(endpoint.target), settings.connectMillis)
      )
      this.session?.transport.destroy()
    })
  }

  /** Begins; the owner hears nothing before this has returned. */
  start(backoff: GrpcBackoff): void {
    const failed = (failure: ConnectFailure) =>
      Effect.map(backoff.next(failure), (delayMillis) => this.failed(failure, delayMillis))
    this.fiber = this.settings.fork(
      Effect.yieldNow.pipe(
        Effect.andThen(Effect.scoped(Effect.flatMap(this.open, (session) => session.closed))),
        Effect.map((ended): ConnectFailure => this.tooLate ?? Http2ClientError.make(ended)),
        // An interruption that nobody here asked for is the dialer's own, and a failure like others.
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause) && this.phase !== "connecting"
            ? Effect.interrupt
            : Effect.succeed(failureOf(cause))
        ),
        Effect.flatMap((failure) => (this.phase === "connecting" ? failed(failure) : Effect.void)),
        Effect.ensuring(
          Effect.sync(() => {
            this.phase = "over"
            this.settings.timers.clear(this.settingsTimer)
            this.owner.onGone(this)
          })
        )
      )
    )
  }

  /** Not wanted any more: an attempt is given up, and a connection ends with its last call, or in `drainMillis`. */
  closeUnsafe(drainMillis: number): void {
    if (this.phase === "connecting") {
      this.phase = "over"
      this.fiber!.interruptUnsafe()
    } else if (this.phase !== "over") this.session!.closeUnsafe(drainMillis)
  }

  /** Ends it, whatever is on its way. */
  cutUnsafe(): void {
    this.session?.cutUnsafe()
  }

  // What the session calls.

  onCapacity(): void {
    if (this.phase === "ready") this.owner.onCapacity()
  }

  onSettings(): void {
    if (this.phase !== "connecting") return
    this.phase = "ready"
    this.settings.timers.clear(this.settingsTimer)
    this.owner.onReady(this)
  }

  onDraining(): void {
    if (this.phase !== "ready") return
    this.phase = "draining"
    this.owner.onDraining(this, this.session!.ended!)
  }

  onClosed(): void {}

  private failed(failure: ConnectFailure, delayMillis: number): void {
    this.phase = "over"
    this.owner.onFailed(failure, delayMillis)
  }

  private get open(): Effect.Effect<
    Http2ClientSession,
    TransportError.TransportError | Http2ClientError.Http2ClientError,
    Scope.Scope
  > {
    const { connectMillis, dialer, limits, timers } = this.settings
    const { serverName, target } = this.endpoint
    const { tls: asked } = this.settings
    const tls = asked && { ...asked, serverName: asked.serverName ?? serverName, alpnProtocols: ["h2"] }
    return Effect.flatMap(dialer.dial(target, { connectTimeout: connectMillis, tls }), (transport) => {
      if (tls !== undefined && transport.tls?.alpnProtocol !== "h2") {
        return Effect.fail(Http2ClientError.make(new Http2ClientError.Http2NotAgreed(transport.tls?.alpnProtocol)))
      }
      timers.set(this.settingsTimer, this.startedMillis + connectMillis)
      this.session = new Http2ClientSession({ transport, timers, limits, waiting: noneWaits, owner: this })
      return Effect.succeed(this.session)
    })
  }
}

/** Calls wait in the channel, from where they can still go to another connection. */
const noneWaits = { waitingCount: 0, waitingMillis: Number.POSITIVE_INFINITY }

const failureOf = (cause: Cause.Cause<unknown>): ConnectFailure => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error : new Error(String(error))
}
