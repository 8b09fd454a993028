/**
 * Opens TCP, Unix and TLS connections.
 *
 * A host with several addresses is tried as RFC 8305 advises: the next
 * address begins when the one before has not answered within 250 ms.
 *
 * @internal
 * @since 0.1.0
 */

import * as Net from "node:net"
import * as Limit from "@sluice/core/protocol/Limit"
import * as Dialer from "@sluice/core/transport/Dialer"
import type { TlsClientOptions } from "@sluice/core/transport/Tls"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as NodeAddress from "./NodeAddress.ts"
import * as NodeError from "./NodeError.ts"
import * as NodeGrpcCompression from "./NodeGrpcCompression.ts"
import * as NodeSocketOptions from "./NodeSocketOptions.ts"
import { type Facts, NodeSocketTransport } from "./NodeSocketTransport.ts"
import * as NodeTls from "./NodeTls.ts"

/** @category options */
export interface Options extends NodeSocketOptions.Options {
  /**
   * Longest time for resolution, connecting and the TLS handshake together,
   * above 0 and at most 24.8 days. Default 10 seconds.
   */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * Options that make no sense are a `RangeError`: those of the dialer thrown
 * here, those of one dial as a defect of that dial, before anything is opened.
 *
 * @category constructors
 */
export const make = (options?: Options): Dialer.Dialer["Service"] => {
  const native = NodeSocketOptions.toNative(options ?? {})
  const defaultMillis = Limit.millis("connectTimeout", options?.connectTimeout ?? "10 seconds")
  return {
    dial: (target, dialOptions) =>
      Effect.uninterruptibleMask(
        Effect.fnUntraced(function* (restore): Effect.fn.Return<Transport, TransportError.TransportError, Scope.Scope> {
          const scope = yield* Effect.scope
          const address = Dialer.formatTarget(target)
          const timeoutMillis = Limit.millis("connectTimeout", dialOptions?.connectTimeout ?? defaultMillis)
          if (dialOptions?.tls !== undefined) NodeTls.handshakeTimeoutMillis(dialOptions.tls)
          const socket = Net.connect({ ...native, ...endpoint(target), allowHalfOpen: true })
          socket.pause()
          const attempt = Effect.timeoutOrElse(establish(socket, target, dialOptions?.tls), {
            duration: timeoutMillis,
            orElse: () => Effect.fail(TransportError.make(new TransportError.ConnectTimeout(address, timeoutMillis)))
          })
          const transport = yield* restore(attempt).pipe(
            // Also when the connection came about in the moment of the interruption.
            Effect.onError(() => Effect.sync(() => socket.destroy()))
          )
          yield* Scope.addFinalizer(
            scope,
            Effect.sync(() => transport.destroy())
          )
          return transport
        })
      )
  }
}

/**
 * Provides a `Dialer` on Node's sockets, and beside it the compression of
 * gRPC's messages. Options that make no sense are defects.
 *
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Dialer.Dialer> =>
  Layer.mergeAll(
    Layer.sync(Dialer.Dialer, () => make(options)),
    NodeGrpcCompression.layer()
  )

/**
 * Waits until the socket is connected, and speaks TLS where it should. The
 * transport takes the socket over in the very turn of that event, so that no
 * later error of the socket goes unheard.
 */
const establish = (
  socket: Net.Socket,
  target: Dialer.Target,
  tls: TlsClientOptions | undefined
): Effect.Effect<NodeSocketTransport, TransportError.TransportError> =>
  Effect.callback((resume) => {
    const host = hostOf(target)
    const facts = factsOf(target, host)
    let giveUp = () => {}
    const onConnect = () => {
      socket.off("error", onError)
      if (tls === undefined) return resume(Effect.succeed(new NodeSocketTransport(socket, facts)))
      giveUp = NodeTls.connect(socket, tls, host, (outcome) =>
        resume(
          outcome._tag === "Secured"
            ? Effect.succeed(new NodeSocketTransport(outcome.socket, { ...facts, tls: outcome.info }))
            : Effect.fail(outcome.error)
        )
      )
    }
    const onError = (error: Error) => {
      socket.off("connect", onConnect)
      resume(Effect.fail(NodeError.fromConnect(error, Dialer.formatTarget(target), host)))
    }
    socket.once("connect", onConnect)
    socket.once("error", onError)
    return Effect.sync(() => giveUp())
  })

const endpoint = (target: Dialer.Target): Net.IpcSocketConnectOpts | Net.TcpSocketConnectOpts => {
  if ("path" in target) return { path: target.path }
  const port = target.port
  return NetAddress.isSocketAddress(target)
    ? { host: NodeAddress.toNativeHost(target), port }
    : { host: target.host, port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 250 }
}

/** The dialing end of a Unix socket has no name. */
const factsOf = (target: Dialer.Target, host: string): Facts =>
  "path" in target ? { local: NodeAddress.unnamed, peer: NetAddress.unixPathAddress(target.path), host } : { host }

/** What a certificate is verified for. A Unix socket is on this machine. */
const hostOf = (target: Dialer.Target): string => {
  if ("path" in target) return "localhost"
  return NetAddress.isSocketAddress(target) ? NetAddress.formatHost(target) : target.host
}
