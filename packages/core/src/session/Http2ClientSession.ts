/**
 * The client's side of one HTTP/2 connection: drives the engine, and keeps
 * requests waiting while the server takes no further stream.
 *
 * It speaks in callbacks, and knows no fibers: what a client of HTTP or of
 * gRPC is made of.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Http2Connection } from "../protocol/http2/Http2Connection.ts"
import type { StreamFailure, Violation } from "../protocol/http2/Http2Error.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Http2Fields } from "../protocol/http2/Http2Fields.ts"
import type { Http2Handler } from "../protocol/http2/Http2Handler.ts"
import type { Http2ResponseHead } from "../protocol/http2/Http2Head.ts"
import type { Resolved } from "../protocol/http2/Http2Options.ts"
import { Http2Stream } from "../protocol/http2/Http2Stream.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as EnginePump from "./EnginePump.ts"
import { type Owner as CallOwner, Http2Call, type Receiver, type Request } from "./Http2Call.ts"
import * as Http2ClientError from "./Http2ClientError.ts"
import { Http2Waiting, type Limits } from "./Http2Waiting.ts"
import { Signal } from "./Signal.ts"
import { Timer, type Timers } from "./Timers.ts"

/** @category options */
export interface Options {
  readonly transport: Transport
  readonly timers: Timers
  readonly limits: Resolved
  readonly waiting: Limits
  readonly owner?: Owner | undefined
}

/** What a pool of sessions hears beside the calls. It must not throw. @category models */
export interface Owner {
  /** A request can be sent at once, after one found no place or the last place was taken. */
  onCapacity(): void
  /** The server's SETTINGS have come: the first time, it is there and speaks HTTP/2. */
  onSettings?(): void
  /** No new requests are taken any more: the server goes away, or this side closes. */
  onDraining(): void
  /** The transport is gone. */
  onClosed(ended: Http2ClientError.Ended): void
}

/** A snapshot, in requests of the whole life of the session where nothing else is said. @category models */
export interface Stats {
  /** Which are on their way now. */
  readonly openCount: number
  /** Which wait for the server now. */
  readonly waitingCount: number
  /** Which were sent. */
  readonly sentCount: number
  /** Whose response came whole. */
  readonly completedCount: number
  /** Which were sent, and got no whole response. */
  readonly failedCount: number
}

/** @category models */
export class Http2ClientSession implements Http2Handler, CallOwner {
  readonly engine: Http2Connection
  readonly pump: EnginePump.EnginePump
  readonly transport: Transport
  readonly timers: Timers
  private readonly waiting: Http2Waiting<Http2Call>
  private readonly owner: Owner | undefined
  private readonly tooManyWaiting: Http2ClientError.TooManyWaiting
  /** `draining`: this side closes. `cut`: it has ended the connection. */
  private phase: "open" | "draining" | "cut" | "over" = "open"
  /** Whether the owner was left without a place, and hears of the next one. */
  private places: "free" | "wanted" = "free"
  /** Why no request can be sent any more: the first reason counts. */
  private ending: Http2ClientError.Ended | undefined = undefined
  /** Calls whose stream was lost with a transport that has not said yet why. */
  private readonly lost: Array<Http2Call> = []
  /** Calls that the server has not processed, before its GOAWAY was told. */
  private readonly unprocessed: Array<readonly [Http2Call, Http2ClientError.Reason]> = []
  private readonly pings = new Set<(roundTripMillis: number | undefined) => void>()
  private readonly over = new Signal()
  private readonly drainTimer: Timer
  private readonly closeMillis: number
  private readonly idleMillis: number
  /** When the last stream was over. */
  private idleSinceMillis: number
  private sentCount = 0
  private completedCount = 0
  private failedCount = 0

  constructor({ limits, owner, timers, transport, waiting }: Options) {
    this.transport = transport
    this.timers = timers
    this.owner = owner
    this.waiting = new Http2Waiting(timers, waiting, (call) => {
      call.close(new Http2ClientError.WaitTimeout(waiting.waitingMillis))
    })
    this.tooManyWaiting = new Http2ClientError.TooManyWaiting(waiting.waitingCount)
    this.drainTimer = new Timer(() => (this.phase === "cut" ? transport.destroy() : this.cutUnsafe()))
    this.closeMillis = limits.closeMillis
    this.idleMillis = limits.idleMillis
    this.idleSinceMillis = timers.now()
    this.engine = new Http2Connection("client", this, limits, timers.now())
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, new PumpEvents(this))
  }

  /** Whether new requests are taken. */
  get isAvailable(): boolean {
    return this.ending === undefined && this.engine.phase === "open"
  }

  /** How many requests would be sent at once. */
  get capacity(): number {
    return this.isAvailable ? Math.max(0, this.freeCount() - this.waiting.count) : 0
  }

  /** How it ended, once that is certain. */
  get ended(): Http2ClientError.Ended | undefined {
    return this.ending
  }

  get stats(): Stats {
    return {
      openCount: this.engine.streamCount,
      waitingCount: this.waiting.count,
      sentCount: this.sentCount,
      completedCount: this.completedCount,
      failedCount: this.failedCount
    }
  }

  /**
   * Sends a request, or lets it wait; or says why it does neither, and then
   * `receiver` hears nothing.
   */
  openUnsafe(request: Request, receiver: Receiver): Http2Call | Http2ClientError.Reason {
    const { ending, waiting } = this
    if (ending !== undefined) return Http2ClientError.unsent(ending)
    const call = new Http2Call(request, receiver, this)
    if (waiting.count === 0 && this.freeCount() > 0) {
      const refusal = this.send(call, request)
      if (refusal === undefined) {
        // With others on their way, those who had their answer at the same time are about to ask again, too.
        if (this.engine.streamCount > 1) this.pump.wakeSoon()
        else this.pump.wake()
        return call
      }
      if (refusal !== "wait") return refusal
    }
    this.places = "wanted"
    if (waiting.isFull) return this.tooManyWaiting
    waiting.add(call)
    return call
  }

  /** Asks whether the server is there; one question at a time, which all who ask meanwhile share. `undefined`: it is gone. */
  pingUnsafe(answered: (roundTripMillis: number | undefined) => void): () => void {
    if (this.phase === "over" || this.engine.phase === "closed") {
      answered(undefined)
      return ignore
    }
    this.pings.add(answered)
    if (this.pings.size === 1) {
      this.engine.ping(this.pump.now())
      this.pump.wake()
    }
    return () => this.pings.delete(answered)
  }

  /**
   * Takes no more requests, fails those that wait, and ends the connection
   * when those on their way are over, or in `drainMillis`.
   */
  closeUnsafe(drainMillis: number): void {
    if (this.phase !== "open") return
    this.phase = "draining"
    this.timers.set(this.drainTimer, this.timers.now() + drainMillis)
    this.end(closedHere)
    this.pump.turn((nowMillis) => this.engine.drain(nowMillis))
  }

  /**
   * Ends the connection, whatever is on its way. A server that does not close
   * its side in the time for that is not waited for, nor one that reads slowly.
   */
  cutUnsafe(): void {
    if (this.phase === "over" || this.phase === "cut") return
    this.phase = "cut"
    this.timers.set(this.drainTimer, this.timers.now() + this.closeMillis)
    this.end(closedHere)
    this.pump.turn((nowMillis) => this.engine.close(Code.NoError, "", nowMillis))
  }

  /** How it has ended, once the transport is gone. */
  get closed(): Effect.Effect<Http2ClientError.Ended> {
    return Effect.map(this.over.await, () => this.ending!)
  }

  // What calls ask.

  leave(call: Http2Call): void {
    this.waiting.delete(call)
  }

  // What the engine calls.

  onRequest(): void {}

  onInterim(stream: Http2Stream, head: Http2ResponseHead): void {
    callOf(stream).receiver.onInterim?.(head)
  }

  onResponse(stream: Http2Stream, head: Http2ResponseHead, ended: boolean): void {
    callOf(stream).response(head, ended)
  }

  onData(stream: Http2Stream, data: Uint8Array): void {
    callOf(stream).data(data)
  }

  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    callOf(stream).ended(trailers)
  }

  onWritable(stream: Http2Stream): void {
    callOf(stream).receiver.onWritable()
  }

  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    const call = callOf(stream)
    this.idleSinceMillis = this.pump.now()
    if (call.progress === "whole") this.completedCount++
    else this.failedCount++
    // Whoever asks again at once must hear that the server goes away.
    if (failure?._tag === "Unprocessed") {
      this.unprocessed.push([call, Http2ClientError.ofFailure(failure, call.progress)])
    } else if (failure?._tag !== "ConnectionLost" || failure.violation !== undefined) {
      call.close(failure && Http2ClientError.ofFailure(failure, call.progress))
    } else if (this.phase === "cut") call.close(closedHere)
    // A transport that is gone is about to say why.
    else if (this.transport.state === "closed") this.lost.push(call)
    else call.close(Http2ClientError.ofFailure(failure, call.progress))
  }

  onPeerSettings(): void {
    if (this.freeCount() <= 0) this.places = "wanted"
    this.owner?.onSettings?.()
  }

  onGoAway(_lastStreamId: number, errorCode: number, debug: string): void {
    this.end(new Http2ClientError.GoneAway(errorCode, debug))
    for (const [call, reason] of this.unprocessed.splice(0)) call.close(reason)
  }

  onPong(roundTripMillis: number): void {
    this.answer(roundTripMillis)
  }

  onViolation(violation: Violation): void {
    this.end(new Http2ClientError.ConnectionViolated("MaybeProcessed", violation))
  }

  // What the pump calls.

  turned(): void {
    const { engine } = this
    const pump: EnginePump.EnginePump | undefined = this.pump
    // The first turn is within its making.
    if (pump === undefined) return
    if (engine.phase === "closed") {
      this.end(this.lastWords())
      this.answer(undefined)
    }
    this.admit()
    engine.fill(pump.now())
    while (engine.hasQueued && pump.writable()) {
      pump.flush()
      if (pump.writable()) engine.fill(pump.now())
    }
  }

  transportClosed(error: TransportError | undefined): void {
    this.phase = "over"
    this.timers.clear(this.drainTimer)
    const lost = new Http2ClientError.ConnectionLost("MaybeProcessed", error)
    this.end(lost)
    for (const call of this.lost.splice(0)) call.close(lost)
    this.answer(undefined)
    this.owner?.onClosed(this.ending!)
    this.over.fire()
  }

  /** Why the engine has ended the connection, where nobody has said it. */
  private lastWords(): Http2ClientError.Ended {
    const { idleMillis } = this
    return this.pump.now() - this.idleSinceMillis >= idleMillis
      ? new Http2ClientError.IdleTimeout(idleMillis)
      : // The server has ended its side without a word.
        new Http2ClientError.ConnectionLost("MaybeProcessed", undefined)
  }

  /** Those that wait, in their order, while the server takes them. */
  private admit(): void {
    const { waiting } = this
    while (waiting.count > 0 && this.ending === undefined && this.freeCount() > 0) {
      const call = waiting.first!
      const { request } = call
      const refusal = this.send(call, request!)
      if (refusal === "wait") break
      waiting.delete(call)
      if (refusal !== undefined) call.close(refusal)
      else if (request!.rest === "open") call.receiver.onWritable()
    }
    if (this.places === "free" || this.capacity === 0) return
    this.places = "free"
    this.owner?.onCapacity()
  }

  private send(call: Http2Call, request: Request): Http2ClientError.Reason | "wait" | undefined {
    const nowMillis = this.pump.now()
    const opened = this.engine.request(request, request.body, request.rest, call, nowMillis)
    if (opened instanceof Http2Stream) {
      call.opened(opened)
      this.sentCount++
      if (this.freeCount() <= 0) this.places = "wanted"
      return undefined
    }
    switch (opened._tag) {
      case "InvalidMessage":
        return new Http2ClientError.InvalidRequest("NotSent", opened.detail)
      case "StreamsExhausted":
        return "wait"
      case "GoingAway":
        // Without a GOAWAY of the server: the identifiers are used up.
        this.end(new Http2ClientError.GoneAway(Code.NoError, ""))
        this.engine.drain(nowMillis)
        this.pump.wake()
        return Http2ClientError.unsent(this.ending!)
      case "StreamEnded":
        this.end(new Http2ClientError.ConnectionLost("MaybeProcessed", undefined))
        return Http2ClientError.unsent(this.ending!)
    }
  }

  /** How many streams the server takes more; below 0 where it has lowered its limit. */
  private freeCount(): number {
    const { engine } = this
    return engine.localStreamLimit - engine.streamCount
  }

  /** No request is sent any more. */
  private end(ending: Http2ClientError.Ended): void {
    if (this.ending !== undefined) return
    this.ending = ending
    const failure = Http2ClientError.unsent(ending)
    for (const call of this.waiting.takeAll()) call.close(failure)
    this.owner?.onDraining()
  }

  private answer(roundTripMillis: number | undefined): void {
    if (this.pings.size === 0) return
    const asking = [...this.pings]
    this.pings.clear()
    for (const answered of asking) answered(roundTripMillis)
  }
}

/** What the pump says; `onClosed` and `onWritable` are others' names in the session. */
class PumpEvents implements EnginePump.PumpHandler {
  private readonly session: Http2ClientSession

  constructor(session: Http2ClientSession) {
    this.session = session
  }

  onTurn(): void {
    this.session.turned()
  }

  onWritable(): void {}

  onClose(error: TransportError | undefined): void {
    this.session.transportClosed(error)
  }
}

/** The engine keeps for each stream what its request came with. */
const callOf = (stream: Http2Stream): Http2Call => stream.owner as Http2Call

const closedHere = new Http2ClientError.SessionClosed("MaybeProcessed")

const ignore = (): void => {}
