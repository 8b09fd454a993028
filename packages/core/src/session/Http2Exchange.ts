/**
 * One request of an HTTP/2 connection and its response: commands go to the
 * engine as long as the stream is there, and do nothing afterwards.
 *
 * It is the only object of the session for a request: the body's flow, and
 * what the stream is served with.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import * as Retention from "../bytes/Retention.ts"
import * as Utf8 from "../bytes/Utf8.ts"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import type { HttpFields } from "../protocol/http/HttpFields.ts"
import * as HttpMessage from "../protocol/http/HttpMessage.ts"
import type { Refusal } from "../protocol/http/HttpReason.ts"
import type { Http2Connection } from "../protocol/http2/Http2Connection.ts"
import { InvalidMessage, StreamEnded, type StreamFailure } from "../protocol/http2/Http2Error.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Http2RequestHead } from "../protocol/http2/Http2Head.ts"
import type { Http2Stream } from "../protocol/http2/Http2Stream.ts"
import type { Transport } from "../transport/Transport.ts"
import { type EnginePump, flushBytes } from "./EnginePump.ts"
import { BodyLost, type Flow, IncomingBody } from "./HttpBody.ts"
import type { ServedExchange, Serving } from "./HttpEnvironment.ts"
import { type HttpExchange, type Phase, type ResponseParts, TypeId, type Upgraded } from "./HttpExchange.ts"

/** Who serves a stream: a request's exchange, or what it was upgraded to. @category models */
export interface StreamOwner {
  onData(data: Uint8Array): void
  onEnd(trailers: HttpFields | undefined): void
  onClosed(failure: StreamFailure | undefined): void
  /** The stream takes more again. Told when the engine has done its part of the turn. */
  onSendable(): void
}

/** The session of an exchange, as it is seen from there. @category models */
export interface Connection {
  readonly transport: Transport
  readonly scheme: "http" | "https"
  readonly engine: Http2Connection
  readonly pump: EnginePump
  /** The body of a request is whole. */
  ready(exchange: Http2Exchange): void
  /** The stream is over. */
  closed(exchange: Http2Exchange, failure: StreamFailure | undefined): void
  /** Lets `takeOver` have the stream, with what of it waits in the exchange. */
  handOver(exchange: Http2Exchange, takeOver: (transport: Transport, rest: Uint8Array) => Upgraded): void
}

/** @category models */
export class Http2Exchange implements HttpExchange, ServedExchange, StreamOwner, Flow {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly version = "2"
  readonly stream: Http2Stream
  readonly body: IncomingBody | undefined
  readonly startedMillis: number
  phase: Phase = "unanswered"
  status: number | undefined = undefined
  /** Of the response's body: bytes, and a text whose bytes nobody may ask for. */
  private writtenBytes = 0
  private sentText: string | undefined = undefined
  trailers: FieldsInput | undefined = undefined
  /** Whether its handler runs. `collecting`: the body may still come whole in this turn. */
  stage: "collecting" | "serving" | "served" = "collecting"
  /** The handler, where it has not ended at once. */
  serving: Serving | undefined = undefined
  /** What has come on a stream that is to be a tunnel, before somebody took it over. */
  early: Array<Uint8Array> | undefined = undefined
  /** Whether all of the request has come. */
  request: "open" | "ended"
  private readonly head: Http2RequestHead
  private readonly connection: Connection
  private waiting: Set<() => void> | undefined = undefined
  /** Whether a body that stops in the middle is given up. */
  private pace: "limited" | "any" = "limited"
  /** RFC 9110 §10.1.1: whether the client may still wait for `100 Continue`. */
  private continuation: "owed" | "none"

  constructor(
    stream: Http2Stream,
    head: Http2RequestHead,
    request: "open" | "ended",
    connection: Connection,
    startedMillis: number
  ) {
    this.stream = stream
    this.head = head
    this.request = request
    this.connection = connection
    this.startedMillis = startedMillis
    // RFC 9113 §8.5: what comes behind a CONNECT is no content of it.
    const hasBody = request === "open" && head.method !== "CONNECT"
    this.body = hasBody ? new IncomingBody(head.lengthBytes, this) : undefined
    this.continuation = hasBody && head.expectsContinue ? "owed" : "none"
  }

  get sentBodyBytes(): number {
    return this.writtenBytes + (this.sentText === undefined ? 0 : Utf8.byteLength(this.sentText))
  }

  get method(): string {
    return this.head.method
  }

  /** `:path`; of a CONNECT without one, `:authority`. */
  get target(): string {
    return this.head.path === "" ? this.head.authority : this.head.path
  }

  get authority(): string {
    return this.head.authority
  }

  get scheme(): "http" | "https" {
    return this.connection.scheme
  }

  get upgradeProtocol(): string | undefined {
    return this.head.protocol
  }

  get transport(): Transport {
    return this.connection.transport
  }

  relaxBody(pace: "limited" | "any"): void {
    this.pace = pace
    this.stream.bodyLimit = "none"
  }

  get fields(): HttpFields {
    return this.head
  }

  header(name: string): string | undefined {
    return this.head.header(name)
  }

  headers(): Readonly<Record<string, string>> {
    return this.head.headers()
  }

  get isAnswerable(): boolean {
    return this.phase === "unanswered"
  }

  respond({ headers, status }: ResponseParts, body: Uint8Array | string | undefined): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    // RFC 9110 §9.3.6: a client would take a 2xx to CONNECT for the tunnel that nobody has opened.
    if (HttpMessage.isTunnel(this.head.method, status)) return this.respond(notImplemented, undefined)
    const { engine, pump } = this.connection
    // Set first: the stream may be over before the engine returns.
    this.phase = "completed"
    this.status = status
    if (typeof body === "string") this.sentText = body
    else if (body !== undefined) this.writtenBytes = body.length
    const refusal = engine.respond(this.stream, status, headers, body, pump.now())
    if (refusal === undefined) {
      this.answered()
      return undefined
    }
    if (this.phase === "completed") this.phase = "unanswered"
    this.status = undefined
    this.writtenBytes = 0
    this.sentText = undefined
    return refusal
  }

  begin({ headers, status }: ResponseParts): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    if (HttpMessage.isTunnel(this.head.method, status)) return tunnelOnly
    const { engine, pump } = this.connection
    const refusal = engine.beginResponse(this.stream, status, headers, pump.now())
    if (refusal !== undefined) return refusal
    this.phase = "begun"
    this.status = status
    this.sent()
    return undefined
  }

  write(data: Uint8Array | string): Refusal | undefined {
    if (this.phase !== "begun") return ended
    const { engine, pump } = this.connection
    const refusal = engine.write(this.stream, data, pump.now())
    if (refusal !== undefined) return refusal
    this.writtenBytes += typeof data === "string" ? Utf8.byteLength(data) : data.length
    this.sent()
    return undefined
  }

  end(trailers?: FieldsInput): Refusal | undefined {
    if (this.phase !== "begun") return ended
    const { engine, pump } = this.connection
    this.phase = "completed"
    const refusal = engine.end(this.stream, trailers, pump.now())
    if (refusal === undefined) {
      this.answered()
      return undefined
    }
    if (this.phase === "completed") this.phase = "begun"
    return refusal
  }

  interim(status: number, headers: FieldsInput): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    const { engine, pump } = this.connection
    const refusal = engine.interim(this.stream, status, headers, pump.now())
    if (refusal === undefined) this.sent()
    return refusal
  }

  get awaitsContinue(): boolean {
    return this.continuation === "owed"
  }

  get isWritable(): boolean {
    return this.phase === "over" || this.phase === "upgraded" || this.stream.isWritable
  }

  onWritable(resume: () => void): () => void {
    this.waiting ??= new Set()
    this.waiting.add(resume)
    return () => this.waiting?.delete(resume)
  }

  abort(): void {
    if (this.phase !== "unanswered" && this.phase !== "begun") return
    const { engine, pump } = this.connection
    this.over()
    engine.reset(this.stream, Code.InternalError, pump.now())
    pump.wake()
  }

  upgrade(
    { headers, status }: ResponseParts,
    takeOver: (transport: Transport, rest: Uint8Array) => Upgraded
  ): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    if (!HttpMessage.isTunnel(this.head.method, status)) return connectOnly
    const { engine, pump } = this.connection
    const refusal = engine.beginResponse(this.stream, status, headers, pump.now())
    if (refusal !== undefined) return refusal
    this.phase = "upgraded"
    this.status = status
    this.connection.handOver(this, takeOver)
    return undefined
  }

  onData(data: Uint8Array): void {
    this.continuation = "none"
    if (this.body !== undefined) {
      this.body.push(data)
      return
    }
    this.early ??= []
    this.early.push(Retention.keepable(data))
  }

  onEnd(trailers: HttpFields | undefined): void {
    this.request = "ended"
    this.body?.end(trailers)
    this.connection.ready(this)
  }

  onClosed(failure: StreamFailure | undefined): void {
    this.connection.closed(this, failure)
  }

  onSendable(): void {
    this.resumeWriters()
  }

  wanted(): void {
    const { engine, pump } = this.connection
    if (this.continuation === "owed" && this.phase === "unanswered") this.interim(100, noFields)
    this.continuation = "none"
    if (this.pace === "any") return
    engine.awaitBody(this.stream, true, pump.now())
    pump.wake()
  }

  unwanted(): void {
    if (this.pace === "any") return
    const { engine, pump } = this.connection
    engine.awaitBody(this.stream, false, pump.now())
  }

  /** Its window is what keeps the peer from sending. */
  pause(): void {}

  resume(): void {}

  credit(byteCount: number): void {
    const { engine, pump } = this.connection
    engine.consume(this.stream, byteCount, pump.now())
    pump.wake()
  }

  /** Nothing more can be sent; writers learn it from their next command. */
  over(): void {
    if (this.phase === "unanswered" || this.phase === "begun") this.phase = "over"
  }

  /** Has those who wait to write go on. */
  resumeWriters(): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    for (const resume of waiting) resume()
  }

  /** The response is whole. Who still reads the request, beside the handler, would wait for ever. */
  private answered(): void {
    if (this.request === "open") {
      const { engine, pump } = this.connection
      engine.abandon(this.stream, pump.now())
      this.body?.fail(lost)
    }
    this.sent()
  }

  private sent(): void {
    const { engine, pump } = this.connection
    if (engine.output.byteLength >= flushBytes) pump.flush()
    // Handlers of other streams may be about to answer, too.
    if (engine.streamCount > 1) pump.wakeSoon()
    else pump.wake()
  }
}

const noFields: FieldsInput = {}

const notImplemented: ResponseParts = { status: 501, headers: noFields }

const ended = new StreamEnded()

const lost = new BodyLost()

const connectOnly = new InvalidMessage("a stream is handed over with a 2xx to CONNECT, and with nothing else")

const tunnelOnly = new InvalidMessage("a 2xx to CONNECT opens a tunnel")
