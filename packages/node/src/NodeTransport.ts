/**
 * Sluice's transports on Node: what listens and what dials.
 *
 * ```ts
 * const server = TcpServer.layer(…).pipe(Layer.provide(NodeTransport.layerListener({ port: 7000 })))
 * const client = program.pipe(Effect.provide(NodeTransport.layerDialer()))
 * ```
 *
 * @since 0.1.0
 */
import * as NodeDialer from "./NodeDialer.ts"
import * as NodeListener from "./NodeListener.ts"

/** Where and how to listen. @category options */
export type ListenerOptions = NodeListener.Options

/** How to dial. @category options */
export type DialerOptions = NodeDialer.Options

/** Binds an address; see `NodeListener.make`. @category constructors */
export const makeListener = NodeListener.make

/** Provides a `Listener` that is bound; fails when it cannot be. @category layers */
export const layerListener = NodeListener.layer

/** A dialer; see `NodeDialer.make`. @category constructors */
export const makeDialer = NodeDialer.make

/** Provides a `Dialer`. @category layers */
export const layerDialer = NodeDialer.layer
