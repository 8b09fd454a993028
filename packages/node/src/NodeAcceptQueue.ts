/**
 * Where accepted transports wait until somebody accepts them.
 *
 * Before there is an acceptor they wait, paused, up to a limit; afterwards
 * they are handed over at once.
 *
 * @internal
 * @since 0.1.0
 */
import type { Acceptor } from "@sluice/core/transport/Listener"
import type { Transport } from "@sluice/core/transport/Transport"
import type * as TransportError from "@sluice/core/transport/TransportError"
import type * as NetAddress from "effect/net/NetAddress"

/** @category models */
export class NodeAcceptQueue {
  private readonly limitCount: number
  private acceptor: Acceptor | undefined = undefined
  private waiting: Array<Transport> = []
  private closed = false

  constructor(limitCount: number) {
    this.limitCount = limitCount
  }

  /** Hands the transport over, or lets it wait; destroys it when there is no room. */
  offer(transport: Transport): void {
    if (this.acceptor !== undefined) this.acceptor.onTransport(transport)
    else if (this.closed || this.waiting.length >= this.limitCount) transport.destroy()
    else this.waiting.push(transport)
  }

  /** Reports a connection that did not come so far; unheard while nobody accepts. */
  refuse(error: TransportError.TransportError, peer: NetAddress.SocketAddress | undefined): void {
    this.acceptor?.onRefused(error, peer)
  }

  /** Names the acceptor, in place of the one before, and hands over what waits. */
  accept(acceptor: Acceptor): void {
    if (this.closed) return
    this.acceptor = acceptor
    const waiting = this.waiting
    this.waiting = []
    for (const transport of waiting) if (transport.state === "open") acceptor.onTransport(transport)
  }

  /** Destroys what waits; nothing is handed over any more. */
  close(): void {
    this.closed = true
    this.acceptor = undefined
    const waiting = this.waiting
    this.waiting = []
    for (const transport of waiting) transport.destroy()
  }
}
