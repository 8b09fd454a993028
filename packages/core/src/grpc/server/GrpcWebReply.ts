/**
 * The answer to a call in grpc-web: what gRPC has in the trailers of HTTP,
 * which browsers do not show, is the last frame of the body.
 *
 * ```text
 *  flag 0x80   length (4 bytes, big endian)   name: value\r\n …
 * ```
 *
 * An answer without a message has its trailers in the head, as in gRPC
 * ("Trailers may be sent together with response headers, with no message in
 * the body").
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import * as GrpcMessageWriter from "../../protocol/grpc/GrpcMessageWriter.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Refusal } from "../../protocol/http/HttpReason.ts"
import type { HttpExchange, ResponseParts } from "../../session/HttpExchange.ts"
import type { GrpcCors } from "./GrpcCors.ts"
import type { GrpcReply } from "./GrpcReply.ts"
import * as GrpcWebText from "./GrpcWebText.ts"

/** How the bytes of a body are sent. @category models */
export type Form = "bytes" | "text"

/** @category models */
export class GrpcWebReply implements GrpcReply {
  private readonly exchange: HttpExchange
  private readonly contentType: string
  private readonly form: Form
  private readonly cors: GrpcCors | undefined

  constructor(exchange: HttpExchange, contentType: string, form: Form, cors: GrpcCors | undefined) {
    this.exchange = exchange
    this.contentType = contentType
    this.form = form
    this.cors = cors
  }

  begin(fields: FieldsInput): Refusal | undefined {
    return this.exchange.begin(this.head(fields))
  }

  message(bytes: Uint8Array): Refusal | undefined {
    return this.exchange.write(this.form === "text" ? GrpcWebText.encode(bytes) : bytes)
  }

  end(trailers: FieldsInput): Refusal | undefined {
    return this.message(trailers === GrpcStatus.okTrailers ? okFrame : frameOf(trailers)) ?? this.exchange.end()
  }

  endOnly(fields: FieldsInput): Refusal | undefined {
    return this.exchange.respond(this.head(fields), undefined)
  }

  private head(fields: FieldsInput): ResponseParts {
    const headers = { "content-type": this.contentType, ...fields }
    return { status: 200, headers: this.cors === undefined ? headers : this.cors.withFields(this.exchange, headers) }
  }
}

/** "use lower-case header/trailer names"; a name comes once, since some clients keep the last one only. */
const frameOf = (trailers: FieldsInput): Uint8Array => {
  let text = ""
  for (const name of Object.keys(trailers)) {
    const value = trailers[name]
    if (value !== undefined)
      text += `${name.toLowerCase()}: ${typeof value === "string" ? value : value.join(", ")}\r\n`
  }
  const textBytes = Utf8.byteLength(text)
  const frame = allocate(GrpcMessageWriter.prefixBytes + textBytes)
  GrpcMessageWriter.writePrefix(frame, 0, textBytes, "plain")
  frame[0] = trailersFlag
  Utf8.write(text, frame, GrpcMessageWriter.prefixBytes)
  return frame
}

const trailersFlag = 0x80

const okFrame = /*#__PURE__*/ frameOf(GrpcStatus.okTrailers)
