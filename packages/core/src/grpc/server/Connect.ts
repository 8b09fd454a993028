/**
 * The Connect protocol (connectrpc.com/docs/protocol) for methods with one
 * request and one reply: messages as JSON or protobuf, without frames, with
 * errors by the status of HTTP. What `@connectrpc/connect-web` speaks, and
 * `curl`:
 *
 * ```sh
 * curl -d '{"name":"Ada"}' -H 'content-type: application/json' http://localhost:3000/hello.Greeter/SayHello
 * ```
 *
 * Methods whose `.proto` says `NO_SIDE_EFFECTS` can be called by GET, too, with
 * the message in the query. A method that streams is answered with 415, since
 * streams of Connect are not spoken here: pages call those by grpc-web. So is
 * another format than JSON and protobuf. A path without a method is left to the
 * HTTP application, which answers 404.
 *
 * ```ts
 * GrpcServer.mount(Services, { wires: [GrpcWeb.make({ cors }), Connect.make({ cors })] })
 * ```
 *
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import { ConnectBody } from "./ConnectBody.ts"
import * as ConnectJson from "./ConnectJson.ts"
import { ConnectQuery } from "./ConnectQuery.ts"
import { ConnectReply, type Format } from "./ConnectReply.ts"
import * as GrpcCors from "./GrpcCors.ts"
import type { GrpcWire, GrpcWireCall, WireCodecs, WireLimits } from "./GrpcWire.ts"

/** @category options */
export interface Options {
  /** Which pages of other origins may call. Default: none. */
  readonly cors?: GrpcCors.Options | undefined
  /**
   * Whether a call has to say `connect-protocol-version: 1`, or by GET
   * `connect=v1`, as clients that were generated do and `curl` does not. A page
   * of another origin cannot say it without a preflight. Where it is required
   * and missing: 400. Default `optional`.
   */
  readonly protocolVersion?: "optional" | "required" | undefined
}

/** Options that make no sense are a `RangeError`. @category constructors */
export const make = (options?: Options): GrpcWire => {
  const settings: Settings = {
    cors: options?.cors === undefined ? undefined : GrpcCors.make(options.cors),
    protocolVersion: options?.protocolVersion ?? "optional"
  }
  return {
    open: (exchange, method, limits) => {
      if (method === undefined) return undefined
      if (settings.cors?.preflight(exchange, method) === true) return "answered"
      const request = { exchange, method, limits, settings }
      return exchange.method === "GET" ? openGet(request) : openPost(request)
    }
  }
}

interface Settings {
  readonly cors: GrpcCors.GrpcCors | undefined
  readonly protocolVersion: "optional" | "required"
}

interface Request {
  readonly exchange: HttpExchange
  readonly method: GrpcMethod
  readonly limits: WireLimits
  readonly settings: Settings
}

const openPost = (request: Request): GrpcWireCall | "answered" | undefined => {
  const { exchange, limits, method, settings } = request
  const type = exchange.header("content-type")
  // Another wire's, or a request of no protocol that is known here.
  if (type === undefined || isGrpc.test(type)) return undefined
  const format = formats.exec(type)?.[1]?.toLowerCase() as Format | undefined
  if (exchange.method !== "POST") return format === undefined ? undefined : refuse(request, 405)
  if (format === undefined || method.kind !== "unary") return refuse(request, 415)
  const reply = new ConnectReply(exchange, format, settings.cors)
  const version = exchange.header("connect-protocol-version")
  if (version === undefined ? settings.protocolVersion === "required" : version !== "1") {
    return reject(reply, `connect-protocol-version has to be 1, and is ${version ?? "missing"}`)
  }
  const encoding = exchange.header("content-encoding")?.toLowerCase()
  const body = new ConnectBody(exchange.body, formOf(encoding), limits.maxReceiveBytes)
  return new ConnectCall(request, format, reply, body, encoding)
}

const openGet = (request: Request): GrpcWireCall | "answered" | undefined => {
  const { exchange, limits, method, settings } = request
  const query = new ConnectQuery(exchange.target)
  if (!query.has("connect") && !query.has("encoding")) return undefined
  if (method.kind !== "unary") return refuse(request, 415)
  if (method.idempotency !== "no_side_effects") return refuse(request, 405)
  const format = query.get("encoding")
  if (format !== undefined && format !== "json" && format !== "proto") return refuse(request, 415)
  const reply = new ConnectReply(exchange, format ?? "json", settings.cors)
  const version = query.get("connect")
  if (version === undefined ? settings.protocolVersion === "required" : version !== "v1") {
    return reject(reply, `connect has to be v1, and is ${version ?? "missing"}`)
  }
  const { message } = query
  if (format === undefined || message === undefined) {
    return reject(
      reply,
      format === undefined ? "the query has no encoding" : "the query has no message that can be read"
    )
  }
  const encoding = query.get("compression")?.toLowerCase()
  const body = new ConnectBody(message, formOf(encoding), limits.maxReceiveBytes)
  return new ConnectCall(request, format, reply, body, encoding)
}

class ConnectCall implements GrpcWireCall {
  readonly body: ConnectBody
  readonly reply: ConnectReply
  readonly encoding: string | undefined
  readonly codecs: WireCodecs | undefined
  readonly malformed = GrpcStatus.InvalidArgument
  private readonly exchange: HttpExchange

  constructor(
    { exchange, method }: Request,
    format: Format,
    reply: ConnectReply,
    body: ConnectBody,
    encoding: string | undefined
  ) {
    this.exchange = exchange
    this.body = body
    this.reply = reply
    this.encoding = encoding
    this.codecs = format === "json" ? ConnectJson.codecsOf(method) : undefined
  }

  get timeoutMillis(): number | GrpcError.GrpcError | undefined {
    const text = this.exchange.header("connect-timeout-ms")
    if (text === undefined) return undefined
    // "positive integer as ASCII string of at most 10 digits"
    return /^[0-9]{1,10}$/.test(text)
      ? Number(text)
      : GrpcError.invalidArgument(`the connect-timeout-ms ${JSON.stringify(text)} is no time`)
  }

  /** "If the client omits Accept-Encoding, servers must assume that the client accepts the Content-Encoding used for the request" */
  get acceptEncoding(): string | undefined {
    const accepted = this.exchange.header("accept-encoding")
    return accepted === undefined ? this.encoding : withoutWeights(accepted)
  }
}

const isGrpc = /^application\/grpc/i
const formats = /^application\/(json|proto)[ \t]*(?:;|$)/i

const formOf = (encoding: string | undefined): "plain" | "compressed" =>
  encoding === undefined || encoding === "identity" ? "plain" : "compressed"

/** RFC 9110 §12.4.2: a weight of 0 is a refusal; of the others, the server chooses. */
const withoutWeights = (list: string): string =>
  list
    .split(",")
    .filter((item) => !/;[ \t]*q=0(?:\.0*)?[ \t]*$/i.test(item))
    .map((item) => item.replace(/;.*$/, "").trim())
    .join(",")

const refuse = ({ exchange, method, settings: { cors } }: Request, status: 405 | 415): "answered" => {
  const headers = status === 405 ? { allow: "POST" } : method.kind === "unary" ? acceptPost : noFields
  exchange.respond({ status, headers: cors === undefined ? headers : cors.withFields(exchange, headers) }, undefined)
  return "answered"
}

const reject = (reply: ConnectReply, message: string): "answered" => {
  reply.endOnly(GrpcError.toTrailers(GrpcError.invalidArgument(message)))
  return "answered"
}

const acceptPost: FieldsInput = { "accept-post": "application/json, application/proto" }

const noFields: FieldsInput = {}
