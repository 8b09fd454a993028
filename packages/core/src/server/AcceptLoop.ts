/**
 * Takes connections from a listener, within limits, and keeps count of them:
 * the same for every server.
 *
 * When all places are taken, new connections wait unread, and get a place in
 * the order in which they came. A platform that cannot leave them in the
 * kernel's queue gets the same behaviour here; nobody waits longer than
 * `waitTimeout`.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Limit from "../protocol/Limit.ts"
import { Timer, type Timers } from "../session/Timers.ts"
import type { Acceptor, Listener } from "../transport/Listener.ts"
import type { Transport } from "../transport/Transport.ts"
import * as TransportError from "../transport/TransportError.ts"
import * as ConnectionLimits from "./ConnectionLimits.ts"
import type { ConnectionStats } from "./ConnectionStats.ts"
import type { Drain, Member } from "./Drain.ts"

/** @category options */
export interface Options extends ConnectionLimits.Options {
  /** How long an accepted connection may wait for a place. Above 0. Default 10 seconds. */
  readonly waitTimeout?: Duration.Input | undefined
}

/**
 * Begins to serve a transport. `finished` is called once, when its handler has
 * ended and its transport is gone.
 *
 * @category models
 */
export type Serve = (transport: Transport, finished: (reason: string) => void) => Member

/** @category models */
export interface AcceptLoop {
  /** Serves every connection by `serve`, from now on. */
  readonly start: (serve: Serve) => Effect.Effect<void>
  /** Accepts no more; those that wait are refused. */
  readonly stop: Effect.Effect<void>
}

/** @category constructors */
export const makeUnsafe = (
  listener: Listener["Service"],
  drain: Drain,
  timers: Timers,
  stats: ConnectionStats,
  options?: Options
): AcceptLoop => new Loop(listener, drain, timers, stats, options)

interface Waiting {
  readonly transport: Transport
  readonly key: string
  readonly untilMillis: number
}

class Loop implements AcceptLoop, Acceptor {
  private readonly listener: Listener["Service"]
  private readonly drain: Drain
  private readonly timers: Timers
  private readonly stats: ConnectionStats
  private readonly limits: ConnectionLimits.ConnectionLimits
  private readonly waitMillis: number
  /** In the order of arrival, so also of their deadlines. Who vanishes leaves at once. */
  private readonly waiting = new Set<Waiting>()
  private readonly waitTimer: Timer
  private serve: Serve | undefined

  constructor(
    listener: Listener["Service"],
    drain: Drain,
    timers: Timers,
    stats: ConnectionStats,
    options: Options | undefined
  ) {
    this.listener = listener
    this.drain = drain
    this.timers = timers
    this.stats = stats
    this.limits = new ConnectionLimits.ConnectionLimits(options)
    this.waitMillis = Limit.millis("waitTimeout", options?.waitTimeout ?? "10 seconds")
    this.waitTimer = new Timer((nowMillis) => this.expire(nowMillis))
  }

  readonly start = (serve: Serve): Effect.Effect<void> =>
    Effect.suspend(() => {
      this.serve = serve
      return this.listener.accept(this)
    })

  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    const left = [...this.waiting]
    this.waiting.clear()
    for (const { transport, key } of left) {
      this.limits.letGo(key)
      this.refuse(transport, draining)
    }
    this.changed()
    return this.listener.close
  })

  onTransport(transport: Transport): void {
    const key = ConnectionLimits.addressKey(transport.peer)
    const verdict = this.drain.isDraining() ? draining : this.limits.judge(key, this.waiting.size)
    if (verdict === "admit") {
      this.admit(transport, key)
    } else if (verdict === "wait") {
      this.wait(transport, key)
    } else {
      this.refuse(transport, verdict)
    }
  }

  onRefused(error: TransportError.TransportError): void {
    this.stats.refusedBy(error.reason._tag)
  }

  private wait(transport: Transport, key: string): void {
    const place = { transport, key, untilMillis: this.timers.now() + this.waitMillis }
    this.waiting.add(place)
    this.limits.hold(key)
    this.changed()
    transport.observeClose(() => {
      if (this.leave(place)) this.changed()
    })
  }

  private admit(transport: Transport, key: string): void {
    this.limits.take(key)
    this.stats.opened(transport)
    let leave: (() => void) | undefined
    let over = false
    transport.observeClose(() => this.stats.finished(transport))
    const member = this.serve!(transport, (reason) => {
      if (over) return
      over = true
      this.stats.closedBy(reason)
      this.limits.release(key)
      leave?.()
      this.next()
    })
    if (!over) leave = this.drain.join(member)
  }

  /** Gives the place that became free to whoever has waited longest and is still there. */
  private next(): void {
    for (const place of this.waiting) {
      const { transport, key } = place
      if (transport.state === "open" && !this.limits.hasPlace()) return
      this.leave(place)
      this.changed()
      if (transport.state === "open") this.admit(transport, key)
    }
  }

  /** Takes a connection out of the waiting room; whether it was in. */
  private leave(place: Waiting): boolean {
    if (!this.waiting.delete(place)) return false
    this.limits.letGo(place.key)
    return true
  }

  private expire(nowMillis: number): void {
    for (const place of this.waiting) {
      if (place.untilMillis > nowMillis) break
      this.leave(place)
      this.refuse(place.transport, new TransportError.TooManyConnections("waiting", this.limits.maxWaiting))
    }
    this.changed()
  }

  private changed(): void {
    this.stats.waiting = this.waiting.size
    const [first] = this.waiting
    this.timers.set(this.waitTimer, first?.untilMillis ?? Number.POSITIVE_INFINITY)
  }

  private refuse(transport: Transport, reason: TransportError.TooManyConnections): void {
    this.stats.refusedBy(reason._tag)
    transport.destroy(TransportError.make(reason))
  }
}

const draining = new TransportError.TooManyConnections("draining", 0)
