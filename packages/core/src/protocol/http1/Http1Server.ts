/**
 * The server's end of an HTTP/1.1 connection: an engine. It routes between the
 * parser, the table of the exchange and the writers; requests are handed over
 * one at a time, each when the one before is answered and its body is used up
 * or dropped (RFC 9112 §9.3.2).
 *
 * A request that breaks a rule is answered by the engine, with
 * `Connection: close` (RFC 9112 §9.6), and told to the handler as a violation.
 *
 * @since 0.1.0
 */

import * as HttpDate from "../http/HttpDate.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import type { Delimiter } from "./Http1BodyLength.ts"
import { byteLengthOf, type Handler, Http1Connection } from "./Http1Connection.ts"
import { InvalidMessage, ReceiveTimeout, type Refusal, Truncated, type Violation } from "./Http1Error.ts"
import { RequestHead, requestOf } from "./Http1Head.ts"
import * as Http1HeadWriter from "./Http1HeadWriter.ts"
import type { Resolved } from "./Http1Options.ts"

/**
 * What a server hears, synchronously and in order. `onEnd` is called for each
 * request whose `delimiter` is not `Empty`.
 *
 * @category models
 */
export interface ServerHandler extends Handler {
  onRequest(head: RequestHead): void
  /** The connection was upgraded; `rest` has come behind the request already. Later bytes come to `onRaw`. */
  onUpgrade(rest: Uint8Array): void
}

/**
 * The head of a response. `Content-Length` may be given, and must be true; the
 * rest of the framing, `Connection` and `Date` are the engine's.
 *
 * @category models
 */
export interface ResponseParts {
  /** From 200 to 599; for `upgrade` 101 too. */
  readonly status: number
  /** The reason phrase. Default: the registered one. */
  readonly statusText?: string | undefined
  readonly headers: FieldsInput | Http1HeadWriter.PreparedFields
}

/** @category models */
export class Http1Server extends Http1Connection {
  private readonly handler: ServerHandler
  private request: RequestHead | undefined = undefined
  private serving: "on" | "draining" = "on"
  /** Whether the client may still be waiting for `100 Continue`. */
  private continuation: "none" | "owed" = "none"
  /** Since when no request is in flight. */
  private idleFromMillis: number
  /** The last date that was sent, and its line with the empty one behind it. */
  private date = ""
  private dateText = ""

  /** A connection that has just been accepted; it counts as idle. */
  constructor(handler: ServerHandler, limits: Resolved, nowMillis: number) {
    super(handler, limits, nowMillis)
    this.handler = handler
    this.idleFromMillis = nowMillis
    this.deadline.set(nowMillis + limits.idleMillis)
  }

  /**
   * Answers the request with a whole response, in one write where the body is
   * small. Refused, with nothing sent, when there is no request to answer or
   * the head is not valid.
   */
  respond(parts: ResponseParts, body: Uint8Array | string | undefined, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.WholeResponse, nowMillis)
    if (refusal !== undefined) return refusal
    const prepared = prepareFinal(parts, this.method)
    if (prepared instanceof InvalidMessage) return prepared
    const line = Http1HeadWriter.statusLine(parts.status, parts.statusText)
    if (typeof line !== "string") return line
    const bodyBytes = byteLengthOf(body)
    const bodiless = HttpMessage.isBodiless(this.method, parts.status)
    let lengthBytes = prepared.lengthBytes
    if (!bodiless) {
      if (lengthBytes !== undefined && lengthBytes !== bodyBytes)
        return new InvalidMessage("Content-Length is not true")
      // RFC 9110 §15.3.6: "a server MUST NOT generate content in a 205 response".
      if (parts.status === 205 && bodyBytes > 0) return new InvalidMessage("a 205 response has no content")
      lengthBytes = bodyBytes
    } else if (lengthBytes === undefined && body !== undefined) lengthBytes = bodyBytes
    const head = this.headOf(line, prepared, this.lengthLine(parts.status, lengthBytes))
    if (bodiless) this.writeMessage(head, undefined, 0)
    else this.writeMessage(head, body, bodyBytes)
    this.move(this.place.WholeResponse)
    this.finishResponse()
    return undefined
  }

  /**
   * Begins a response whose body comes by `writeBody` and ends with `endBody`,
   * also where the response can have none. Without a `Content-Length` it is
   * sent in chunks; to HTTP/1.0, until the connection closes.
   */
  beginResponse(parts: ResponseParts, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.ResponseHead, nowMillis)
    if (refusal !== undefined) return refusal
    const prepared = prepareFinal(parts, this.method)
    if (prepared instanceof InvalidMessage) return prepared
    const line = Http1HeadWriter.statusLine(parts.status, parts.statusText)
    if (typeof line !== "string") return line
    const delimiter = this.delimiterOf(parts.status, prepared.lengthBytes)
    if (delimiter === "UntilClose") this.persistent = false
    const framing =
      delimiter === "Chunked" ? "transfer-encoding: chunked\r\n" : this.lengthLine(parts.status, prepared.lengthBytes)
    this.writer.begin(delimiter, prepared.lengthBytes)
    this.writeMessage(this.headOf(line, prepared, framing), undefined, 0)
    this.move(this.place.ResponseHead)
    return undefined
  }

  /** Sends a part of the body. Refused when it is more than `Content-Length` said. */
  writeBody(data: Uint8Array | string, nowMillis: number): Refusal | undefined {
    return this.refusalOf(this.place.EndResponse, nowMillis) ?? this.writeData(data, nowMillis)
  }

  /** Ends the body. Refused when it is less than `Content-Length` said: only `abort` is left then. */
  endBody(trailers: FieldsInput | undefined, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.EndResponse, nowMillis) ?? this.writer.end(trailers)
    if (refusal !== undefined) return refusal
    this.move(this.place.EndResponse)
    this.finishResponse()
    return undefined
  }

  /** Sends a 1xx response: `100 Continue`, or `103 Early Hints`. To HTTP/1.0 nothing (RFC 9110 §15.2). */
  writeInterim(status: number, headers: FieldsInput, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.Interim, nowMillis)
    if (refusal !== undefined) return refusal
    if (!HttpMessage.isInterim(status) || status === 101) return new InvalidMessage(`${status} is no interim status`)
    const prepared = Http1HeadWriter.prepare(headers)
    if (prepared instanceof InvalidMessage) return prepared
    const line = Http1HeadWriter.statusLine(status, undefined)
    if (typeof line !== "string") return line
    if (status === 100) this.sendContinuation()
    if (this.request?.minorVersion !== 0) this.writeMessage(`${line}${prepared.lines}\r\n`, undefined, 0)
    return undefined
  }

  /**
   * Changes the protocol: 101 with an `Upgrade` field, to a request that asks
   * for it; or a 2xx to CONNECT. `onUpgrade` is called before this returns.
   */
  upgrade(parts: ResponseParts, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.Upgrade, nowMillis)
    if (refusal !== undefined) return refusal
    const prepared = preparedOf(parts)
    if (prepared instanceof InvalidMessage) return prepared
    const switches = parts.status === 101 && prepared.hasUpgrade && this.request?.upgrade !== undefined
    if (!switches && !HttpMessage.isTunnel(this.method, parts.status)) {
      return new InvalidMessage("the request and the response do not agree on an upgrade")
    }
    const line = Http1HeadWriter.statusLine(parts.status, parts.statusText)
    if (typeof line !== "string") return line
    const connection = Http1HeadWriter.connectionLine(prepared, "")
    this.writeMessage(line + prepared.lines + connection + this.dateLine(prepared.hasDate), undefined, 0)
    this.move(this.place.Upgrade)
    this.handler.onUpgrade(this.takeRest())
    return undefined
  }

  /**
   * Lets what is in flight finish, says `Connection: close` with it, and
   * closes. An idle connection is closed at once; one that was in use a moment
   * ago gets another one, since its next request may be on its way; not where
   * this is said again. A head that has begun is waited for no longer than a
   * second.
   */
  drain(nowMillis: number): void {
    const isRecent = this.serving === "on" && nowMillis - this.idleFromMillis <= recentMillis
    this.nowMillis = nowMillis
    this.serving = "draining"
    this.persistent = false
    if (this.state === "AwaitingHead") this.deadline.hasten(nowMillis + lastHeadMillis)
    if (this.state !== "Idle") return
    if (isRecent) this.deadline.set(nowMillis + graceMillis)
    else this.closeGracefully()
  }

  protected readMore(): boolean {
    switch (this.state) {
      case "Idle":
        this.move(this.place.BeginRequest)
        this.parser.begin("request")
        this.deadline.set(this.nowMillis + this.limits.headMillis)
        if (this.serving === "draining") this.deadline.hasten(this.nowMillis + lastHeadMillis)
        return this.readHead()
      case "AwaitingHead":
        return this.readHead()
      case "RequestBody":
      case "BothBodies":
        this.continuation = "none"
        return this.readBody()
      case "RequestRest":
        return this.readUnwanted()
      case "Upgraded":
        return this.readRaw()
      default:
        return false
    }
  }

  protected onLate(): void {
    switch (this.state) {
      case "AwaitingHead":
        this.violate(new ReceiveTimeout("head", this.limits.headMillis))
        break
      case "RequestBody":
      case "BothBodies":
        this.violate(new ReceiveTimeout("body", this.limits.bodyMillis))
        break
      default:
        this.closeGracefully()
    }
  }

  protected onEndOfInput(): void {
    switch (this.state) {
      case "Idle":
      case "RequestRest":
        this.closeGracefully()
        break
      case "AwaitingHead":
        this.violate(new Truncated("part of the head"))
        break
      case "RequestBody":
      case "BothBodies":
        this.endReading()
        break
      default:
        this.persistent = false
    }
  }

  /** The answer of an error is possible until a response has begun; after that, only to break it off. */
  protected answer(violation: Violation): void {
    const { status } = violation
    switch (this.state) {
      case "Idle":
      case "AwaitingHead":
      case "RequestBody":
        if (status !== undefined) {
          const line = `HTTP/1.1 ${status} ${HttpMessage.reasonPhrase(status)}\r\n`
          this.writeMessage(`${line}content-length: 0\r\nconnection: close\r\n${this.dateLine(false)}`, undefined, 0)
        }
        this.closeGracefully()
        break
      default:
        this.abort()
    }
  }

  protected onBodyEnd(): void {
    const wanted = this.state !== "RequestRest"
    this.move(this.place.EndRequest)
    if (!wanted) {
      this.finishExchange()
      return
    }
    this.deadline.set(Number.POSITIVE_INFINITY)
    this.tellEnd()
  }

  protected receivesBody(): boolean {
    return this.state === "RequestBody" || this.state === "BothBodies"
  }

  protected isOwed(): boolean {
    return this.state === "AwaitingResponse" || this.state === "ResponseBody"
  }

  protected lossOf(): Violation | undefined {
    return undefined
  }

  private get method(): string {
    return this.request?.method ?? ""
  }

  private readHead(): boolean {
    const { inbox, parser } = this
    inbox.readTo(parser.receive(inbox.chunk, inbox.at))
    if (!parser.complete) {
      if (parser.violation !== undefined) this.violate(parser.violation)
      return true
    }
    const head = requestOf(parser)
    if (!(head instanceof RequestHead)) {
      this.violate(head)
      return true
    }
    this.request = head
    this.persistent = head.persistent && this.serving === "on"
    if (head.delimiter === "Empty") {
      this.continuation = "none"
      this.move(this.place.WholeRequest)
      this.deadline.set(Number.POSITIVE_INFINITY)
    } else if (!this.beginBody(head)) return true
    this.handler.onRequest(head)
    return true
  }

  private beginBody(head: RequestHead): boolean {
    this.reader.begin(head.delimiter, head.lengthBytes)
    if (this.reader.violation !== undefined) {
      this.violate(this.reader.violation)
      return false
    }
    this.move(this.place.RequestHead)
    this.beginReading()
    this.continuation = head.expectsContinue ? "owed" : "none"
    // The client is not late while it waits for us.
    if (head.expectsContinue) this.deadline.set(Number.POSITIVE_INFINITY)
    return true
  }

  private sendContinuation(): void {
    if (this.continuation === "none") return
    this.continuation = "none"
    this.deadline.set(this.nowMillis + this.limits.bodyMillis)
  }

  /** A response is complete: on to the next request, or to the end. */
  private finishResponse(): void {
    if (!this.persistent) {
      this.closeGracefully()
      return
    }
    if (this.state === "Complete") this.finishExchange()
    // What is left of the request is dropped, in a time that more of it does not prolong.
    else this.deadline.set(this.nowMillis + this.limits.bodyMillis)
    this.read()
  }

  private finishExchange(): void {
    this.move(this.place.Reuse)
    this.request = undefined
    this.idleFromMillis = this.nowMillis
    this.deadline.set(this.nowMillis + this.limits.idleMillis)
  }

  private headOf(line: string, prepared: Http1HeadWriter.PreparedFields, framing: string): string {
    if (this.persistent && !this.mayPersist(prepared)) this.persistent = false
    const own = !this.persistent ? "close" : this.request?.minorVersion === 0 ? "keep-alive" : ""
    return (
      line + prepared.lines + framing + Http1HeadWriter.connectionLine(prepared, own) + this.dateLine(prepared.hasDate)
    )
  }

  /** Whether the next request can be found behind this one, and is wanted. */
  private mayPersist(prepared: Http1HeadWriter.PreparedFields): boolean {
    if (prepared.closes || this.isDrained) return false
    // What follows a refused CONNECT may be meant for the tunnel that was not built.
    if (this.method === "CONNECT") return false
    if (this.state !== "RequestBody") return true
    // RFC 9110 §10.1.1: a client that still waits for 100 may send the body after this, or leave it out.
    if (this.continuation === "owed") return false
    const { leftBytes } = this.reader
    return leftBytes === Number.POSITIVE_INFINITY || leftBytes <= this.limits.discardBytes
  }

  private delimiterOf(status: number, lengthBytes: number | undefined): Delimiter {
    if (HttpMessage.isBodiless(this.method, status)) return "Empty"
    if (lengthBytes !== undefined) return "Length"
    return this.request?.minorVersion === 0 ? "UntilClose" : "Chunked"
  }

  private lengthLine(status: number, lengthBytes: number | undefined): string {
    return lengthBytes === undefined || !HttpMessage.mayHaveLength(this.method, status)
      ? ""
      : `content-length: ${lengthBytes}\r\n`
  }

  /** `Date`, if it is to be added, and the empty line behind the fields. */
  private dateLine(hasDate: boolean): string {
    const { epochOffsetMillis } = this.limits
    if (hasDate || epochOffsetMillis === undefined) return "\r\n"
    const date = HttpDate.format(this.nowMillis + epochOffsetMillis)
    if (date !== this.date) {
      this.date = date
      // Joined, and so one flat text: sums are trees, which each write would have to walk.
      this.dateText = ["date: ", date, "\r\n\r\n"].join("")
    }
    return this.dateText
  }
}

/** How long ago a connection was in use that is still taken for busy, and how long it is waited for. @category limits */
export const recentMillis = 1_000
export const graceMillis = 200

/** How long the rest of a head is waited for by a server that stops. */
const lastHeadMillis = 1_000

const preparedOf = (parts: ResponseParts): Http1HeadWriter.PreparedFields | InvalidMessage =>
  parts.headers instanceof Http1HeadWriter.PreparedFields ? parts.headers : Http1HeadWriter.prepare(parts.headers)

const prepareFinal = (parts: ResponseParts, method: string): Http1HeadWriter.PreparedFields | InvalidMessage => {
  if (HttpMessage.isInterim(parts.status)) return new InvalidMessage("an interim status ends nothing")
  if (HttpMessage.isTunnel(method, parts.status)) return new InvalidMessage("a 2xx to CONNECT is an upgrade")
  return preparedOf(parts)
}
