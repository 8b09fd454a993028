/**
 * The messages that this side sends: heads, bodies and trailers, as far as the
 * windows allow at once, and by the queue for the rest.
 *
 * A message that breaks a rule is refused before a byte of it is sent.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import * as Utf8 from "../../bytes/Utf8.ts"
import { HpackBlock } from "../hpack/HpackBlock.ts"
import { HpackEncoder } from "../hpack/HpackEncoder.ts"
import * as HttpContentLength from "../http/HttpContentLength.ts"
import * as HttpDate from "../http/HttpDate.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import { InvalidMessage, type Refusal, StreamEnded } from "./Http2Error.ts"
import * as Frame from "./Http2Frame.ts"
import * as FrameEncoder from "./Http2FrameEncoder.ts"
import type { RequestParts } from "./Http2Handler.ts"
import * as HeadWriter from "./Http2HeadWriter.ts"
import type { Http2Link } from "./Http2Link.ts"
import * as Http2PreparedFields from "./Http2PreparedFields.ts"
import { Http2SendQueue } from "./Http2SendQueue.ts"
import { AwaitingBody, AwaitingHead, type Http2Stream, unknownLength } from "./Http2Stream.ts"
import type { Http2StreamLife } from "./Http2StreamLife.ts"

/** What is sent of a body with its head. @category models */
export type Body = Uint8Array | string | undefined

/** @category models */
export class Http2Sender {
  readonly queue: Http2SendQueue
  readonly encoder: HpackEncoder
  private readonly link: Http2Link
  private readonly life: Http2StreamLife

  constructor(link: Http2Link, life: Http2StreamLife) {
    this.link = link
    this.life = life
    this.encoder = new HpackEncoder({ maxTableBytes: link.limits.headerTableBytes })
    this.queue = new Http2SendQueue(link, (stream, endSent) => {
      if (endSent) life.sentEnd(stream)
      else this.finish(stream)
    })
  }

  /** A whole response. */
  respond(stream: Http2Stream, status: number, headers: FieldsInput, body: Body): Refusal | undefined {
    if (stream.sending !== AwaitingHead) return ended
    if (!isFinal(status)) return new InvalidMessage(`${status} is no status of a final response`)
    const byteLength = byteLengthOf(body)
    const isBodiless = stream.bodiless || HttpMessage.isBodiless("GET", status)
    const isEmpty = byteLength === 0 || isBodiless
    // RFC 9110 §8.6: what the answer to a GET would have is said where it is known.
    const isSilent = body === undefined || (isBodiless && byteLength === 0)
    const lengthBytes = isSilent && (isBodiless || saidLength(headers) === undefined) ? undefined : byteLength
    const invalid = this.head(stream, status, headers, lengthBytes, isEmpty)
    if (invalid !== undefined) return invalid
    if (isEmpty) this.life.sentEnd(stream)
    else {
      stream.sending = AwaitingBody
      this.lastPart(stream, body!, byteLength)
    }
    return undefined
  }

  /** A response whose body comes by `write`. */
  begin(stream: Http2Stream, status: number, headers: FieldsInput): Refusal | undefined {
    if (stream.sending !== AwaitingHead) return ended
    if (!isFinal(status)) return new InvalidMessage(`${status} is no status of a final response`)
    const invalid = this.head(stream, status, headers, undefined, false)
    if (invalid !== undefined) return invalid
    if (HttpMessage.isBodiless("GET", status)) stream.bodiless = true
    stream.sending = AwaitingBody
    return undefined
  }

  /** A response of 1xx. RFC 9113 §8.6: 101 has no meaning here. */
  interim(stream: Http2Stream, status: number, headers: FieldsInput): Refusal | undefined {
    if (stream.sending !== AwaitingHead) return ended
    if (!HttpMessage.isStatus(status) || !HttpMessage.isInterim(status) || status === 101) {
      return new InvalidMessage(`${status} is no status of an interim response`)
    }
    return this.head(stream, status, headers, undefined, false)
  }

  /** The next part of the body. */
  write(stream: Http2Stream, data: Uint8Array | string): Refusal | undefined {
    if (stream.sending !== AwaitingBody || stream.ending !== "open") return ended
    const byteLength = byteLengthOf(data)
    if (byteLength === 0 || stream.bodiless) return undefined
    const { declaredBytes } = stream
    if (declaredBytes !== unknownLength && stream.writtenBytes + byteLength > declaredBytes) {
      return wrongLength(declaredBytes, stream.writtenBytes + byteLength)
    }
    stream.writtenBytes += byteLength
    this.part(stream, data, byteLength, false)
    return undefined
  }

  /** The end of the body, and the trailers. */
  end(stream: Http2Stream, trailers: FieldsInput | undefined): Refusal | undefined {
    if (stream.sending !== AwaitingBody || stream.ending !== "open") return ended
    const { declaredBytes, writtenBytes } = stream
    if (declaredBytes > writtenBytes && !stream.bodiless) return wrongLength(declaredBytes, writtenBytes)
    if (trailers === undefined) stream.ending = "end"
    else {
      // Now, and not when they leave: then it would be too late for a refusal.
      const prepared = Http2PreparedFields.ofTrailers(trailers)
      if (prepared instanceof InvalidMessage) return prepared
      const { maxHeaderListBytes } = this.link.peerSettings
      if (prepared.listBytes > maxHeaderListBytes) {
        return new InvalidMessage(`the trailers are above the ${maxHeaderListBytes} bytes that the peer takes`)
      }
      stream.ending = prepared.list.length === 0 ? "end" : prepared
    }
    if (stream.queuedBytes === 0) this.finish(stream)
    return undefined
  }

  /** A body that is known whole, and the end behind it. */
  lastPart(stream: Http2Stream, body: Uint8Array | string, byteLength: number): void {
    stream.writtenBytes = byteLength
    this.part(stream, body, byteLength, true)
  }

  /** A client's request; the stream is there already. */
  request(stream: Http2Stream, parts: RequestParts, body: Body, rest: "whole" | "open"): InvalidMessage | undefined {
    const byteLength = byteLengthOf(body)
    const isWhole = rest === "whole"
    const said = byteLength === 0 || !isWhole ? saidLength(parts.headers) : undefined
    if (said !== undefined && said < byteLength) return wrongLength(said, byteLength)
    const isTold = byteLength > 0 || said !== undefined || HttpMessage.anticipatesContent(parts.method)
    const lengthBytes = isWhole && isTold ? byteLength : undefined
    block.begin(Frame.headBytes)
    const declared = HeadWriter.request(
      block,
      this.encoder,
      parts,
      lengthBytes,
      this.link.peerSettings.maxHeaderListBytes
    )
    if (typeof declared !== "number") return declared
    const { output, peerSettings } = this.link
    FrameEncoder.headers(output, stream.id, block, peerSettings.maxFrameBytes, isWhole && byteLength === 0)
    stream.declaredBytes = declared
    stream.sending = AwaitingBody
    if (isWhole && byteLength === 0) this.life.sentEnd(stream)
    else if (isWhole) this.lastPart(stream, body!, byteLength)
    else if (byteLength > 0) this.write(stream, body!)
    return undefined
  }

  /** A response of this side itself, to a request that nobody else has heard of. */
  answer(streamId: number, status: number): void {
    const { output, peerSettings } = this.link
    block.begin(Frame.headBytes)
    HeadWriter.response(block, this.encoder, status, noFields, 0, this.date(status))
    FrameEncoder.headers(output, streamId, block, peerSettings.maxFrameBytes, true)
  }

  /** Writes the head of a response; nothing where it is invalid. */
  private head(
    stream: Http2Stream,
    status: number,
    headers: FieldsInput,
    lengthBytes: number | undefined,
    ends: boolean
  ): InvalidMessage | undefined {
    const { output, peerSettings } = this.link
    block.begin(Frame.headBytes)
    const mostBytes = peerSettings.maxHeaderListBytes
    const date = this.date(status)
    const declared = HeadWriter.response(block, this.encoder, status, headers, lengthBytes, date, mostBytes)
    if (typeof declared !== "number") return declared
    if (status >= 200) stream.declaredBytes = declared
    if (stream.tunnel === "asked" && status >= 200 && status < 300) stream.tunnel = "open"
    FrameEncoder.headers(output, stream.id, block, peerSettings.maxFrameBytes, ends)
    return undefined
  }

  /** RFC 9110 §6.6.1: a server with a clock says when it has answered. */
  private date(status: number): string | undefined {
    const { epochOffsetMillis } = this.link.limits
    if (epochOffsetMillis === undefined || status < 200) return undefined
    return HttpDate.format(epochOffsetMillis + this.link.nowMillis)
  }

  private part(stream: Http2Stream, data: Uint8Array | string, byteLength: number, ends: boolean): void {
    const { output } = this.link
    if (!this.queue.takesNow(stream, byteLength)) {
      if (ends) stream.ending = "end"
      this.queue.push(stream, typeof data === "string" ? Utf8.encode(data) : data)
      return
    }
    if (typeof data === "string") FrameEncoder.dataText(output, stream.id, data, byteLength, ends)
    else FrameEncoder.data(output, stream.id, data, 0, byteLength, ends)
    this.queue.sent(stream, byteLength)
    if (ends) this.life.sentEnd(stream)
  }

  /** All bytes have left. */
  private finish(stream: Http2Stream): void {
    const { output, peerSettings } = this.link
    const { ending } = stream
    if (typeof ending === "object") {
      block.begin(Frame.headBytes)
      HeadWriter.preparedTrailers(block, this.encoder, ending)
      FrameEncoder.headers(output, stream.id, block, peerSettings.maxFrameBytes, true)
    } else FrameEncoder.frameHead(output, 0, Frame.type.Data, Frame.flag.EndStream, stream.id)
    this.life.sentEnd(stream)
  }
}

const ended = new StreamEnded()
const noFields: FieldsInput = {}

/** All connections write their heads here, one at a time. */
const block = new HpackBlock()

const isFinal = (status: number): boolean => HttpMessage.isStatus(status) && status >= 200

const wrongLength = (declared: number, actual: number): InvalidMessage =>
  new InvalidMessage(`Content-Length says ${declared} bytes, and the body has ${actual}`)

/** What `fields` say of the length; `undefined` also where they are no valid fields, which is found out later. */
const saidLength = (fields: FieldsInput): number | undefined => {
  for (const name of Object.keys(fields)) {
    if (name.length !== lengthName.length || name.toLowerCase() !== lengthName) continue
    const value = fields[name]
    const one = typeof value === "string" ? value : value?.[0]
    if (one !== undefined) return HttpContentLength.parse(HttpField.trim(one, 0, one.length))
  }
  return undefined
}

const lengthName = "content-length"

const byteLengthOf = (body: Body): number =>
  body === undefined ? 0 : typeof body === "string" ? Utf8.byteLength(body) : body.length
