/**
 * grpc-web: gRPC for browsers, over HTTP/1.1 and HTTP/2 (PROTOCOL-WEB), as
 * clients of `grpc-web`, `@connectrpc/connect-web` and others speak it. No
 * proxy is needed.
 *
 * All kinds of methods are served; browsers send one message at a time, and so
 * have calls of one request. A page of another origin may call when `cors`
 * says so.
 *
 * ```ts
 * GrpcServer.mount(Services, { wires: [GrpcWeb.make({ cors: { origins: ["https://app.example"] } })] })
 * ```
 *
 * PROTOCOL-WEB (other): binary metadata is base64 in grpc-web-text too, as all
 * implementations have it.
 *
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import * as GrpcTimeout from "../../protocol/grpc/GrpcTimeout.ts"
import { InvalidTimeout } from "../../protocol/grpc/GrpcViolation.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import * as GrpcCors from "./GrpcCors.ts"
import { GrpcWebTextBody } from "./GrpcWebBody.ts"
import { type Form, GrpcWebReply } from "./GrpcWebReply.ts"
import type { GrpcWire, GrpcWireBody, GrpcWireCall } from "./GrpcWire.ts"

/** @category options */
export interface Options {
  /** Which pages of other origins may call. Default: none. */
  readonly cors?: GrpcCors.Options | undefined
}

/** Options that make no sense are a `RangeError`. @category constructors */
export const make = (options?: Options): GrpcWire => {
  const cors = options?.cors === undefined ? undefined : GrpcCors.make(options.cors)
  return {
    open: (exchange, method) => {
      if (cors?.preflight(exchange, method) === true) return "answered"
      const type = exchange.header("content-type")
      if (type === undefined || !isGrpcWeb.test(type)) return undefined
      const sent = known.get(type) ?? read(type)
      if (sent === undefined) return refuse(exchange, 415, cors)
      if (exchange.method !== "POST") return refuse(exchange, 405, cors)
      return new GrpcWebCall(exchange, sent, cors)
    }
  }
}

class GrpcWebCall implements GrpcWireCall {
  readonly body: GrpcWireBody | undefined
  readonly reply: GrpcWebReply
  readonly codecs = undefined
  readonly malformed = GrpcStatus.Internal
  private readonly exchange: HttpExchange

  constructor(exchange: HttpExchange, sent: ContentType, cors: GrpcCors.GrpcCors | undefined) {
    const { body } = exchange
    this.exchange = exchange
    this.body = sent.form === "text" && body !== undefined ? new GrpcWebTextBody(body) : body
    // "The client library should indicate to the server via the "Accept" header that the response stream needs to be text encoded"
    const form = sent.form === "text" || asksForText.test(exchange.header("accept") ?? "") ? "text" : "bytes"
    const type = `application/grpc-web${form === "text" ? "-text" : ""}${sent.format}`
    this.reply = new GrpcWebReply(exchange, type, form, cors)
  }

  get timeoutMillis(): number | GrpcError.GrpcError | undefined {
    const text = this.exchange.header("grpc-timeout")
    if (text === undefined) return undefined
    return GrpcTimeout.parseMillis(text) ?? GrpcError.fromViolation(new InvalidTimeout(text))
  }

  get encoding(): string | undefined {
    return this.exchange.header("grpc-encoding")
  }

  get acceptEncoding(): string | undefined {
    return this.exchange.header("grpc-accept-encoding")
  }
}

const isGrpcWeb = /^application\/grpc-web/i
const asksForText = /application\/grpc-web-text/i

interface ContentType {
  readonly form: Form
  /** That of the messages, which is protobuf also where it is not said. */
  readonly format: "" | "+proto"
}

/** `undefined`: other messages, or another text than base64. Parameters mean nothing. */
const read = (type: string): ContentType | undefined => {
  const match = /^application\/grpc-web(-text)?(\+proto)?[ \t]*(?:;|$)/i.exec(type)
  if (match === null) return undefined
  return { form: match[1] === undefined ? "bytes" : "text", format: match[2] === undefined ? "" : "+proto" }
}

/** As clients write them. */
const known: ReadonlyMap<string, ContentType> = /*#__PURE__*/ new Map([
  ["application/grpc-web", { form: "bytes", format: "" }],
  ["application/grpc-web+proto", { form: "bytes", format: "+proto" }],
  ["application/grpc-web-text", { form: "text", format: "" }],
  ["application/grpc-web-text+proto", { form: "text", format: "+proto" }]
])

const refuse = (exchange: HttpExchange, status: 405 | 415, cors: GrpcCors.GrpcCors | undefined): "answered" => {
  const headers = status === 405 ? { allow: "POST" } : {}
  exchange.respond({ status, headers: cors === undefined ? headers : cors.withFields(exchange, headers) }, undefined)
  return "answered"
}
