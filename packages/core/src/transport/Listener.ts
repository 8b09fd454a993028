/**
 * Accepts transports: a bound address and the connections that come to it.
 *
 * The address is bound when the service is made, so that a port in use is an
 * error of the Layer, and a port of 0 is known before anyone serves.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import type { Transport } from "./Transport.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * Who is called for what comes to a listener.
 *
 * @category models
 */
export interface Acceptor {
  /** A connection, after its TLS handshake and PROXY header; paused. The acceptor owns it. */
  onTransport(transport: Transport): void
  /** A connection that did not come so far, or an accept that failed. It has been destroyed. */
  onRefused(error: TransportError, peer: NetAddress.SocketAddress | undefined): void
}

/** @category services */
export class Listener extends Context.Service<
  Listener,
  {
    readonly address: NetAddress.SocketAddress
    /**
     * Hands all connections to `acceptor`, first those that came before
     * anyone accepted (at most the backlog). One acceptor at a time: a new one
     * takes the place of the one before.
     */
    readonly accept: (acceptor: Acceptor) => Effect.Effect<void>
    /**
     * Stops accepting for good and frees the address; transports that were
     * accepted live on. Idempotent. Closing the listener's scope does it too.
     */
    readonly close: Effect.Effect<void>
  }
>()("@sluice/core/transport/Listener") {}
