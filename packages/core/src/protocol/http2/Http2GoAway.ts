/**
 * GOAWAY (RFC 9113 §6.8) in both directions: how a connection is left without
 * the loss of a request.
 *
 * To say "no new streams" takes two steps. The first GOAWAY has the highest
 * identifier there is and refuses nothing: what the peer has on its way is
 * still processed. Behind it goes a PING. When its answer is there, so is all
 * that was on its way, and the second GOAWAY has the last identifier that was
 * processed. A peer that does not answer is not waited for.
 *
 * What is due is said here; the connection writes it.
 *
 * @internal
 * @since 0.1.0
 */

/** The identifier of the first GOAWAY: no stream can be above. @category constants */
export const maxStreamId = 2 ** 31 - 1

/** How long the answer to the PING behind the first GOAWAY is waited for. @category constants */
export const announceMillis = 1_000

/** What the peer was told. @category models */
export type Sending =
  | { readonly _tag: "Open" }
  /** The first GOAWAY, and a PING behind it. */
  | { readonly _tag: "Announced"; readonly sinceMillis: number }
  /** Streams of the peer above are not processed. */
  | { readonly _tag: "Final"; readonly lastStreamId: number }

/** What the peer has told: our streams above were not processed. @category models */
export interface Received {
  readonly lastStreamId: number
  readonly errorCode: number
  readonly debug: string
}

/** @category models */
export class Http2GoAway {
  sending: Sending = { _tag: "Open" }
  /** `undefined`: the peer takes new streams. */
  peer: Received | undefined

  /** Whether new streams are ruled out, by one side or the other. */
  get isDraining(): boolean {
    return this.sending._tag !== "Open" || this.peer !== undefined
  }

  /** When `advance` wants to be called. */
  get dueMillis(): number {
    return this.sending._tag === "Announced" ? this.sending.sinceMillis + announceMillis : Number.POSITIVE_INFINITY
  }

  /** The drain begins. `true`: GOAWAY with `maxStreamId` is due, and a PING behind it; `false`: that was done before. */
  begin(nowMillis: number): boolean {
    if (this.sending._tag !== "Open") return false
    this.sending = { _tag: "Announced", sinceMillis: nowMillis }
    return true
  }

  /** The PING behind the first GOAWAY is answered. Whether `finish` is due. */
  onPong(): boolean {
    return this.sending._tag === "Announced"
  }

  /** Whether `finish` is due: the answer took too long. */
  advance(nowMillis: number): boolean {
    return nowMillis >= this.dueMillis
  }

  /**
   * GOAWAY with the last stream of the peer that is processed; at once, too,
   * and again, where the connection fails. Returns the identifier to send,
   * which must not rise.
   */
  finish(lastStreamId: number): number {
    const least = this.sending._tag === "Final" ? Math.min(this.sending.lastStreamId, lastStreamId) : lastStreamId
    this.sending = { _tag: "Final", lastStreamId: least }
    return least
  }

  /** Whether a new stream of the peer is processed. What comes for others is ignored. */
  accepts(streamId: number): boolean {
    return this.sending._tag !== "Final" || streamId <= this.sending.lastStreamId
  }

  /** GOAWAY came. Returns the last of our streams that the peer processes; a later frame can only lower it. */
  received(lastStreamId: number, errorCode: number, debug: string): number {
    const least = this.peer === undefined ? lastStreamId : Math.min(this.peer.lastStreamId, lastStreamId)
    this.peer = { lastStreamId: least, errorCode, debug }
    return least
  }
}
