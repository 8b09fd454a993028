/**
 * Makes a WebSocket of an exchange: who may have one, the handshake's answer,
 * and the session that takes the stream over. Over HTTP/1.1 by `Upgrade`, over
 * HTTP/2 by extended CONNECT (RFC 8441).
 *
 * @internal
 * @since 0.1.0
 */
import type { RawDeflate } from "../bytes/RawDeflate.ts"
import { HandshakeInvalid } from "../protocol/websocket/WebSocketError.ts"
import * as WebSocketHandshake from "../protocol/websocket/WebSocketHandshake.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"
import type { Timers } from "../session/Timers.ts"
import * as WebSocketSession from "../session/WebSocketSession.ts"
import type { Origins, Resolved } from "./WebSocketServerOptions.ts"
import { ExchangeOver, OriginRefused, ProtocolUnknown, type Reason } from "./WebSocketUpgradeError.ts"

/** What was agreed on, or why there will be no WebSocket. Nothing is answered yet. @category opening */
export const check = (
  exchange: HttpExchange,
  { limits, origins, protocols }: Resolved,
  codec: RawDeflate | undefined
): WebSocketHandshake.Opened | Reason => {
  const { upgradeProtocol, version } = exchange
  if (version === "2" && upgradeProtocol !== undefined && upgradeProtocol.toLowerCase() !== "websocket") {
    return new ProtocolUnknown(upgradeProtocol)
  }
  const origin = exchange.header("origin")
  // RFC 6455 §10.2: browsers always say it; who is none cannot be kept from saying what it likes.
  if (origin !== undefined && !allows(origins, origin, exchange)) return new OriginRefused(origin)
  const deflate = codec === undefined ? "none" : limits.deflate
  const opened = WebSocketHandshake.answer(requestOf(exchange), { protocols, deflate })
  return opened._tag === "HandshakeInvalid" && opened.field === "upgrade" ? upgradeRequired : opened
}

/** Answers the exchange and takes its stream over, or says why not; then it can still be answered. @category opening */
export const openUnsafe = (
  exchange: HttpExchange,
  settings: Resolved,
  timers: Timers,
  codec: RawDeflate | undefined
): WebSocketSession.Owned | Reason => {
  const opened = check(exchange, settings, codec)
  if (opened._tag !== "Opened") return opened
  let owned: WebSocketSession.Owned | undefined
  const refusal = exchange.upgrade(responseOf(exchange, opened), (transport, rest) => {
    owned = WebSocketSession.makeUnsafe({
      role: "server",
      transport,
      rest,
      limits: settings.limits,
      timers,
      protocol: opened.protocol,
      deflate: codec && opened.deflate && { codec, parameters: opened.deflate }
    })
    return owned
  })
  if (owned === undefined && exchange.isAnswerable) {
    // RFC 9110 §7.8: the protocol changes behind the request, whose body is still to come.
    return new HandshakeInvalid(400, "content-length", "the request is not complete")
  }
  return owned ?? new ExchangeOver(refusal?.message ?? "the stream was not handed over")
}

/** Who asks for nothing else than HTTP is told what is to be had here (RFC 9110 §15.5.22). */
const upgradeRequired = new HandshakeInvalid(426, "upgrade", "only a WebSocket is to be had here")

const requestOf = (exchange: HttpExchange): WebSocketHandshake.Request => {
  const shared = {
    version: exchange.header("sec-websocket-version"),
    protocol: exchange.header("sec-websocket-protocol"),
    extensions: exchange.header("sec-websocket-extensions")
  }
  if (exchange.version === "2" && exchange.upgradeProtocol !== undefined) return { by: "connect", ...shared }
  return {
    by: "upgrade",
    ...shared,
    method: exchange.method,
    // HTTP/1.0 has no Upgrade (RFC 9110 §7.8), and HTTP/2 another way.
    upgrade: exchange.version === "1.1" ? exchange.header("upgrade") : undefined,
    connection: exchange.header("connection"),
    key: exchange.header("sec-websocket-key")
  }
}

const responseOf = (exchange: HttpExchange, { accept, extensions, protocol }: WebSocketHandshake.Opened) => ({
  status: exchange.version === "2" ? 200 : 101,
  headers: {
    upgrade: exchange.version === "2" ? undefined : "websocket",
    "sec-websocket-accept": accept,
    "sec-websocket-protocol": protocol,
    "sec-websocket-extensions": extensions
  }
})

const allows = (origins: Origins, origin: string, exchange: HttpExchange): boolean => {
  if (origins === "any") return true
  if (origins === "same-origin") return hostOf(origin) === withoutDefaultPort(origin, exchange.authority.toLowerCase())
  if (typeof origins === "function") return origins(origin, exchange)
  return origins.some((one) => one.toLowerCase() === origin.toLowerCase())
}

/** `host` or `host:port` of `scheme://host:port`; `undefined` for `null` and what else is no origin. */
const hostOf = (origin: string): string | undefined => {
  const match = /^([a-z][a-z\d+.-]*):\/\/([^/?#]+)$/.exec(origin.toLowerCase())
  return match === null ? undefined : withoutDefaultPort(origin, match[2]!)
}

/** Behind a proxy that ends TLS only the page's scheme tells which port is not said. */
const withoutDefaultPort = (origin: string, host: string): string => {
  const port = origin.toLowerCase().startsWith("https:") ? ":443" : ":80"
  return host.endsWith(port) ? host.slice(0, -port.length) : host
}
