/**
 * Where a WebSocket is: a URL (RFC 6455 §3), or an address with a path.
 *
 * @since 0.1.0
 */
import * as NetAddress from "effect/net/NetAddress"
import type { Target } from "../transport/Dialer.ts"

/**
 * A server that is not at the address which its URL names: behind a Unix
 * socket, or a tunnel.
 *
 * @category models
 */
export interface Endpoint {
  readonly address: Target
  /** Path and query. Default `/`. */
  readonly path?: string | undefined
  /** `Host`. Default: the address, and `localhost` for a Unix socket. */
  readonly authority?: string | undefined
  /** Default `"none"`. */
  readonly security?: "none" | "tls" | undefined
}

/** @category models */
export interface Resolved {
  readonly address: Target
  readonly path: string
  readonly authority: string
  readonly security: "none" | "tls"
}

/**
 * A text is a URL with `ws`, `wss`, `http` or `https`. Throws a `RangeError`
 * for anything else.
 *
 * @category constructors
 */
export const resolve = (input: string | URL | Endpoint): Resolved => {
  if (typeof input === "string" || input instanceof URL) return fromUrl(input)
  const { address, authority = authorityOf(address), path = "/", security = "none" } = input
  if (!path.startsWith("/")) throw new RangeError(`path must begin with a slash, but is ${path}`)
  return { address, path, authority, security }
}

const fromUrl = (input: string | URL): Resolved => {
  const text = String(input)
  const url = URL.canParse(text) ? new URL(text) : undefined
  const security = url && securities[url.protocol]
  if (url === undefined || security === undefined || url.hostname === "") {
    throw new RangeError(`a WebSocket's URL begins with ws:// or wss://, unlike ${text}`)
  }
  const port = url.port === "" ? (security === "tls" ? 443 : 80) : Number(url.port)
  // RFC 6455 §3: a fragment has no meaning, and is not sent.
  return {
    address: { host: unbracketed(url.hostname), port },
    path: url.pathname + url.search,
    authority: url.host,
    security
  }
}

const securities: Readonly<Record<string, "none" | "tls" | undefined>> = {
  "ws:": "none",
  "wss:": "tls",
  "http:": "none",
  "https:": "tls"
}

const unbracketed = (host: string): string => (host.startsWith("[") ? host.slice(1, -1) : host)

const authorityOf = (address: Target): string => {
  if ("path" in address) return "localhost"
  if (!NetAddress.isSocketAddress(address)) {
    return `${NetAddress.formatUrlHostString(address.host)}:${address.port}`
  }
  return NetAddress.isInetAddress(address) ? NetAddress.formatSocketAddress(address) : "localhost"
}
