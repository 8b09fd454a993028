/**
 * One server of a channel, with its connections: it is dialed, left alone for
 * a while where that failed, and dialed further where its connections are full.
 *
 * @internal
 * @since 0.1.0
 */
import * as Http2Session from "../../client/Http2Session.ts"
import * as Code from "../../protocol/http2/Http2ErrorCode.ts"
import { Http2Call } from "../../session/Http2Call.ts"
import type * as Http2ClientError from "../../session/Http2ClientError.ts"
import { Timer } from "../../session/Timers.ts"
import { formatTarget } from "../../transport/Dialer.ts"
import { GrpcBackoff } from "./GrpcBackoff.ts"
import * as GrpcConnectivity from "./GrpcConnectivity.ts"
import type { Attempt, AttemptReceiver } from "./GrpcConnector.ts"
import type { Pickable } from "./GrpcPicker.ts"
import type { Endpoint } from "./GrpcResolver.ts"
import {
  type ConnectFailure,
  type Owner as ConnectionOwner,
  GrpcSubchannelConnection,
  type Settings
} from "./GrpcSubchannelConnection.ts"

/** What a server tells its channel. @category models */
export interface Owner {
  /** Calls that were sent, to whatever server. */
  readonly callCount: number
  /** Its state, or what it says of itself, has changed. */
  onChange(subchannel: GrpcSubchannel): void
  onCapacity(): void
  /** A connection failed or was lost: servers may have moved. */
  onFailure(): void
  onBegin(connection: GrpcSubchannelConnection): void
  /** Whose calls go to that server. */
  onSession(session: object, subchannel: GrpcSubchannel): void
  onGone(connection: GrpcSubchannelConnection): void
}

/** @category models */
export class GrpcSubchannel implements Pickable, ConnectionOwner {
  readonly endpoint: Endpoint
  readonly name: string
  state: GrpcConnectivity.State = "Idle"
  /** Why it could not be reached the last time; until it is. */
  failure: ConnectFailure | undefined = undefined
  /** Its connections had nothing to do: it is not dialed before the next call. */
  asleep = false
  /** Those that take calls. */
  private readonly connections: Array<GrpcSubchannelConnection> = []
  private attempt: GrpcSubchannelConnection | undefined = undefined
  /** Its last connection ended before a call was sent on it: it takes none, however often it is dialed. */
  private wasUseless = false
  /** When the last attempt began. */
  startedMillis = Number.NEGATIVE_INFINITY
  private settings: Settings
  private readonly owner: Owner
  private readonly backoff: GrpcBackoff
  private readonly restTimer: Timer
  private readonly scheme: "http" | "https"
  private readonly authority: string

  constructor(settings: Settings, endpoint: Endpoint, owner: Owner) {
    this.settings = settings
    this.endpoint = endpoint
    this.owner = owner
    this.name = formatTarget(endpoint.target)
    this.backoff = new GrpcBackoff(settings.backoff)
    this.restTimer = new Timer(() => this.move("Rested"))
    this.scheme = settings.tls === undefined ? "http" : "https"
    this.authority = settings.authority ?? endpoint.authority ?? Http2Session.authorityOf(endpoint.target, this.scheme)
  }

  /** gRPC proposal A62: one that could not be reached has failed until it can, whatever is tried meanwhile. */
  get reported(): GrpcConnectivity.State {
    return this.failure !== undefined && this.state !== "Shutdown" ? "TransientFailure" : this.state
  }

  get hasPlace(): boolean {
    for (const { session } of this.connections) if (session!.capacity > 0) return true
    return false
  }

  get openCount(): number {
    let count = 0
    for (const { session } of this.connections) count += session!.engine.streamCount
    return count
  }

  get connectionCount(): number {
    return this.connections.length
  }

  /** Whether a further connection may be dialed now. */
  get mayGrow(): boolean {
    const { attempt, connections, restTimer, settings } = this
    return attempt === undefined && restTimer.index < 0 && connections.length < settings.connectionCount
  }

  /** Whether an attempt is under way. */
  get isDialing(): boolean {
    return this.attempt !== undefined
  }

  /** Whether it is to be left alone for a moment, though it could be reached. */
  get isTooSoon(): boolean {
    return this.wasUseless && this.settings.timers.now() < this.startedMillis + leastMillis
  }

  /** Sends a call on the first connection that has a place. `undefined`: not sent, and another server, or another turn, may take it. */
  openUnsafe(attempt: Attempt, receiver: AttemptReceiver): Http2Call | Http2ClientError.InvalidRequest | undefined {
    for (const { session } of this.connections) {
      if (session!.capacity === 0) continue
      const { authority, scheme } = this
      const { body, headers, path, rest } = attempt
      const request = { method: "POST", scheme, authority, path, headers, body, rest } as const
      const opened = session!.openUnsafe(request, receiver)
      return opened instanceof Http2Call || opened._tag === "InvalidRequest" ? opened : undefined
    }
    return undefined
  }

  /** Dials, or will when it is not too soon: while idle, or a further connection while ready. */
  connect(): void {
    this.asleep = false
    if (this.isTooSoon) {
      this.settings.timers.set(this.restTimer, this.startedMillis + leastMillis)
      return
    }
    this.settings.timers.clear(this.restTimer)
    const connection = new GrpcSubchannelConnection(this.settings, this.endpoint, this)
    this.attempt = connection
    this.startedMillis = connection.startedMillis
    this.owner.onBegin(connection)
    connection.start(this.backoff)
    this.move("Connect")
  }

  /** The same, but not sooner than a second behind the last time: for what nobody waits for. */
  connectInTime(): void {
    const { restTimer, settings, startedMillis } = this
    const atMillis = startedMillis + leastMillis
    if (settings.timers.now() >= atMillis) this.connect()
    else if (restTimer.index < 0) settings.timers.set(restTimer, atMillis)
  }

  /** What was to be waited for is over: it may be dialed at once. */
  rouse(): void {
    this.asleep = false
    this.failure = undefined
    this.settings.timers.clear(this.restTimer)
    if (this.attempt === undefined) this.move("Rested")
    else this.owner.onChange(this)
  }

  /** The attempt under way is not wanted any more. */
  giveUp(): void {
    const { attempt } = this
    if (attempt === undefined || this.state === "Ready") return
    this.attempt = undefined
    attempt.closeUnsafe(0)
    this.move("GiveUp")
  }

  /** Nobody asks for it: it is not dialed before a call needs it, and then at once. */
  forget(): void {
    this.rouse()
    this.asleep = true
  }

  /** Takes no more calls; those on their way finish, in `drainMillis`. */
  closeUnsafe(drainMillis: number): void {
    this.settings.timers.clear(this.restTimer)
    const { attempt } = this
    this.attempt = undefined
    this.move("Close")
    attempt?.closeUnsafe(drainMillis)
    for (const connection of this.connections.splice(0)) connection.closeUnsafe(drainMillis)
  }

  // What connections say.

  onReady(connection: GrpcSubchannelConnection): void {
    this.attempt = undefined
    this.failure = undefined
    this.backoff.reset()
    if (this.state === "Shutdown") return
    connection.callCount = this.owner.callCount
    this.connections.push(connection)
    this.owner.onSession(connection.session!, this)
    this.move("Connected")
  }

  onCapacity(): void {
    this.owner.onCapacity()
  }

  onDraining(connection: GrpcSubchannelConnection, ended: Http2ClientError.Ended): void {
    const index = this.connections.indexOf(connection)
    if (index < 0) return
    this.connections.splice(index, 1)
    if (isTooManyPings(ended)) this.settings = withRarerPings(this.settings)
    this.wasUseless = ended._tag !== "IdleTimeout" && connection.session!.stats.sentCount === 0
    if (ended._tag === "IdleTimeout") this.asleep = true
    else {
      // Lost while nobody made a call: one that is made wakes it.
      if (this.owner.callCount === connection.callCount) this.asleep = true
      this.owner.onFailure()
    }
    if (this.connections.length === 0) {
      this.settings.timers.clear(this.restTimer)
      this.state = GrpcConnectivity.step(this.state, "Lost")
      // A further connection is under way, and becomes the only one.
      if (this.attempt !== undefined) this.state = GrpcConnectivity.step(this.state, "Connect")
    }
    this.owner.onChange(this)
  }

  onFailed(failure: ConnectFailure, delayMillis: number): void {
    const { settings, startedMillis } = this
    this.attempt = undefined
    if (this.state === "Shutdown") return
    if (this.state !== "Ready") this.failure = failure
    settings.timers.set(this.restTimer, Math.max(settings.timers.now(), startedMillis + delayMillis))
    this.owner.onFailure()
    this.move("Failed")
  }

  onGone(connection: GrpcSubchannelConnection): void {
    this.owner.onGone(connection)
  }

  private move(input: GrpcConnectivity.Input): void {
    this.state = GrpcConnectivity.step(this.state, input)
    this.owner.onChange(this)
  }
}

const leastMillis = 1000

/** gRPC proposal A8: "the client should double its KEEPALIVE_TIME" then, for what connects to that server from now on. */
const isTooManyPings = (ended: Http2ClientError.Ended): boolean =>
  ended._tag === "GoneAway" && ended.errorCode === Code.EnhanceYourCalm && ended.debug === "too_many_pings"

const withRarerPings = (settings: Settings): Settings => {
  const { limits } = settings
  return { ...settings, limits: { ...limits, pingIntervalMillis: 2 * limits.pingIntervalMillis } }
}
