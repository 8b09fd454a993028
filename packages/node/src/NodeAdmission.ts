/**
 * What a connection passes before it is handed over: its PROXY header, then
 * its TLS handshake.
 *
 * @internal
 * @since 0.1.0
 */

import type * as Net from "node:net"
import * as TransportError from "@sluice/core/transport/TransportError"
import type * as NetAddress from "effect/net/NetAddress"
import type { NodeAcceptQueue } from "./NodeAcceptQueue.ts"
import * as NodeAddress from "./NodeAddress.ts"
import type { NodeProxyReader } from "./NodeProxyHeader.ts"
import { type Facts, NodeSocketTransport } from "./NodeSocketTransport.ts"
import type { NodeTlsServer } from "./NodeTlsServer.ts"

/** @category options */
export interface Options {
  readonly queue: NodeAcceptQueue
  /** Connections that may be on their way at one time. */
  readonly maxOpening: number
  /** What is known of every connection of this listener. */
  readonly facts: Facts
  readonly proxy: NodeProxyReader | undefined
  readonly tls: NodeTlsServer | undefined
}

/** @category models */
export class NodeAdmission {
  private readonly options: Options
  /** Connections that were accepted by the system and not handed over yet. */
  private readonly opening = new Set<Net.Socket>()

  constructor(options: Options) {
    this.options = options
  }

  /** Takes a paused socket, fresh from the system. */
  admit(socket: Net.Socket): void {
    const { facts, proxy } = this.options
    const peer = proxy === undefined ? undefined : this.peerOf(socket)
    if (proxy === undefined || peer === undefined || !proxy.trusts(peer)) {
      this.secure(socket, facts)
      return
    }
    if (!this.begin(socket, peer)) return
    proxy.read(socket, (outcome) => {
      this.opening.delete(socket)
      if (outcome._tag === "Failed") this.options.queue.refuse(outcome.error, peer)
      else if (outcome._tag === "Local") this.secure(socket, facts)
      else this.secure(socket, { ...facts, peer: outcome.source })
    })
  }

  /** Destroys all connections that were not handed over yet. */
  close(): void {
    for (const socket of this.opening) socket.destroy()
    this.opening.clear()
  }

  private secure(socket: Net.Socket, facts: Facts): void {
    const { queue, tls } = this.options
    if (tls === undefined) {
      queue.offer(new NodeSocketTransport(socket, facts))
      return
    }
    const peer = facts.peer ?? this.peerOf(socket)
    if (!this.begin(socket, peer)) return
    tls.handshake(socket, (outcome) => {
      this.opening.delete(socket)
      if (outcome._tag === "Failed") queue.refuse(outcome.error, peer)
      else queue.offer(new NodeSocketTransport(outcome.socket, { ...facts, peer, tls: outcome.info }))
    })
  }

  /** Takes a place for a connection on its way; without one it is refused. */
  private begin(socket: Net.Socket, peer: NetAddress.SocketAddress): boolean {
    const { queue, maxOpening } = this.options
    if (this.opening.size < maxOpening) {
      this.opening.add(socket)
      return true
    }
    socket.destroy()
    queue.refuse(TransportError.make(new TransportError.TooManyConnections("opening", maxOpening)), peer)
    return false
  }

  /** Asked before the handshake: afterwards a connection that was refused is gone. */
  private peerOf(socket: Net.Socket): NetAddress.SocketAddress {
    return this.options.facts.peer ?? NodeAddress.fromNative(socket.remoteAddress, socket.remotePort)
  }
}
