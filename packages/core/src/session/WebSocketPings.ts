/**
 * The Pings of a program that wait for their Pongs.
 *
 * A Pong answers the Ping with the same payload, and those before it: a peer
 * may answer only the newest of several (RFC 6455 §5.5.3).
 *
 * @internal
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import type { WebSocketError } from "../protocol/websocket/WebSocketError.ts"

/** @category models */
export interface Pending {
  readonly payload: Uint8Array
  readonly resume: (exit: Exit.Exit<void, WebSocketError>) => void
}

/** @category models */
export class WebSocketPings {
  private pending: Array<Pending> = []
  private count = 0

  /** A payload that no other Ping has: those of the keepalive have none. */
  next(): Uint8Array {
    const count = ++this.count
    return Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count)
  }

  add(payload: Uint8Array, resume: Pending["resume"]): Pending {
    const pending = { payload, resume }
    this.pending.push(pending)
    return pending
  }

  forget(pending: Pending): void {
    this.pending = this.pending.filter((one) => one !== pending)
  }

  answered(payload: Uint8Array): void {
    const index = this.pending.findIndex((one) => isEqual(one.payload, payload))
    for (const { resume } of this.pending.splice(0, index + 1)) resume(Exit.void)
  }

  failAll(exit: () => Exit.Exit<never, WebSocketError>): void {
    for (const { resume } of this.pending.splice(0)) resume(exit())
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])
