/**
 * gRPC over HTTP/2 in its own form: messages as they are, and the status in the
 * trailers or in the only head.
 *
 * A request with another content type that begins as gRPC's is answered with
 * 415, one with another method than POST with 405; HTTP/1.1, which cannot keep
 * both directions going, with 505.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import * as GrpcTimeout from "../../protocol/grpc/GrpcTimeout.ts"
import { InvalidTimeout } from "../../protocol/grpc/GrpcViolation.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Refusal } from "../../protocol/http/HttpReason.ts"
import type { HttpBody } from "../../session/HttpBody.ts"
import type { HttpExchange, ResponseParts } from "../../session/HttpExchange.ts"
import type { GrpcReply } from "./GrpcReply.ts"
import type { GrpcWire, GrpcWireCall } from "./GrpcWire.ts"

/** @category constants */
export const native: GrpcWire = {
  open: (exchange) => {
    const type = exchange.header("content-type")
    if (type !== "application/grpc" && !isNative(type)) return undefined
    const refusal = exchange.version !== "2" ? notHttp2 : exchange.method !== "POST" ? notPost : undefined
    if (refusal === undefined) return new GrpcNativeCall(exchange)
    exchange.respond(refusal, undefined)
    return "answered"
  }
}

/** A head without metadata: always this record, so that it is encoded once. @category constants */
export const noFields: FieldsInput = /*#__PURE__*/ Object.freeze({})

class GrpcNativeCall implements GrpcWireCall, GrpcReply {
  readonly codecs = undefined
  readonly malformed = GrpcStatus.Internal
  private readonly exchange: HttpExchange

  constructor(exchange: HttpExchange) {
    this.exchange = exchange
  }

  get body(): HttpBody | undefined {
    return this.exchange.body
  }

  get reply(): GrpcReply {
    return this
  }

  get timeoutMillis(): number | GrpcError.GrpcError | undefined {
    const text = this.exchange.header("grpc-timeout")
    return text === undefined
      ? undefined
      : (GrpcTimeout.parseMillis(text) ?? GrpcError.fromViolation(new InvalidTimeout(text)))
  }

  get encoding(): string | undefined {
    return this.exchange.header("grpc-encoding")
  }

  get acceptEncoding(): string | undefined {
    return this.exchange.header("grpc-accept-encoding")
  }

  begin(fields: FieldsInput): Refusal | undefined {
    return this.exchange.begin(
      fields === noFields ? plainHead : { status: 200, headers: { ...contentType, ...fields } }
    )
  }

  message(bytes: Uint8Array): Refusal | undefined {
    return this.exchange.write(bytes)
  }

  end(trailers: FieldsInput): Refusal | undefined {
    return this.exchange.end(trailers)
  }

  endOnly(fields: FieldsInput): Refusal | undefined {
    return this.exchange.respond({ status: 200, headers: { ...contentType, ...fields } }, undefined)
  }
}

/** The format of the messages may be said, and is that of the service; parameters mean nothing. */
const isNative = (type: string | undefined): boolean =>
  type !== undefined && /^application\/grpc(?:\+proto)?[ \t]*(?:;|$)/i.test(type)

const contentType = /*#__PURE__*/ Object.freeze({ "content-type": "application/grpc" })

const plainHead: ResponseParts = { status: 200, headers: contentType }

const notPost: ResponseParts = { status: 405, headers: { allow: "POST" } }

const notHttp2: ResponseParts = { status: 505, headers: {} }
