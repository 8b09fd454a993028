/**
 * One connection of an HTTP/2 server: the engine on its transport, and the
 * requests that are being served, all of them at a time.
 *
 * A request without a body begins at once; one with a body when it is there,
 * or when what came with the head has been read: most small bodies are whole
 * by then, and their handlers never wait. A stream keeps its place until its
 * handler has ended: so a client that resets streams has no more handlers at
 * work than one that waits.
 *
 * What the peer is told of a request that cannot be served:
 *
 * - a body above `maxBodySize`: 413, or RST_STREAM with CANCEL where a response
 *   has begun. Where its head says so, its handler does not begin;
 * - a body that stops in the middle while somebody reads it: 408, or the same;
 * - a body of another length than its head says: RST_STREAM with PROTOCOL_ERROR;
 * - a head that is too large: 431; one that breaks a rule: RST_STREAM with
 *   PROTOCOL_ERROR. The engine answers these by itself: nobody here hears of them.
 *
 * Behind a response that is whole, what is left of its request is not waited
 * for: RST_STREAM with NO_ERROR (RFC 9113 §8.1).
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import { Http2Connection } from "../protocol/http2/Http2Connection.ts"
import type { StreamFailure, Violation } from "../protocol/http2/Http2Error.ts"
import type { Http2Fields } from "../protocol/http2/Http2Fields.ts"
import type { Http2Handler } from "../protocol/http2/Http2Handler.ts"
import type { Http2RequestHead } from "../protocol/http2/Http2Head.ts"
import type { Http2Stream } from "../protocol/http2/Http2Stream.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as EnginePump from "./EnginePump.ts"
import { type Connection, Http2Exchange, type StreamOwner } from "./Http2Exchange.ts"
import { type Drainable, Http2StreamTransport, type Tunnels } from "./Http2StreamTransport.ts"
import { BodyLost, BodyViolation } from "./HttpBody.ts"
import type { Http2Environment, Outcome } from "./HttpEnvironment.ts"
import type { Upgraded } from "./HttpExchange.ts"
import { Timer } from "./Timers.ts"

/** @category models */
export type Environment = Http2Environment

/**
 * Serves `transport`. `finished` is called once, when it is gone and no handler
 * is left.
 *
 * @category constructors
 */
export const startUnsafe = (
  environment: Http2Environment,
  transport: Transport,
  finished: (reason: string) => void
): Http2ServerSession => new Http2ServerSession(environment, transport, finished)

/** @category models */
export class Http2ServerSession implements Http2Handler, EnginePump.PumpHandler, Connection, Tunnels {
  readonly transport: Transport
  readonly scheme: "http" | "https"
  readonly engine: Http2Connection
  readonly pump: EnginePump.EnginePump
  private readonly environment: Http2Environment
  private readonly finished: (reason: string) => void
  /** Whose body may still come in this turn. */
  private collecting: Array<Http2Exchange> = []
  /** Who can send again, and was not told yet. */
  private sendable: Array<StreamOwner> = []
  /** Whose handler has not ended. */
  private readonly running = new Set<Http2Exchange>()
  private readonly upgraded = new Set<Upgraded>()
  /** Who waits until all that was written to a stream has left. */
  private readonly filled = new Set<Drainable>()
  private reading: "on" | "paused" = "on"
  private draining = false
  private violation: Violation | undefined = undefined
  private closedBy: { readonly error: TransportError | undefined } | undefined = undefined

  constructor(environment: Http2Environment, transport: Transport, finished: (reason: string) => void) {
    const { http2, timers } = environment
    this.environment = environment
    this.transport = transport
    this.finished = finished
    this.scheme = transport.tls === undefined ? "http" : "https"
    this.engine = new Http2Connection("server", this, http2, timers.now())
    transport.observeClose((error) => this.transportClosed(error))
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, this)
  }

  drain(): void {
    this.draining = true
    this.pump.turn((nowMillis) => {
      this.engine.drain(nowMillis)
      for (const upgraded of [...this.upgraded]) upgraded.drain()
    })
  }

  interrupt(): void {
    for (const exchange of [...this.running]) exchange.serving?.interrupt("server")
  }

  cut(): void {
    this.interrupt()
    this.transport.destroy()
  }

  /** What came before the session was there, at the time of that. */
  receive(bytes: Uint8Array, atMillis: number): void {
    this.pump.turn(() => this.engine.receive(bytes, atMillis))
  }

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    const exchange = new Http2Exchange(stream, head, ended ? "ended" : "open", this, this.pump.now())
    stream.owner = exchange
    this.environment.onRequest?.(exchange)
    if (exchange.body === undefined) this.begin(exchange)
    else if ((head.lengthBytes ?? 0) > this.environment.http2.bodyBytes) this.refuse(exchange)
    else this.collecting.push(exchange)
  }

  onData(stream: Http2Stream, data: Uint8Array): void {
    ;(stream.owner as StreamOwner).onData(data)
  }

  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    ;(stream.owner as StreamOwner).onEnd(trailers)
  }

  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    ;(stream.owner as StreamOwner | undefined)?.onClosed(failure)
  }

  /** The pump's, of the whole transport: the engine knows already, and streams are told by it. */
  onWritable(stream?: Http2Stream): void {
    if (stream !== undefined) this.sendable.push(stream.owner as StreamOwner)
  }

  onViolation(violation: Violation): void {
    this.violation = violation
  }

  onInterim(): void {}
  onResponse(): void {}
  onPeerSettings(): void {}
  onGoAway(): void {}
  onPong(): void {}

  /** The engine is told by the pump, its owner by the transport. */
  onClose(): void {}

  /** Large bodies leave here, in as many parts as the transport takes at once. */
  onTurn(): void {
    if (this.collecting.length > 0) this.beginAll()
    const { engine, pump } = this
    while (true) {
      if (engine.hasQueued) engine.fill(pump.now())
      const resumed = this.resumeSenders()
      if (engine.hasQueued && pump.writable() && engine.output.byteLength > 0) pump.flush()
      else if (!resumed) break
    }
    if (this.filled.size > 0) this.drained()
    this.regulate()
  }

  ready(exchange: Http2Exchange): void {
    if (exchange.stage === "collecting") this.begin(exchange)
  }

  /** Handlers are interrupted before their bodies end, which they would take for the reason. */
  closed(exchange: Http2Exchange, failure: StreamFailure | undefined): void {
    const { body } = exchange
    const outcome = outcomeOf(exchange, failure)
    // The engine has answered in place of the handler.
    if (failure !== undefined && "status" in failure && exchange.phase === "unanswered") {
      exchange.status = failure.status
    }
    if (exchange.stage === "collecting") exchange.stage = "served"
    exchange.over()
    // Who reads the body learns from it what was wrong; nobody else would.
    const isTold = isOfMessage(failure) && body?.isAwaited === true
    if (outcome === "aborted" && !isTold) exchange.serving?.interrupt("peer")
    body?.fail(isTold ? new BodyViolation(failure) : new BodyLost())
    if (isTold) this.awaitHandler(exchange)
    exchange.resumeWriters()
    this.environment.onEnd?.(exchange, outcome)
  }

  handOver(exchange: Http2Exchange, takeOver: (transport: Transport, rest: Uint8Array) => Upgraded): void {
    const tunnel = new Http2StreamTransport(exchange.stream, this, exchange.early, exchange.request)
    exchange.stream.owner = tunnel
    exchange.early = undefined
    const upgraded = takeOver(tunnel, noBytes)
    this.upgraded.add(upgraded)
    tunnel.observeClose(() => {
      this.upgraded.delete(upgraded)
      this.awaitHandler(exchange)
    })
    this.environment.onEnd?.(exchange, "upgraded")
    this.pump.wake()
    if (this.draining) upgraded.drain()
  }

  awaitDrain(owner: Drainable): void {
    this.filled.add(owner)
  }

  /** The body is going to be too large, so nobody needs to see it. */
  private refuse(exchange: Http2Exchange): void {
    exchange.stage = "served"
    exchange.respond({ status: 413, headers: {} }, undefined)
  }

  /** Gives a request to its handler. */
  private begin(exchange: Http2Exchange): void {
    const { engine, pump } = this
    if (engine.output.byteLength >= EnginePump.flushBytes) pump.flush()
    exchange.stage = "serving"
    engine.retain(exchange.stream)
    const serving = this.environment.serve(exchange)
    if (serving === undefined) {
      this.served(exchange)
      return
    }
    exchange.serving = serving
    this.running.add(exchange)
    serving.observe(() => {
      this.running.delete(exchange)
      this.served(exchange)
      if (this.closedBy !== undefined && this.running.size === 0) this.finish()
    })
  }

  /** A client that waits for `100 Continue` sends nothing until somebody reads. */
  private beginAll(): void {
    const { collecting } = this
    this.collecting = []
    for (const exchange of collecting) if (exchange.stage === "collecting") this.begin(exchange)
  }

  /** A handler that ended without an answer, which only a defect of ours can cause, must not keep its client waiting. */
  private served(exchange: Http2Exchange): void {
    exchange.stage = "served"
    exchange.serving = undefined
    if (exchange.phase === "unanswered") exchange.respond({ status: 500, headers: {} }, undefined)
    // Also of a client that takes no head at all, whose stream nobody would end otherwise.
    if (exchange.phase === "unanswered" || exchange.phase === "begun") exchange.abort()
    this.engine.release(exchange.stream, this.pump.now())
    this.pump.wake()
  }

  /** Has those go on who wait for their stream: not from within the engine, to which they come back. */
  private resumeSenders(): boolean {
    const { sendable } = this
    if (sendable.length === 0) return false
    this.sendable = []
    for (const owner of sendable) owner.onSendable()
    return true
  }

  private drained(): void {
    for (const owner of this.filled) {
      if (owner.bufferedBytes > 0) continue
      this.filled.delete(owner)
      owner.onDrained()
    }
  }

  /** A peer that does not read what it is sent is not read either: whatever it sends may want an answer. */
  private regulate(): void {
    const { engine, pump, transport } = this
    const isFull = engine.output.blocked && transport.bufferedBytes + pump.waitingBytes > mostUnsentBytes
    const wish = isFull ? "paused" : "on"
    if (wish === this.reading) return
    this.reading = wish
    if (wish === "paused") pump.pause()
    else pump.resume()
  }

  /** A handler learns from its body, or the upgraded stream, that that has ended; one that does not is interrupted. */
  private awaitHandler(exchange: Http2Exchange): void {
    const { serving } = exchange
    if (serving === undefined) return
    const { timers, http2 } = this.environment
    const impatience = new Timer(() => serving.interrupt("peer"))
    timers.set(impatience, timers.now() + http2.closeMillis)
    serving.observe(() => timers.clear(impatience))
  }

  private transportClosed(error: TransportError | undefined): void {
    this.closedBy = { error }
    if (this.running.size === 0) this.finish()
  }

  private finish(): void {
    this.finished(this.violation?._tag ?? this.closedBy?.error?.reason._tag ?? "Finished")
  }
}

/** More than a turn of bodies: who reads slowly is still heard. */
const mostUnsentBytes = 262_144

const noBytes = new Uint8Array(0)

/** What was left of a request that was answered is no failure of the stream. */
const outcomeOf = (exchange: Http2Exchange, failure: StreamFailure | undefined): Outcome => {
  if (failure !== undefined && failure._tag !== "LocalReset") return "aborted"
  return exchange.phase === "completed" ? "completed" : "cut"
}

/** Whether the peer broke a rule of the message, or a limit, of which whoever reads it should know. */
const isOfMessage = (failure: StreamFailure | undefined): failure is StreamFailure =>
  failure !== undefined && failure._tag !== "PeerReset" && failure._tag !== "ConnectionLost"
