/**
 * One connection of an HTTP/1.1 server: the engine on its transport, and the
 * requests that are being served.
 *
 * Requests are served one at a time, in the order in which they came. The next
 * one does not begin while the peer does not read what it was sent, nor while
 * many before it still clean up; then the peer is not read either. So a client
 * that sends requests and reads no answers costs a bounded amount.
 *
 * A request with a body begins when the body is there, or when what came with
 * the head has been read: most small bodies are whole by then, and their
 * handlers never wait.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import type { Violation } from "../protocol/http1/Http1Error.ts"
import type { Http1Fields } from "../protocol/http1/Http1Fields.ts"
import type { RequestHead } from "../protocol/http1/Http1Head.ts"
import { Http1Server, type ServerHandler } from "../protocol/http1/Http1Server.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as EnginePump from "./EnginePump.ts"
import { type Connection, Http1Exchange } from "./Http1Exchange.ts"
import { BodyLost, BodyViolation, type Flow, IncomingBody } from "./HttpBody.ts"
import type { Http1Environment, Serving } from "./HttpEnvironment.ts"
import type { Upgraded } from "./HttpExchange.ts"
import { Timer } from "./Timers.ts"

/** @category models */
export type Environment = Http1Environment

/** Handlers of one connection that have answered and not ended yet. */
const maxTrailingCount = 16

/**
 * Serves `transport`. `finished` is called once, when it is gone and no handler
 * is left. `startedMillis`: since when it is waited for the first request.
 *
 * @category constructors
 */
export const startUnsafe = (
  environment: Environment,
  transport: Transport,
  finished: (reason: string) => void,
  startedMillis: number = environment.timers.now()
): Http1Session => new Http1Session(environment, transport, finished, startedMillis)

/** @category models */
export class Http1Session implements ServerHandler, EnginePump.PumpHandler, Connection, Flow {
  readonly transport: Transport
  readonly scheme: "http" | "https"
  engine: Http1Server
  pump: EnginePump.EnginePump
  private readonly environment: Environment
  private readonly finished: (reason: string) => void
  /** The exchange whose request or response is not complete. */
  private current: Http1Exchange | undefined = undefined
  /** Whether `current` has been given to its handler. `collecting`: its body may still come in this turn. */
  private stage: "collecting" | "held" | "served" = "served"
  private readonly servings = new Set<Serving>()
  private reading: "on" | "paused" = "on"
  private upgraded: Upgraded | undefined = undefined
  private rest: Uint8Array | undefined = undefined
  private draining = false
  private peer: "open" | "ended" = "open"
  private violation: Violation | undefined = undefined
  private impatience: Timer | undefined = undefined
  private closed: { readonly error: TransportError | undefined } | undefined = undefined

  constructor(
    environment: Environment,
    transport: Transport,
    finished: (reason: string) => void,
    startedMillis: number
  ) {
    const { limits, timers } = environment
    this.environment = environment
    this.transport = transport
    this.finished = finished
    this.scheme = transport.tls === undefined ? "http" : "https"
    this.engine = new Http1Server(this, limits, startedMillis)
    transport.observeClose((error) => this.transportClosed(error))
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, this)
  }

  drain(): void {
    this.draining = true
    if (this.upgraded !== undefined) this.upgraded.drain()
    else this.pump.turn((nowMillis) => this.engine.drain(nowMillis))
  }

  interrupt(): void {
    for (const serving of [...this.servings]) serving.interrupt("server")
  }

  /** What came, or ended, before the session was there, at the time of that. */
  receive(bytes: Uint8Array, atMillis: number): void {
    this.pump.turn(() => this.engine.receive(bytes, atMillis))
  }

  receiveEnd(): void {
    this.pump.turn((nowMillis) => this.engine.receiveEnd(nowMillis))
  }

  cut(): void {
    this.interrupt()
    this.upgraded?.cut()
    this.transport.destroy()
  }

  onRequest(head: RequestHead): void {
    const body = head.delimiter === "Empty" ? undefined : new IncomingBody(head.lengthBytes, this)
    const exchange = new Http1Exchange(head, body, this, this.pump.now())
    this.current = exchange
    this.environment.onRequest?.(exchange)
    if (body === undefined) this.begin()
    else this.stage = "collecting"
  }

  onBody(data: Uint8Array): void {
    this.current?.onBody(data)
  }

  onEnd(trailers: Http1Fields | undefined): void {
    this.current?.body?.end(trailers)
    if (this.stage === "collecting") this.begin()
  }

  /** A client that waits for `100 Continue` sends nothing until somebody reads. */
  onTurn(): void {
    // One that is answered at once may let in the next, which may wait for `100 Continue`, too.
    while (this.stage === "collecting" && this.current !== undefined) this.begin()
    this.regulate()
  }

  onWritable(): void {
    this.current?.resumeWriters()
    this.proceed()
  }

  onUpgrade(rest: Uint8Array): void {
    this.rest = rest
  }

  /** Who takes an upgraded stream over attaches to the transport itself. */
  onRaw(_bytes: Uint8Array): void {}

  onPeerEnd(): void {
    this.peer = "ended"
    if (this.environment.halfClose === "answer" && this.stage !== "held") return
    this.lose(new BodyLost())
    this.engine.abort()
  }

  onViolation(violation: Violation): void {
    this.violation = violation
    const { current } = this
    // Who reads the body learns from it what was wrong; nobody else would.
    this.fail(new BodyViolation(violation), current?.body?.isAwaited === true ? "told" : "interrupted")
  }

  /** The engine is told by the pump, its owner by the transport. */
  onClose(): void {}

  wanted(): void {
    this.current?.continue()
  }

  /** A pause in a body has its limit as long as the body flows, whoever reads. */
  unwanted(): void {}

  /** HTTP/1.1 has no windows. */
  credit(_byteCount: number): void {}

  pause(): void {
    this.engine.pauseBody()
  }

  resume(): void {
    this.engine.resumeBody(this.pump.now())
    this.pump.wake()
  }

  ended(exchange: Http1Exchange): void {
    if (this.current === exchange) this.current = undefined
    // Who still reads it, beside the handler, would wait for ever.
    exchange.body?.fail(new BodyLost())
    this.environment.onEnd?.(exchange, exchange.phase === "completed" ? "completed" : "cut")
  }

  handOver(takeOver: (transport: Transport, rest: Uint8Array) => Upgraded): void {
    const { current, rest } = this
    this.pump.release()
    this.rest = undefined
    // An idle WebSocket should not hold the parser and the writers of HTTP. Nobody asks for them any more.
    this.engine = undefined as never
    this.pump = undefined as never
    this.current = undefined
    this.upgraded = takeOver(this.transport, rest ?? new Uint8Array(0))
    if (current !== undefined) this.environment.onEnd?.(current, "upgraded")
    // The transport has told the end of a peer that has ended already, and tells it nobody else.
    if (this.draining || this.peer === "ended") this.upgraded.drain()
  }

  /** Gives the current request to its handler, if the connection bears one more now. */
  private begin(): void {
    const { current, engine, pump } = this
    if (current === undefined) return
    if (engine.output.byteLength >= EnginePump.flushBytes) pump.flush()
    if (!pump.writable() || this.servings.size >= maxTrailingCount) {
      this.stage = "held"
      return
    }
    this.stage = "served"
    const serving = this.environment.serve(current)
    if (serving === undefined) {
      settle(current)
      return
    }
    this.servings.add(serving)
    serving.observe(() => {
      this.servings.delete(serving)
      settle(current)
      if (this.closed === undefined) this.proceed()
      else if (this.servings.size === 0) this.finish()
    })
  }

  /** Begins what had to wait. */
  private proceed(): void {
    if (this.stage !== "held") return
    this.pump.turn(() => this.begin())
  }

  /** The peer is read as long as the engine does not hold too much. */
  private regulate(): void {
    if (this.upgraded !== undefined) return
    const wish = this.engine.wantsPause ? "paused" : "on"
    if (wish === this.reading) return
    this.reading = wish
    if (wish === "paused") this.pump.pause()
    else this.pump.resume()
  }

  private transportClosed(error: TransportError | undefined): void {
    // First, since handlers may end within their interruption, and the last one is told of below.
    if (this.upgraded === undefined) this.lose(new BodyLost())
    this.closed = { error }
    if (this.servings.size === 0) this.finish()
    else if (this.upgraded !== undefined) this.awaitHandlers()
  }

  /** A handler learns from the upgraded stream that it has ended; one that does not is interrupted. */
  private awaitHandlers(): void {
    const { timers, limits } = this.environment
    this.impatience = new Timer(() => this.interruptBy("peer"))
    timers.set(this.impatience, timers.now() + limits.closeMillis)
  }

  /** The client is gone: nobody is left to be answered. */
  private lose(failure: BodyLost): void {
    this.fail(failure, "interrupted")
  }

  /** Handlers are interrupted before their bodies end, which they would take for the reason. */
  private fail(failure: BodyLost | BodyViolation, handlers: "interrupted" | "told"): void {
    const { current } = this
    this.current = undefined
    if (this.stage !== "served") this.stage = "served"
    // One that has just been answered, or broken off, is about to say so itself.
    const isAnswered = current?.phase === "completed" || current?.phase === "over"
    current?.over()
    if (handlers === "interrupted") this.interruptBy("peer")
    if (current === undefined || isAnswered) return
    current.body?.fail(failure)
    current.resumeWriters()
    this.environment.onEnd?.(current, "aborted")
  }

  private interruptBy(by: "peer" | "server"): void {
    for (const serving of [...this.servings]) serving.interrupt(by)
  }

  private finish(): void {
    const { closed, impatience, upgraded, violation } = this
    if (impatience !== undefined) this.environment.timers.clear(impatience)
    this.finished(violation?._tag ?? upgraded?.failure ?? closed?.error?.reason._tag ?? "Finished")
  }
}

/** A handler that ended without an answer, which only a defect of ours can cause, must not keep its client waiting. */
const settle = (exchange: Http1Exchange): void => {
  if (exchange.phase === "begun") exchange.abort()
  else if (exchange.phase === "unanswered") exchange.respond({ status: 500, headers: {} }, undefined)
}
