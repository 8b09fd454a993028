/**
 * The opening handshake (RFC 6455 §4, RFC 8441 §5), without its HTTP: header
 * values come in and go out.
 *
 * A value is `undefined` where the request has no such field; several lines of
 * a field are joined with ", ".
 *
 * @since 0.1.0
 */
import * as WebSocketAcceptKey from "./WebSocketAcceptKey.ts"
import * as WebSocketDeflateParameters from "./WebSocketDeflateParameters.ts"
import { HandshakeInvalid, HandshakeRefused } from "./WebSocketError.ts"
import * as WebSocketExtensions from "./WebSocketExtensions.ts"

/** The only version of the protocol that there is. @category constants */
export const version = "13"

/**
 * A client's request. Over HTTP/2 and HTTP/3 (RFC 8441) there is no key and no
 * upgrade: `:protocol` has said it already.
 *
 * @category models
 */
export type Request = {
  /** `Sec-WebSocket-Version`. */
  readonly version: string | undefined
  /** `Sec-WebSocket-Protocol`. */
  readonly protocol: string | undefined
  /** `Sec-WebSocket-Extensions`. */
  readonly extensions: string | undefined
} & (
  | {
      readonly by: "upgrade"
      readonly method: string
      readonly upgrade: string | undefined
      readonly connection: string | undefined
      /** `Sec-WebSocket-Key`. */
      readonly key: string | undefined
    }
  | { readonly by: "connect" }
)

/** @category options */
export interface ServerOptions {
  /** Subprotocols that the server speaks. The first one of the client's list that is here is chosen. Default: none. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** How `permessage-deflate` is answered. Default `"none"`: messages go as they are. */
  readonly deflate?: WebSocketDeflateParameters.Options | "none" | undefined
}

/** What was agreed on. @category models */
export interface Opened {
  readonly _tag: "Opened"
  /** `Sec-WebSocket-Accept`; `undefined` over HTTP/2. */
  readonly accept: string | undefined
  /** `Sec-WebSocket-Protocol`: the subprotocol; `undefined` for none. */
  readonly protocol: string | undefined
  /** `Sec-WebSocket-Extensions` of the answer; `undefined` for none. */
  readonly extensions: string | undefined
  /** How messages are compressed; `undefined`: not at all. */
  readonly deflate: WebSocketDeflateParameters.Parameters | undefined
}

/**
 * A server's answer: 101 (or 200 over HTTP/2) with these values, or the reason
 * with its `status`. To 426 belong `Sec-WebSocket-Version: 13` and `Upgrade:
 * websocket`.
 *
 * @category handshaking
 */
export const answer = (request: Request, options?: ServerOptions): Opened | HandshakeInvalid => {
  const wrong = request.by === "upgrade" ? checkUpgrade(request) : undefined
  if (wrong !== undefined) return wrong
  // RFC 6455 §4.4: any other version is answered with the one that is understood.
  if (request.version?.trim() !== version) {
    return new HandshakeInvalid(426, "sec-websocket-version", `it must be ${version}`)
  }
  const protocols = tokens(request.protocol)
  if (protocols === undefined || new Set(protocols).size < protocols.length) {
    return new HandshakeInvalid(400, "sec-websocket-protocol", "it must be a list of different tokens")
  }
  const extensions = WebSocketExtensions.parse(request.extensions ?? "")
  if (extensions === undefined) return new HandshakeInvalid(400, "sec-websocket-extensions", "it cannot be read")
  const deflate =
    options?.deflate === undefined || options.deflate === "none"
      ? undefined
      : WebSocketDeflateParameters.choose(extensions, options.deflate)
  return {
    _tag: "Opened",
    accept: request.by === "upgrade" ? WebSocketAcceptKey.accept(request.key!.trim()) : undefined,
    protocol: protocols.find((one) => options?.protocols?.includes(one)),
    extensions: deflate === undefined ? undefined : WebSocketExtensions.format([deflate.answer]),
    deflate: deflate?.parameters
  }
}

/** @category options */
export interface ClientOptions {
  /** Subprotocols, the preferred first: different tokens. Default: none is asked for. */
  readonly protocols?: ReadonlyArray<string> | undefined
  /** What is offered of `permessage-deflate`. Default `"none"`. */
  readonly deflate?: WebSocketDeflateParameters.Options | "none" | undefined
}

/** What a client asks for, as header values. @category models */
export interface Asked {
  readonly version: typeof version
  readonly protocol: string | undefined
  readonly extensions: string | undefined
  readonly protocols: ReadonlyArray<string>
  readonly deflate: WebSocketDeflateParameters.Options | "none"
}

/** Throws a `RangeError` for subprotocols that are no tokens, or equal. @category handshaking */
export const ask = (options?: ClientOptions): Asked => {
  const protocols = options?.protocols ?? []
  const deflate = options?.deflate ?? "none"
  if (!protocols.every(WebSocketExtensions.isToken) || new Set(protocols).size < protocols.length) {
    throw new RangeError(`subprotocols must be different tokens, but are ${protocols.join(", ")}`)
  }
  return {
    version,
    protocol: protocols.length === 0 ? undefined : protocols.join(", "),
    extensions:
      deflate === "none" ? undefined : WebSocketExtensions.format([WebSocketDeflateParameters.offer(deflate)]),
    protocols,
    deflate
  }
}

/** A server's answer, as header values. @category models */
export type Response = {
  readonly protocol: string | undefined
  readonly extensions: string | undefined
} & (
  | {
      readonly by: "upgrade"
      readonly status: number
      readonly upgrade: string | undefined
      readonly connection: string | undefined
      /** `Sec-WebSocket-Accept`. */
      readonly accept: string | undefined
      /** The key that the client sent. */
      readonly key: string
    }
  | { readonly by: "connect"; readonly status: number }
)

/**
 * Whether the answer opens what was asked for (RFC 6455 §4.1, the client's
 * list), and what was agreed on.
 *
 * @category handshaking
 */
export const verify = (asked: Asked, response: Response): Opened | HandshakeRefused => {
  const wrong = response.by === "upgrade" ? checkUpgraded(response) : checkConnected(response.status)
  if (wrong !== undefined) return wrong
  const protocol = response.protocol?.trim()
  if (protocol !== undefined && !asked.protocols.includes(protocol)) {
    return new HandshakeRefused("sec-websocket-protocol", `${protocol} was not asked for`)
  }
  const extensions = WebSocketExtensions.parse(response.extensions ?? "")
  if (extensions === undefined) return new HandshakeRefused("sec-websocket-extensions", "it cannot be read")
  const [extension] = extensions
  const parameters =
    extension === undefined || asked.deflate === "none"
      ? undefined
      : WebSocketDeflateParameters.confirm(WebSocketDeflateParameters.offer(asked.deflate), extension)
  if (extensions.length > 1 || (extension !== undefined && parameters === undefined)) {
    return new HandshakeRefused("sec-websocket-extensions", "it is no answer to what was offered")
  }
  return {
    _tag: "Opened",
    accept: response.by === "upgrade" ? response.accept : undefined,
    protocol,
    extensions: response.extensions,
    deflate: parameters
  }
}

const checkUpgrade = (request: Request & { readonly by: "upgrade" }): HandshakeInvalid | undefined => {
  if (request.method !== "GET") return new HandshakeInvalid(405, "method", "a WebSocket is opened with GET")
  if (!hasToken(request.upgrade, "websocket")) return new HandshakeInvalid(400, "upgrade", "it must be websocket")
  if (!hasToken(request.connection, "upgrade")) return new HandshakeInvalid(400, "connection", "it must have upgrade")
  if (request.key === undefined || !WebSocketAcceptKey.isKey(request.key.trim())) {
    return new HandshakeInvalid(400, "sec-websocket-key", "it must be 16 bytes in base64")
  }
  return undefined
}

const checkUpgraded = (response: Response & { readonly by: "upgrade" }): HandshakeRefused | undefined => {
  if (response.status !== 101) return refusedWith(response.status)
  if (response.upgrade?.trim().toLowerCase() !== "websocket") {
    return new HandshakeRefused("upgrade", "it must be websocket")
  }
  if (!hasToken(response.connection, "upgrade")) return new HandshakeRefused("connection", "it must have upgrade")
  if (response.accept?.trim() !== WebSocketAcceptKey.accept(response.key)) {
    return new HandshakeRefused("sec-websocket-accept", "it does not belong to the key")
  }
  return undefined
}

// RFC 8441 §5: "a 2xx response indicates that the server has opened the connection".
const checkConnected = (status: number): HandshakeRefused | undefined =>
  status >= 200 && status <= 299 ? undefined : refusedWith(status)

const refusedWith = (status: number): HandshakeRefused =>
  new HandshakeRefused("status", `the server answered ${status}`, status)

const hasToken = (list: string | undefined, wanted: string): boolean =>
  (list ?? "").split(",").some((one) => one.trim().toLowerCase() === wanted)

/** The tokens of a list; none where there is no field, `undefined` where something else is in it. */
const tokens = (list: string | undefined): ReadonlyArray<string> | undefined => {
  if (list === undefined) return []
  const all = list.split(",").map((one) => one.trim())
  return all.every(WebSocketExtensions.isToken) ? all : undefined
}
