/**
 * A request as Effect's `HttpServerRequest`: a view of an exchange, in which
 * nothing is read before it is asked for.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Multipart from "effect/http/Multipart"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as Socket from "effect/socket/Socket"
import type { HttpExchange } from "../session/HttpExchange.ts"
import type { Transport } from "../transport/Transport.ts"
import { HttpRequestBody } from "./HttpRequestBody.ts"
import * as HttpUpgrade from "./HttpUpgrade.ts"

/** What `modify` changes. @category models */
interface Overrides {
  readonly url?: string
  readonly headers?: Headers.Headers
  readonly remoteAddress?: Option.Option<string>
  readonly peerAddress?: Option.Option<string>
  readonly protocol?: "http" | "https"
}

/** @category models */
export class HttpRequest extends Inspectable.Class implements HttpServerRequest.HttpServerRequest {
  readonly [HttpServerRequest.TypeId]: typeof HttpServerRequest.TypeId = HttpServerRequest.TypeId
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly source: HttpExchange
  readonly url: string
  private readonly maxBodyBytes: number
  private readonly overrides: Overrides | undefined
  private ownBody: HttpRequestBody | undefined
  private ownHeaders: Headers.Headers | undefined = undefined
  private ownCookies: Readonly<Record<string, string>> | undefined = undefined

  /** `maxBodyBytes`: the most that a body has which is read whole; `Infinity` for no limit. */
  constructor(exchange: HttpExchange, maxBodyBytes: number, overrides?: Overrides, body?: HttpRequestBody) {
    super()
    this.source = exchange
    this.maxBodyBytes = maxBodyBytes
    this.overrides = overrides
    this.ownBody = body
    this.url = overrides?.url ?? urlOf(exchange.target)
  }

  /**
   * An extended CONNECT (RFC 8441) is a `GET` here, as the handshake of a
   * WebSocket is over HTTP/1.1: one route serves both.
   */
  get method(): string {
    const { method, upgradeProtocol, version } = this.source
    return version === "2" && upgradeProtocol !== undefined ? "GET" : method
  }

  get headers(): Headers.Headers {
    this.ownHeaders ??= this.overrides?.headers ?? headersOf(this.source)
    return this.ownHeaders
  }

  get cookies(): Readonly<Record<string, string>> {
    this.ownCookies ??= Cookies.parseHeader(this.headers.cookie ?? "")
    return this.ownCookies
  }

  get originalUrl(): string {
    const { authority, scheme, target } = this.source
    return target.startsWith("/") && authority !== "" ? `${scheme}://${authority}${target}` : target
  }

  get remoteAddress(): Option.Option<string> {
    return this.overrides?.remoteAddress ?? addressOf(this.source.transport)
  }

  get peerAddress(): Option.Option<string> {
    return this.overrides?.peerAddress ?? this.remoteAddress
  }

  get protocol(): "http" | "https" | undefined {
    return this.overrides?.protocol
  }

  modify(options: Overrides): HttpServerRequest.HttpServerRequest {
    return new HttpRequest(this.source, this.maxBodyBytes, { ...this.overrides, ...options }, this.body)
  }

  get text(): Effect.Effect<string, HttpServerError> {
    return this.body.text
  }

  get json(): Effect.Effect<Schema.Json, HttpServerError> {
    return this.body.json
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpServerError> {
    return this.body.urlParams
  }

  /** The body whole, and shared with the other forms of it. */
  get bytes(): Effect.Effect<Uint8Array, HttpServerError> {
    return this.body.bytes
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpServerError> {
    return this.body.arrayBuffer
  }

  get stream(): Stream.Stream<Uint8Array, HttpServerError> {
    return this.body.stream
  }

  get multipart(): HttpServerRequest.HttpServerRequest["multipart"] {
    return this.body.multipart
  }

  get multipartStream(): Stream.Stream<Multipart.Part, Multipart.MultipartError> {
    return this.body.multipartStream
  }

  get upgrade(): Effect.Effect<Socket.Socket, HttpServerError> {
    return this.upgradeWith({})
  }

  upgradeWith(options: {
    readonly headers?: Headers.Input | undefined
  }): Effect.Effect<Socket.Socket, HttpServerError> {
    return HttpUpgrade.toSocket(this, this.source, Headers.fromInput(options.headers))
  }

  override toString(): string {
    return `ServerRequest(${this.method} ${UrlParams.redactUrl(this.url)})`
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpServerRequest",
      method: this.method,
      url: UrlParams.redactUrl(this.originalUrl)
    })
  }

  /** One for all views of the request. */
  private get body(): HttpRequestBody {
    this.ownBody ??= new HttpRequestBody(this, this.source, this.maxBodyBytes)
    return this.ownBody
  }
}

/** Routers want the path, also of a target in absolute form (RFC 9112 §3.2.2). */
const urlOf = (target: string): string => {
  if (target.charCodeAt(0) === slash) return target
  const path = /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1]
  return path === undefined ? target : path.startsWith("/") ? path : `/${path}`
}

const slash = 0x2f

/** Makes records that are `Headers`, and have a shape. */
const HeadersRecord = function HeadersRecord() {} as unknown as { new (): Record<string, string>; prototype: object }
HeadersRecord.prototype = Object.getPrototypeOf(Headers.empty)

const headersOf = (exchange: HttpExchange): Headers.Headers => {
  const headers = new HeadersRecord()
  const record = exchange.headers()
  for (const name in record) headers[name] = record[name]!
  return headers as Headers.Headers
}

/** By connection: most requests are not the only one of theirs. */
const addresses = new WeakMap<Transport, Option.Option<string>>()

const addressOf = (transport: Transport): Option.Option<string> => {
  const known = addresses.get(transport)
  if (known !== undefined) return known
  const { peer } = transport
  const address = NetAddress.isInetAddress(peer) ? Option.some(NetAddress.formatIp(peer.address)) : Option.none()
  addresses.set(transport, address)
  return address
}
