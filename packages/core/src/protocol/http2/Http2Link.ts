/**
 * What the parts of a connection share, as the connection shows itself to
 * them.
 *
 * @internal
 * @since 0.1.0
 */
import type { Http2AbuseGuard } from "./Http2AbuseGuard.ts"
import type { Violation } from "./Http2Error.ts"
import type { Http2FlowWindow } from "./Http2FlowWindow.ts"
import type { Http2Handler } from "./Http2Handler.ts"
import type { Resolved } from "./Http2Options.ts"
import type { Http2Output } from "./Http2Output.ts"
import type { Http2Settings } from "./Http2Settings.ts"
import type { Http2Streams } from "./Http2Streams.ts"

/** @category models */
export interface Http2Link {
  readonly role: "server" | "client"
  readonly limits: Resolved
  readonly handler: Http2Handler
  readonly output: Http2Output
  readonly streams: Http2Streams
  readonly guard: Http2AbuseGuard
  /** Of the connection. */
  readonly window: Http2FlowWindow
  /** What the peer allows. */
  readonly peerSettings: Http2Settings
  /** The time of the current call. */
  readonly nowMillis: number
  readonly phase: Phase
  /** The window of a new stream of the peer, as the peer knows it. */
  readonly receiveSize: number
  /** Whether the peer has acknowledged what this side allows. */
  readonly isSynchronised: boolean
  /** Whether a new stream of the peer is still processed (RFC 9113 §6.8). */
  accepts(streamId: number): boolean
  /** The peer takes no new streams: those in flight are finished. */
  leave(): void
  /** A connection that had no streams is about to have one. */
  onFirstStream(): void
  /** Answers a request in place of its handler. */
  answer(streamId: number, status: number): void
  /** Ends the connection with what `violation` deserves. */
  fail(violation: Violation): void
  /** Something is due then; a later call of `advance` looks at what it was. */
  arm(atMillis: number): void
}

/**
 * `open`; `draining`: no new streams, those in flight are finished; `closed`:
 * nothing is sent any more.
 *
 * @category models
 */
export type Phase = "open" | "draining" | "closed"
