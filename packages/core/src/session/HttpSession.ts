/**
 * One connection of an HTTP server, in the version that its client speaks.
 *
 * With TLS, ALPN has agreed on it (RFC 9113 §3.2). In cleartext the first bytes
 * say it: a client of HTTP/2 that knows the server begins with a preface that
 * is no request of HTTP/1.1 (§3.3). What comes is held until it differs from
 * that, 24 bytes at most; mostly it does in its first byte. Then the session of
 * the version has the transport to itself.
 *
 * Who sends nothing, or too little, has the times of HTTP/1.1 and its answers.
 * A drain waits a moment for the first bytes of who has come just now: they may
 * be on their way, in either version.
 *
 * @internal
 * @since 0.1.0
 */
import { graceMillis, recentMillis } from "../protocol/http1/Http1Server.ts"
import { preface } from "../protocol/http2/Http2Frame.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as Http1Session from "./Http1Session.ts"
import * as Http2ServerSession from "./Http2ServerSession.ts"
import type { Environment, Http2Environment } from "./HttpEnvironment.ts"
import { Timer } from "./Timers.ts"

/** A connection that is served, as a drain sees it. @category models */
export interface HttpSession {
  /** Finish what is in flight, and begin nothing. */
  drain(): void
  /** Interrupt the handlers. */
  interrupt(): void
  /** Let go at once. */
  cut(): void
}

/** Serves `transport`. `finished` is called once, when it is gone and no handler is left. @category constructors */
export const startUnsafe = (
  environment: Environment,
  transport: Transport,
  finished: (reason: string) => void
): HttpSession => {
  if (environment.http2 === "off") return Http1Session.startUnsafe(environment, transport, finished)
  if (transport.tls === undefined) return new FirstBytes(environment as Spoken, transport, finished)
  return transport.tls.alpnProtocol === "h2"
    ? Http2ServerSession.startUnsafe(environment as Spoken, transport, finished)
    : Http1Session.startUnsafe(environment, transport, finished)
}

/** Of a server that speaks both versions. */
type Spoken = Environment & Http2Environment

interface Held {
  readonly chunk: Uint8Array
  readonly atMillis: number
}

/** Waits for what tells the version, and stands for the session afterwards. */
class FirstBytes implements HttpSession, Receiver {
  private readonly environment: Spoken
  private readonly transport: Transport
  private readonly finished: (reason: string) => void
  private readonly startedMillis: number
  private readonly timer: Timer
  private session: HttpSession | undefined = undefined
  /** What is the beginning of the preface, and of many requests. */
  private held: Array<Held> | undefined = undefined
  private heldBytes = 0
  private draining = false

  constructor(environment: Spoken, transport: Transport, finished: (reason: string) => void) {
    const { limits, timers } = environment
    this.environment = environment
    this.transport = transport
    this.finished = finished
    this.startedMillis = timers.now()
    this.timer = new Timer(() => this.expire())
    timers.set(this.timer, this.startedMillis + limits.idleMillis)
    transport.attach(this)
    transport.resume()
  }

  onBytes(chunk: Uint8Array): void {
    const { limits, timers } = this.environment
    const matched = matchedBytes(chunk, this.heldBytes)
    const atMillis = timers.now()
    if (this.heldBytes + matched === preface.length) this.speakHttp2(chunk, atMillis)
    else if (matched < chunk.length) this.speakHttp1(chunk, atMillis)
    else {
      if (this.held === undefined) timers.set(this.timer, atMillis + limits.headMillis)
      this.held ??= []
      this.held.push({ chunk, atMillis })
      this.heldBytes += chunk.length
    }
  }

  onDrain(): void {}

  onEnd(): void {
    this.speakHttp1().receiveEnd()
  }

  onClose(error: TransportError | undefined): void {
    this.environment.timers.clear(this.timer)
    this.finished(error?.reason._tag ?? "Finished")
  }

  drain(): void {
    const { session, timer } = this
    if (session !== undefined) {
      session.drain()
      return
    }
    this.draining = true
    const { timers } = this.environment
    const nowMillis = timers.now()
    if (this.held === undefined && nowMillis - this.startedMillis > recentMillis) this.speakHttp1()
    else timers.set(timer, Math.min(timer.atMillis, nowMillis + graceMillis))
  }

  interrupt(): void {
    this.session?.interrupt()
  }

  cut(): void {
    if (this.session === undefined) this.transport.destroy()
    else this.session.cut()
  }

  /** Nothing has told the version; and who had to be waited for in a drain was. */
  private expire(): void {
    const session = this.speakHttp1()
    if (this.draining) session.drain()
  }

  private speakHttp1(chunk?: Uint8Array, atMillis = 0): Http1Session.Http1Session {
    const { environment, finished, startedMillis, transport } = this
    environment.timers.clear(this.timer)
    const session = Http1Session.startUnsafe(environment, transport, finished, startedMillis)
    this.handOver(session, chunk, atMillis)
    return session
  }

  private speakHttp2(chunk: Uint8Array, atMillis: number): void {
    const { environment, finished, transport } = this
    environment.timers.clear(this.timer)
    const session = Http2ServerSession.startUnsafe(environment, transport, finished)
    this.handOver(session, chunk, atMillis)
  }

  /** The session gets what has come, at the times of that: its deadlines count from there. */
  private handOver(
    session: Http1Session.Http1Session | Http2ServerSession.Http2ServerSession,
    chunk: Uint8Array | undefined,
    atMillis: number
  ): void {
    this.session = session
    if (this.draining) session.drain()
    const { held } = this
    this.held = undefined
    if (held !== undefined) for (const part of held) session.receive(part.chunk, part.atMillis)
    if (chunk !== undefined) session.receive(chunk, atMillis)
  }
}

/** How many bytes of `chunk` go on with the preface, of which so many have come. */
const matchedBytes = (chunk: Uint8Array, from: number): number => {
  const most = Math.min(chunk.length, preface.length - from)
  let matched = 0
  while (matched < most && chunk[matched] === preface[from + matched]) matched++
  return matched
}
