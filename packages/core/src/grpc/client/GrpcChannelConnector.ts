/**
 * Where the calls of a channel go: to a server that is there, or into the
 * queue while servers are dialed.
 *
 * It speaks in callbacks, and knows fibers only as what a connection lives in.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import * as Latch from "effect/Latch"
import type { GrpcEncodings } from "../../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import { Http2Call } from "../../session/Http2Call.ts"
import { Timer, type Timers } from "../../session/Timers.ts"
import { formatTarget } from "../../transport/Dialer.ts"
import { GrpcChannelCall } from "./GrpcChannelCall.ts"
import { GrpcChannelQueue, type Limits } from "./GrpcChannelQueue.ts"
import * as GrpcConnectivity from "./GrpcConnectivity.ts"
import type { Attempt, AttemptReceiver, Failure, GrpcConnector, GrpcStream } from "./GrpcConnector.ts"
import type { GrpcPicker } from "./GrpcPicker.ts"
import type { Endpoint } from "./GrpcResolver.ts"
import { GrpcSubchannel, type Owner } from "./GrpcSubchannel.ts"
import type { ConnectFailure, GrpcSubchannelConnection, Settings } from "./GrpcSubchannelConnection.ts"

/** @category options */
export interface Options {
  readonly settings: Settings
  readonly encodings: GrpcEncodings
  readonly picker: GrpcPicker
  readonly waiting: Limits
  readonly idleMillis: number
  readonly onState: (state: GrpcConnectivity.State) => void
}

/** @category models */
export class GrpcChannelConnector implements GrpcConnector, Owner {
  readonly timers: Timers
  readonly encodings: GrpcEncodings
  state: GrpcConnectivity.State = "Idle"
  /** Open while calls want servers: a resolver waits for it. */
  readonly wanted = Latch.makeUnsafe(false)
  /** Open when a connection has failed since it was closed. */
  readonly failed = Latch.makeUnsafe(false)
  /** Every connection whose transport is not gone, those under way too. */
  readonly connections = new Set<GrpcSubchannelConnection>()
  callCount = 0
  private subchannels: ReadonlyArray<GrpcSubchannel> = []
  /** Those of them that are ready, in the same order. */
  private ready: ReadonlyArray<GrpcSubchannel> = []
  /** Whether calls are made: else nothing is dialed. */
  private phase: "asleep" | "awake" | "closed" = "asleep"
  /** Whether the next call wakes servers, though others are there for it. */
  private dozing: "none" | "some" = "none"
  private turn: "none" | "running" | "again" = "none"
  /** Why no server is known. */
  private unresolved: ConnectFailure | undefined = undefined
  /** The last time that a call found no place. */
  private wantedMillis = Number.NEGATIVE_INFINITY
  private readonly queue: GrpcChannelQueue
  private readonly options: Options
  private readonly picker: GrpcPicker
  /** The server that a connection's calls are on. */
  private readonly homes = new WeakMap<object, GrpcSubchannel>()
  private readonly patienceTimer = new Timer(() => this.settle())
  private readonly cutTimer = new Timer(() => {
    for (const connection of this.connections) connection.cutUnsafe()
  })

  constructor(options: Options) {
    this.options = options
    this.picker = options.picker
    this.timers = options.settings.timers
    this.encodings = options.encodings
    const { waitingMillis } = options.waiting
    this.queue = new GrpcChannelQueue(this.timers, options.waiting, (call) =>
      call.close(GrpcError.unavailable(`no server took the call within ${waitingMillis} ms`, limited))
    )
  }

  get endpointCount(): number {
    return this.subchannels.length
  }

  get waitingCount(): number {
    return this.queue.count
  }

  get openCount(): number {
    let count = 0
    for (const { session } of this.connections) count += session?.engine.streamCount ?? 0
    return count
  }

  openUnsafe(attempt: Attempt, receiver: AttemptReceiver): GrpcStream | Failure {
    if (this.queue.count === 0) {
      const besides = attempt.besides === undefined ? undefined : this.homeOf(attempt.besides)
      const opened = this.picker.pick(this.ready, besides)?.openUnsafe(attempt, receiver)
      if (opened !== undefined) {
        this.callCount++
        if (this.dozing === "some") this.wake()
        return opened
      }
    }
    return this.wait(attempt, receiver)
  }

  /** Dials without a call. */
  wake(): void {
    if (this.phase === "closed") return
    this.wantedMillis = this.timers.now()
    if (this.phase === "asleep") {
      this.phase = "awake"
      this.wanted.openUnsafe()
    }
    for (const one of this.subchannels) one.asleep = false
    this.settle()
  }

  /** The servers as they are now. Those that are not among them finish their calls. */
  setEndpoints(endpoints: ReadonlyArray<Endpoint>): void {
    if (this.phase === "closed") return
    const known = new Map(this.subchannels.map((one) => [keyOf(one.endpoint), one]))
    const next = new Map<string, GrpcSubchannel>()
    for (const endpoint of endpoints) {
      const key = keyOf(endpoint)
      next.set(key, known.get(key) ?? new GrpcSubchannel(this.options.settings, endpoint, this))
    }
    this.subchannels = [...next.values()]
    this.unresolved = next.size === 0 ? noEndpoints : undefined
    for (const [key, one] of known) if (!next.has(key)) one.closeUnsafe(Number.POSITIVE_INFINITY)
    this.settle()
  }

  /** The resolver has failed: without servers that are known from before, calls fail. */
  setUnresolved(failure: ConnectFailure): void {
    this.unresolved = failure
    this.settle()
  }

  /** Nothing is sent any more; calls on their way have `drainMillis`. */
  closeUnsafe(drainMillis: number): void {
    if (this.phase === "closed") return
    this.phase = "closed"
    this.timers.set(this.cutTimer, this.timers.now() + drainMillis)
    for (const one of this.subchannels) one.closeUnsafe(drainMillis)
    for (const connection of this.connections) connection.closeUnsafe(drainMillis)
    this.settle()
    for (const call of this.queue.take("all")) call.close(closedHere)
  }

  // What servers say.

  onChange(): void {
    this.settle()
  }

  onCapacity(): void {
    this.admit()
  }

  onFailure(): void {
    this.failed.openUnsafe()
  }

  onBegin(connection: GrpcSubchannelConnection): void {
    this.connections.add(connection)
  }

  onSession(session: object, subchannel: GrpcSubchannel): void {
    this.homes.set(session, subchannel)
  }

  onGone(connection: GrpcSubchannelConnection): void {
    this.connections.delete(connection)
  }

  private wait(attempt: Attempt, receiver: AttemptReceiver): GrpcStream | Failure {
    if (this.phase === "closed") return closedHere
    this.wantedMillis = this.timers.now()
    if (this.state === "TransientFailure" && !attempt.waitForReady) return this.unavailable()
    const { waitingCount } = this.options.waiting
    if (this.queue.isFull) return GrpcError.resourceExhausted(`${waitingCount} calls wait already`, limited)
    const call = new GrpcChannelCall(attempt, receiver, (left) => this.queue.delete(left))
    this.queue.add(call)
    this.wake()
    return call
  }

  /** Brings everything in line with what servers have said; whoever is called may call again. */
  private settle(): void {
    if (this.turn !== "none") {
      this.turn = "again"
      return
    }
    try {
      do {
        this.turn = "running"
        this.settleOnce()
      } while ((this.turn as "running" | "again") === "again")
    } finally {
      this.turn = "none"
    }
  }

  private settleOnce(): void {
    const hadReady = this.ready.length > 0
    this.ready = this.subchannels.filter((one) => one.state === "Ready")
    if (this.phase === "awake") this.reach(hadReady)
    const isDozing = this.picker.reach === "all" && this.ready.length > 0 && this.subchannels.some((one) => one.asleep)
    this.dozing = isDozing ? "some" : "none"
    this.publish(this.combined())
    if (this.state === "TransientFailure") {
      for (const call of this.queue.take("failFast")) call.close(this.unavailable())
      return
    }
    this.admit()
    if (this.phase === "awake" && this.queue.count > 0) this.grow()
  }

  /** Dials what is to be dialed now. */
  private reach(hadReady: boolean): void {
    const { picker, ready, subchannels } = this
    if (this.isUnwanted(hadReady)) {
      if (!subchannels.some((one) => one.isDialing)) this.sleep()
      return
    }
    // With nobody left to take calls, those that were left alone get their chance at once.
    if (ready.length === 0 && hadReady) for (const one of subchannels) one.rouse()
    if (picker.reach === "all") this.reachAll()
    else this.reachFirst()
  }

  /** Whether nothing is to be dialed before the next call. */
  private isUnwanted(hadReady: boolean): boolean {
    const { picker, queue, ready, subchannels } = this
    if (ready.length > 0 || queue.count > 0) return false
    // The only one that was there may have gone because nothing was asked of it.
    if (hadReady && picker.reach === "first") return true
    if (this.timers.now() - this.wantedMillis >= this.options.idleMillis) return true
    return subchannels.length > 0 && subchannels.every((one) => one.asleep && one.state === "Idle")
  }

  private reachAll(): void {
    const isWaitedFor = this.ready.length === 0 && this.queue.count > 0
    for (const one of this.subchannels) {
      if (one.state !== "Idle" || one.asleep) continue
      if (isWaitedFor || one.failure !== undefined) one.connect()
      else one.connectInTime()
    }
  }

  private reachFirst(): void {
    if (this.ready.length > 0) {
      for (const one of this.subchannels) one.giveUp()
      return
    }
    for (const one of this.subchannels) if (one.state === "Idle" && one.failure !== undefined) one.connect()
    const idle = this.subchannels.filter((one) => one.state === "Idle")
    const next = idle.find((one) => !one.isTooSoon) ?? idle[0]
    if (next === undefined) return
    // gRPC proposal A61: a server that does not answer soon does not hold up those behind it.
    let latestMillis = Number.NEGATIVE_INFINITY
    for (const one of this.subchannels) {
      if (one.isDialing && one.failure === undefined) latestMillis = Math.max(latestMillis, one.startedMillis)
    }
    const atMillis = latestMillis + patienceMillis
    if (this.timers.now() < atMillis) this.timers.set(this.patienceTimer, atMillis)
    else next.connect()
  }

  /** A further connection, to the server with the fewest. One at a time. */
  private grow(): void {
    if (this.ready.some((one) => one.isDialing)) return
    let least: GrpcSubchannel | undefined
    for (const one of this.ready) {
      if (one.mayGrow && (least === undefined || one.connectionCount < least.connectionCount)) least = one
    }
    least?.connect()
  }

  private sleep(): void {
    this.phase = "asleep"
    this.wanted.closeUnsafe()
    if (this.unresolved !== noEndpoints) this.unresolved = undefined
    for (const one of this.subchannels) one.forget()
  }

  /** Sends calls that wait, in their order. */
  private admit(): void {
    if (this.ready.length === 0) return
    for (const call of this.queue.values()) {
      const besides = call.attempt.besides === undefined ? undefined : this.homeOf(call.attempt.besides)
      const opened = this.picker.pick(this.ready, besides)?.openUnsafe(call.attempt, call.receiver)
      if (opened === undefined) break
      this.queue.delete(call)
      this.callCount++
      if (opened instanceof Http2Call) call.opened(opened)
      else call.close(opened)
    }
  }

  private combined(): GrpcConnectivity.State {
    if (this.phase === "closed") return "Shutdown"
    const state = GrpcConnectivity.best(this.subchannels.map((one) => one.reported))
    if (state !== undefined) return state
    if (this.unresolved !== undefined) return "TransientFailure"
    return this.phase === "awake" ? "Connecting" : "Idle"
  }

  private publish(state: GrpcConnectivity.State): void {
    if (state === this.state) return
    this.state = state
    this.options.onState(state)
  }

  private unavailable(): GrpcError.GrpcError {
    const failing = this.subchannels.find((one) => one.failure !== undefined)
    const cause = failing?.failure ?? this.unresolved!
    const where = failing === undefined ? "no server is known" : `no connection to ${failing.name}`
    return GrpcError.unavailable(`${where}: ${cause.message}`, { fault: "transport", retry: "NotSent", cause })
  }

  private homeOf(stream: GrpcStream): GrpcSubchannel | undefined {
    const call = stream instanceof GrpcChannelCall ? stream.sent : stream
    return call instanceof Http2Call ? this.homes.get(call.owner) : undefined
  }
}

const keyOf = (endpoint: Endpoint): string =>
  `${formatTarget(endpoint.target)} ${endpoint.authority ?? ""} ${endpoint.serverName ?? ""}`

const noEndpoints: ConnectFailure = new Error("the list of servers is empty")

const patienceMillis = 250

const limited = { fault: "limit", retry: "NotSent" } as const

const closedHere = GrpcError.cancelled("the channel is closed", { fault: "caller", retry: "NotSent" })
