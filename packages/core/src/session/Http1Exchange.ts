/**
 * One request of an HTTP/1.1 connection and its response: commands go to the
 * engine as long as the exchange is the connection's current one, and do
 * nothing afterwards.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import * as Utf8 from "../bytes/Utf8.ts"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import type { HttpFields } from "../protocol/http/HttpFields.ts"
import { ConnectionEnded, InvalidMessage, type Refusal } from "../protocol/http1/Http1Error.ts"
import type { RequestHead } from "../protocol/http1/Http1Head.ts"
import * as Http1HeadWriter from "../protocol/http1/Http1HeadWriter.ts"
import type { Http1Server } from "../protocol/http1/Http1Server.ts"
import type { Transport } from "../transport/Transport.ts"
import { type EnginePump, flushBytes } from "./EnginePump.ts"
import type { IncomingBody } from "./HttpBody.ts"
import { type HttpExchange, type Phase, type ResponseParts, TypeId, type Upgraded } from "./HttpExchange.ts"

/**
 * The session of an exchange, as it is seen from there.
 *
 * @category models
 */
export interface Connection {
  readonly transport: Transport
  readonly scheme: "http" | "https"
  readonly engine: Http1Server
  readonly pump: EnginePump
  /** The response is whole, or was broken off: the next exchange may have begun already. */
  ended(exchange: Http1Exchange): void
  /** Lets `takeOver` have the transport, behind what the engine has said. */
  handOver(takeOver: (transport: Transport, rest: Uint8Array) => Upgraded): void
}

/** @category models */
export class Http1Exchange implements HttpExchange {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly body: IncomingBody | undefined
  /** When the head came, in milliseconds of the timers' clock. */
  readonly startedMillis: number
  phase: Phase = "unanswered"
  /** What was sent. */
  status: number | undefined = undefined
  /** Of the response's body: bytes, and a text whose bytes nobody may ask for. */
  private writtenBytes = 0
  private sentText: string | undefined = undefined
  trailers: FieldsInput | undefined = undefined
  private readonly head: RequestHead
  private readonly connection: Connection
  private waiting: Set<() => void> | undefined = undefined
  /** RFC 9110 §10.1.1: whether the client may still wait for `100 Continue`. */
  private continuation: "owed" | "none"

  constructor(head: RequestHead, body: IncomingBody | undefined, connection: Connection, startedMillis: number) {
    this.head = head
    this.body = body
    this.connection = connection
    this.startedMillis = startedMillis
    this.continuation = head.expectsContinue ? "owed" : "none"
  }

  get sentBodyBytes(): number {
    return this.writtenBytes + (this.sentText === undefined ? 0 : Utf8.byteLength(this.sentText))
  }

  get method(): string {
    return this.head.method
  }

  get target(): string {
    return this.head.target
  }

  get authority(): string {
    return this.head.authority
  }

  get scheme(): "http" | "https" {
    return this.connection.scheme
  }

  get version(): "1.0" | "1.1" {
    return this.head.minorVersion === 0 ? "1.0" : "1.1"
  }

  get upgradeProtocol(): string | undefined {
    return this.head.upgrade
  }

  get transport(): Transport {
    return this.connection.transport
  }

  relaxBody(): void {}

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

  respond({ headers, status, statusText }: ResponseParts, body: Uint8Array | string | undefined): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    const { engine, pump } = this.connection
    const prepared = preparedOf(headers)
    if (prepared instanceof InvalidMessage) return prepared
    // Set first: the engine goes on to the next request before it returns.
    this.phase = "completed"
    const refusal = engine.respond({ status, statusText, headers: prepared }, body, pump.now())
    if (refusal !== undefined) {
      if (this.phase === "completed") this.phase = "unanswered"
      return refusal
    }
    this.status = status
    if (typeof body === "string") this.sentText = body
    else if (body !== undefined) this.writtenBytes = body.length
    this.sent()
    this.connection.ended(this)
    return undefined
  }

  begin({ headers, status, statusText }: ResponseParts): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    const { engine, pump } = this.connection
    const prepared = preparedOf(headers)
    if (prepared instanceof InvalidMessage) return prepared
    const refusal = engine.beginResponse({ status, statusText, headers: prepared }, pump.now())
    if (refusal !== undefined) return refusal
    this.phase = "begun"
    this.status = status
    this.sent()
    return undefined
  }

  write(data: Uint8Array | string): Refusal | undefined {
    if (this.phase !== "begun") return ended
    const { engine, pump } = this.connection
    const refusal = engine.writeBody(data, pump.now())
    if (refusal !== undefined) return refusal
    this.writtenBytes += typeof data === "string" ? Utf8.byteLength(data) : data.length
    this.sent()
    return undefined
  }

  end(trailers?: FieldsInput): Refusal | undefined {
    if (this.phase !== "begun") return ended
    const { engine, pump } = this.connection
    this.phase = "completed"
    const refusal = engine.endBody(trailers, pump.now())
    if (refusal !== undefined) {
      if (this.phase === "completed") this.phase = "begun"
      return refusal
    }
    this.sent()
    this.connection.ended(this)
    return undefined
  }

  interim(status: number, headers: FieldsInput): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    const { engine, pump } = this.connection
    const refusal = engine.writeInterim(status, headers, pump.now())
    if (refusal === undefined) this.sent()
    return refusal
  }

  get awaitsContinue(): boolean {
    return this.continuation === "owed"
  }

  /** Somebody reads the body. */
  continue(): void {
    if (this.continuation === "owed" && this.phase === "unanswered") this.interim(100, {})
    this.continuation = "none"
  }

  onBody(data: Uint8Array): void {
    this.continuation = "none"
    this.body?.push(data)
  }

  get isWritable(): boolean {
    return this.phase === "over" || this.phase === "upgraded" || this.connection.pump.writable()
  }

  onWritable(resume: () => void): () => void {
    this.waiting ??= new Set()
    this.waiting.add(resume)
    return () => this.waiting?.delete(resume)
  }

  /** Has those who wait to write go on. */
  resumeWriters(): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    for (const resume of waiting) resume()
  }

  abort(): void {
    if (this.phase !== "unanswered" && this.phase !== "begun") return
    const { engine, pump } = this.connection
    this.over()
    this.resumeWriters()
    pump.turn(() => engine.abort())
    this.connection.ended(this)
  }

  upgrade(
    { headers, status, statusText }: ResponseParts,
    takeOver: (transport: Transport, rest: Uint8Array) => Upgraded
  ): Refusal | undefined {
    if (this.phase !== "unanswered") return ended
    const { engine, pump } = this.connection
    const refusal = engine.upgrade({ status, statusText, headers }, pump.now())
    if (refusal !== undefined) return refusal
    this.phase = "upgraded"
    this.status = status
    this.connection.handOver(takeOver)
    return undefined
  }

  /** Nothing more can be sent; writers learn it from their next command, when they are resumed. */
  over(): void {
    if (this.phase === "unanswered" || this.phase === "begun") this.phase = "over"
  }

  private sent(): void {
    const { engine, pump } = this.connection
    if (engine.output.byteLength >= flushBytes) pump.flush()
    pump.wake()
  }
}

const ended = new ConnectionEnded()

/**
 * Fields that were checked, by their record. Only records that come twice in a
 * row are kept, which those of constant responses do under load: an entry for
 * each record that is used once would cost more than it saves.
 */
const preparedFields = new WeakMap<FieldsInput, Http1HeadWriter.PreparedFields>()

/** The record of the last response, to be known again; it holds one small record in memory. */
let lastRecord: FieldsInput | undefined

const preparedOf = (headers: FieldsInput): Http1HeadWriter.PreparedFields | InvalidMessage => {
  const known = preparedFields.get(headers)
  if (known !== undefined) return known
  const prepared = Http1HeadWriter.prepare(headers)
  if (headers === lastRecord && !(prepared instanceof InvalidMessage)) preparedFields.set(headers, prepared)
  lastRecord = headers
  return prepared
}
