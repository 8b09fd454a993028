/**
 * Where accepted transports wait until somebody accepts them.
 *
 * Before there is an acceptor they wait, paused, up to a limit; what was
 * refused by then is told to the acceptor when it comes. Afterwards all is
 * handed over at once.
 *
 * @internal
 * @since 0.1.0
 */
import type { Acceptor } from "@sluice/core/transport/Listener"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import type * as NetAddress from "effect/net/NetAddress"

interface Refusal {
  readonly error: TransportError.TransportError
  readonly peer: NetAddress.SocketAddress | undefined
}

interface Waiting {
  readonly _tag: "Waiting"
  transports: Array<Transport>
  readonly refusals: Array<Refusal>
}

type State = Waiting | { readonly _tag: "Accepting"; readonly acceptor: Acceptor } | { readonly _tag: "Closed" }

/** @category models */
export class NodeAcceptQueue {
  private readonly limitCount: number
  private state: State = { _tag: "Waiting", transports: [], refusals: [] }

  constructor(limitCount: number) {
    this.limitCount = limitCount
  }

  /**
   * Hands the transport over, or lets it wait. Without room for it among those
   * that are still open, it is refused as `TooManyConnections`.
   */
  offer(transport: Transport): void {
    const state = this.state
    if (state._tag === "Accepting") state.acceptor.onTransport(transport)
    else if (state._tag === "Closed") transport.destroy()
    else if (this.hasRoom(state)) state.transports.push(transport)
    else this.turnAway(transport)
  }

  /** Reports a connection that did not come so far; while nobody accepts, as many are kept as may wait. */
  refuse(error: TransportError.TransportError, peer: NetAddress.SocketAddress | undefined): void {
    const state = this.state
    if (state._tag === "Accepting") state.acceptor.onRefused(error, peer)
    else if (state._tag === "Waiting" && state.refusals.length < this.limitCount) state.refusals.push({ error, peer })
  }

  /** Names the acceptor, in place of the one before, and hands over what waits. */
  accept(acceptor: Acceptor): void {
    const state = this.state
    if (state._tag === "Closed") return
    this.state = { _tag: "Accepting", acceptor }
    if (state._tag === "Accepting") return
    for (const { error, peer } of state.refusals) acceptor.onRefused(error, peer)
    for (const transport of state.transports) if (isOpen(transport)) acceptor.onTransport(transport)
  }

  /** Destroys what waits; nothing is handed over any more. */
  close(): void {
    const state = this.state
    this.state = { _tag: "Closed" }
    if (state._tag === "Waiting") for (const transport of state.transports) transport.destroy()
  }

  private hasRoom(state: Waiting): boolean {
    if (state.transports.length >= this.limitCount) state.transports = state.transports.filter(isOpen)
    return state.transports.length < this.limitCount
  }

  private turnAway(transport: Transport): void {
    const { peer } = transport
    transport.destroy()
    this.refuse(TransportError.make(new TransportError.TooManyConnections("waiting", this.limitCount)), peer)
  }
}

const isOpen = (transport: Transport): boolean => transport.state === "open"
