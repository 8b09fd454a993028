/**
 * The answer to a unary call in Connect: one response, which is sent when the
 * call has ended. The status is that of HTTP, and trailers are fields of the
 * head that begin with `trailer-`.
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMessageWriter from "../../protocol/grpc/GrpcMessageWriter.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Refusal } from "../../protocol/http/HttpReason.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import * as ConnectError from "./ConnectError.ts"
import type { GrpcCors } from "./GrpcCors.ts"
import type { GrpcReply } from "./GrpcReply.ts"

/** How messages are written. @category models */
export type Format = "json" | "proto"

/** @category models */
export class ConnectReply implements GrpcReply {
  private readonly exchange: HttpExchange
  private readonly format: Format
  private readonly cors: GrpcCors | undefined
  private leading: FieldsInput = noFields
  private framed: Uint8Array = noMessage

  constructor(exchange: HttpExchange, format: Format, cors: GrpcCors | undefined) {
    this.exchange = exchange
    this.format = format
    this.cors = cors
  }

  /** Kept: whether there is an error, which the status says, is known in the end. */
  begin(fields: FieldsInput): Refusal | undefined {
    this.leading = fields
    return undefined
  }

  /** Kept, as the head. */
  message(bytes: Uint8Array): Refusal | undefined {
    this.framed = bytes
    return undefined
  }

  /** What is refused for its metadata can be tried again: that in front is left out then. */
  end(trailers: FieldsInput): Refusal | undefined {
    const error = ConnectError.fromTrailers(trailers)
    const refusal = error === undefined ? this.succeed(trailers) : this.fail(error, trailers)
    if (refusal?.fault !== "caller") return refusal
    this.leading = noFields
    // Nobody is told of a success of which a part is missing.
    if (error === undefined) this.end(GrpcError.toTrailers(unsendable))
    return refusal
  }

  endOnly(fields: FieldsInput): Refusal | undefined {
    return this.end(fields)
  }

  private succeed(trailers: FieldsInput): Refusal | undefined {
    const headers: Record<string, FieldsInput[string]> = { ...this.metadata(trailers) }
    headers["content-type"] = `application/${this.format}`
    headers["content-encoding"] = this.framed[0] === 1 ? this.leading["grpc-encoding"] : undefined
    // What it is depends on what its client takes, for a cache.
    if (this.exchange.method === "GET") headers.vary = [...listOf(headers.vary), "accept-encoding"].join(", ")
    return this.respond(200, headers, this.framed.subarray(GrpcMessageWriter.prefixBytes))
  }

  private fail({ httpStatus, json }: ConnectError.ConnectError, trailers: FieldsInput): Refusal | undefined {
    return this.respond(httpStatus, { ...this.metadata(trailers), "content-type": "application/json" }, json)
  }

  private metadata(trailers: FieldsInput): FieldsInput {
    return { ...metadataOf(this.leading, ""), ...metadataOf(trailers, "trailer-") }
  }

  private respond(status: number, headers: FieldsInput, body: Uint8Array | string): Refusal | undefined {
    const { cors, exchange } = this
    return exchange.respond(
      { status, headers: cors === undefined ? headers : cors.withFields(exchange, headers) },
      body
    )
  }
}

const noFields: FieldsInput = {}

const listOf = (value: FieldsInput[string]): ReadonlyArray<string> =>
  value === undefined ? [] : typeof value === "string" ? [value] : value

const unsendable = GrpcError.internal("the metadata cannot be sent", { fault: "caller" })

const noMessage = new Uint8Array(GrpcMessageWriter.prefixBytes)

/** What is not gRPC's own. */
const metadataOf = (fields: FieldsInput, prefix: "" | "trailer-"): FieldsInput => {
  const metadata: Record<string, FieldsInput[string]> = {}
  for (const name of Object.keys(fields)) {
    if (!name.startsWith("grpc-")) metadata[prefix + name] = fields[name]
    else if (name === "grpc-accept-encoding") metadata["accept-encoding"] = fields[name]
  }
  return metadata
}
