/**
 * Opens transports.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import type { TlsClientOptions } from "./Tls.ts"
import type { Transport } from "./Transport.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * Where to connect: a host (name or address) and port, a Unix socket's path,
 * or an address that is known already.
 *
 * @category models
 */
export type Target =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  | NetAddress.SocketAddress

/** @category options */
export interface DialOptions {
  /**
   * Longest time for resolution, connecting and the TLS handshake together,
   * above 0 and at most 24.8 days. Default: the dialer's, 10 seconds.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /** Speak TLS from the first byte. Default: cleartext. */
  readonly tls?: TlsClientOptions | undefined
}

/** @category services */
export class Dialer extends Context.Service<
  Dialer,
  {
    /**
     * Opens one transport; closing the scope destroys it. Interruption gives
     * up the attempt and leaves nothing open.
     */
    readonly dial: (target: Target, options?: DialOptions) => Effect.Effect<Transport, TransportError, Scope.Scope>
  }
>()("@sluice/core/transport/Dialer") {}

/**
 * A target as it is written in messages: `example.test:443`, `unix:///run/app.sock`.
 *
 * @category formatting
 */
export const formatTarget = (target: Target): string => {
  if ("path" in target) return `unix://${target.path}`
  if (NetAddress.isSocketAddress(target)) return NetAddress.formatSocketAddress(target)
  return `${NetAddress.formatUrlHostString(target.host)}:${target.port}`
}
