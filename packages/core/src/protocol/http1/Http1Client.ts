/**
 * The client's end of an HTTP/1.1 connection: an engine. One request at a
 * time; the next may follow when `onComplete("reusable")` was called.
 *
 * A response that breaks a rule has no answer: the connection is given up, and
 * the handler is told what of the response had come.
 *
 * @since 0.1.0
 */
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import { byteLengthOf, type Handler, Http1Connection } from "./Http1Connection.ts"
import {
  InvalidMessage,
  type Received,
  ReceiveTimeout,
  type Refusal,
  TooManyInterimResponses,
  Truncated,
  UnexpectedResponse,
  type Violation
} from "./Http1Error.ts"
import { ResponseHead, responseOf } from "./Http1Head.ts"
import * as Http1HeadWriter from "./Http1HeadWriter.ts"
import type { Resolved } from "./Http1Options.ts"

/**
 * What a client hears, synchronously and in order. `onEnd` is called for each
 * response whose `delimiter` is not `Empty`.
 *
 * @category models
 */
export interface ClientHandler extends Handler {
  /** A 1xx response; the final one is still to come. */
  onInterim(head: ResponseHead): void
  onResponse(head: ResponseHead): void
  /** The exchange is complete: another request may be sent, or the connection is closing. */
  onComplete(next: "reusable" | "closing"): void
  /** The server changed the protocol with `head`; `rest` has come behind it already. Later bytes come to `onRaw`. */
  onUpgrade(head: ResponseHead, rest: Uint8Array): void
}

/**
 * The head of a request. `Content-Length` may be given, and must be true; the
 * rest of the framing and `Connection` are the engine's. `Host` is needed,
 * unless the target names it.
 *
 * @category models
 */
export interface RequestParts {
  readonly method: string
  /** In the form that goes on the wire (RFC 9112 §3.2). */
  readonly target: string
  readonly headers: FieldsInput | Http1HeadWriter.PreparedFields
}

/** @category models */
export class Http1Client extends Http1Connection {
  private readonly handler: ClientHandler
  private method = ""
  private asksUpgrade = false
  private interimCount = 0
  /** What of the response to the current request has come. */
  private received: Received = "nothing"

  /** A connection that has just been made. */
  constructor(handler: ClientHandler, limits: Resolved, nowMillis: number) {
    super(handler, limits, nowMillis)
    this.handler = handler
  }

  /** Sends a whole request, in one write where the body is small. */
  request(parts: RequestParts, body: Uint8Array | string | undefined, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.WholeRequest, nowMillis)
    if (refusal !== undefined) return refusal
    const prepared = preparedOf(parts)
    if (prepared instanceof InvalidMessage) return prepared
    const bodyBytes = byteLengthOf(body)
    if (prepared.lengthBytes !== undefined && prepared.lengthBytes !== bodyBytes) {
      return new InvalidMessage("Content-Length is not true")
    }
    const announces = body !== undefined || HttpMessage.anticipatesContent(parts.method)
    const head = headOf(parts, prepared, announces ? `content-length: ${bodyBytes}\r\n` : "")
    if (typeof head !== "string") return head
    this.writeMessage(head, body, bodyBytes)
    this.begin(parts.method, prepared)
    this.move(this.place.WholeRequest)
    this.awaitResponse()
    return undefined
  }

  /**
   * Begins a request whose body comes by `writeBody` and ends with `endBody`.
   * Without a `Content-Length` it is sent in chunks.
   */
  beginRequest(parts: RequestParts, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.RequestHead, nowMillis)
    if (refusal !== undefined) return refusal
    const prepared = preparedOf(parts)
    if (prepared instanceof InvalidMessage) return prepared
    const { lengthBytes } = prepared
    const framing = lengthBytes === undefined ? "transfer-encoding: chunked\r\n" : `content-length: ${lengthBytes}\r\n`
    const head = headOf(parts, prepared, framing)
    if (typeof head !== "string") return head
    this.writer.begin(lengthBytes === undefined ? "Chunked" : "Length", lengthBytes)
    this.writeMessage(head, undefined, 0)
    this.begin(parts.method, prepared)
    this.move(this.place.RequestHead)
    return undefined
  }

  /** Sends a part of the body. Refused when it is more than `Content-Length` said. */
  writeBody(data: Uint8Array | string, nowMillis: number): Refusal | undefined {
    return this.refusalOf(this.place.EndRequest, nowMillis) ?? this.writeData(data, nowMillis)
  }

  /** Ends the body. Refused when it is less than `Content-Length` said: only `abort` is left then. */
  endBody(trailers: FieldsInput | undefined, nowMillis: number): Refusal | undefined {
    const refusal = this.refusalOf(this.place.EndRequest, nowMillis) ?? this.writer.end(trailers)
    if (refusal !== undefined) return refusal
    this.move(this.place.EndRequest)
    if (this.state === "AwaitingResponse" && this.received !== "part of the head") this.awaitResponse()
    return undefined
  }

  /** Closes: at once when no exchange is in flight, else behind it. */
  close(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.persistent = false
    if (this.state === "Idle") this.closeGracefully()
  }

  protected readMore(): boolean {
    switch (this.state) {
      case "Idle":
        // RFC 9112 §9.2: nothing that comes now can be the answer to a later request.
        this.violate(new UnexpectedResponse("bytes came without a request"))
        return false
      case "RequestBody":
      case "AwaitingResponse":
        return this.readHead()
      case "BothBodies":
      case "ResponseBody":
        return this.readBody()
      case "Upgraded":
        return this.readRaw()
      default:
        return false
    }
  }

  protected onLate(): void {
    const { headMillis, bodyMillis, responseMillis } = this.limits
    if (this.receivesBody()) this.violate(new ReceiveTimeout("body", bodyMillis))
    else if (this.received === "part of the head") this.violate(new ReceiveTimeout("head", headMillis))
    else this.violate(new ReceiveTimeout("response", responseMillis))
  }

  protected onEndOfInput(): void {
    if (this.state === "Idle") this.closeGracefully()
    else if (this.receivesBody()) this.endReading()
    else if (this.state !== "Upgraded") this.violate(new Truncated(this.received))
  }

  protected answer(): void {
    this.abort()
  }

  protected onBodyEnd(): void {
    this.move(this.place.EndResponse)
    this.deadline.set(Number.POSITIVE_INFINITY)
    this.tellEnd()
    this.finishExchange()
  }

  protected receivesBody(): boolean {
    return this.state === "ResponseBody" || this.state === "BothBodies"
  }

  protected isOwed(): boolean {
    return false
  }

  protected lossOf(): Violation | undefined {
    return this.state === "Idle" || this.state === "Upgraded" ? undefined : new Truncated(this.received)
  }

  private begin(method: string, prepared: Http1HeadWriter.PreparedFields): void {
    this.method = method
    this.asksUpgrade = prepared.hasUpgrade
    this.interimCount = 0
    this.received = "nothing"
    if (prepared.closes) this.persistent = false
    this.parser.begin("response")
  }

  private awaitResponse(): void {
    this.deadline.set(this.nowMillis + this.limits.responseMillis)
  }

  private readHead(): boolean {
    const { inbox, parser } = this
    if (this.received !== "part of the head") {
      this.received = "part of the head"
      this.deadline.set(this.nowMillis + this.limits.headMillis)
    }
    inbox.readTo(parser.receive(inbox.chunk, inbox.at))
    if (!parser.complete) {
      if (parser.violation !== undefined) this.violate(parser.violation)
      return true
    }
    const head = responseOf(parser, this.method)
    if (!(head instanceof ResponseHead)) this.violate(head)
    else if (head.status === 101 || HttpMessage.isTunnel(this.method, head.status)) this.takeUpgrade(head)
    else if (HttpMessage.isInterim(head.status)) this.takeInterim(head)
    else this.takeFinal(head)
    return true
  }

  private takeInterim(head: ResponseHead): void {
    if (++this.interimCount > this.limits.interimCount) {
      this.violate(new TooManyInterimResponses(this.limits.interimCount))
      return
    }
    this.received = "interim"
    this.parser.begin("response")
    if (this.state === "AwaitingResponse") this.awaitResponse()
    else this.deadline.set(Number.POSITIVE_INFINITY)
    this.handler.onInterim(head)
  }

  private takeUpgrade(head: ResponseHead): void {
    // The server has a whole request already; only the owner has not said that this was all.
    if (this.state === "RequestBody" && this.writer.isSatisfied) this.move(this.place.EndRequest)
    // RFC 9110 §15.2.2: to what the client has asked for, and behind a whole request.
    if (this.state !== "AwaitingResponse" || (head.status === 101 && !this.asksUpgrade)) {
      this.violate(new UnexpectedResponse("an upgrade that was not asked for"))
      return
    }
    this.move(this.place.Upgrade)
    this.handler.onUpgrade(head, this.takeRest())
  }

  private takeFinal(head: ResponseHead): void {
    if (!head.persistent || head.delimiter === "UntilClose") this.persistent = false
    this.received = "part of the body"
    if (head.delimiter === "Empty") {
      this.move(this.place.WholeResponse)
      this.deadline.set(Number.POSITIVE_INFINITY)
      this.handler.onResponse(head)
      this.finishExchange()
      return
    }
    this.reader.begin(head.delimiter, head.lengthBytes)
    if (this.reader.violation !== undefined) {
      this.violate(this.reader.violation)
      return
    }
    this.move(this.place.ResponseHead)
    this.beginReading()
    this.handler.onResponse(head)
  }

  private finishExchange(): void {
    // The owner may have given up meanwhile.
    if (this.state === "Closed") return
    // RFC 9112 §9.3: behind a request that is not complete there is no place for another.
    const reusable = this.state === "Complete" && this.persistent && !this.isDrained
    // RFC 9112 §9.2: what is there already answers nothing, least of all the request that comes next.
    if (reusable && !this.inbox.isEmpty) {
      this.handler.onComplete("closing")
      if (this.exchange !== "Closed") this.violate(new UnexpectedResponse("bytes came behind the response"))
    } else if (reusable) {
      this.move(this.place.Reuse)
      this.handler.onComplete("reusable")
    } else {
      this.closeGracefully()
      this.handler.onComplete("closing")
    }
  }
}

const preparedOf = (parts: RequestParts): Http1HeadWriter.PreparedFields | InvalidMessage =>
  parts.headers instanceof Http1HeadWriter.PreparedFields ? parts.headers : Http1HeadWriter.prepare(parts.headers)

const headOf = (
  parts: RequestParts,
  prepared: Http1HeadWriter.PreparedFields,
  framing: string
): string | InvalidMessage => {
  const line = Http1HeadWriter.requestLine(parts.method, parts.target)
  if (typeof line !== "string") return line
  const host = prepared.host ?? HttpTarget.authorityIn(parts.method, parts.target)
  if (host === undefined) return new InvalidMessage("Host is missing")
  const connection = Http1HeadWriter.connectionLine(prepared, prepared.closes ? "close" : "")
  return `${line}host: ${host}\r\n${prepared.lines}${framing}${connection}\r\n`
}
