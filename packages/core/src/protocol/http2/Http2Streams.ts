/**
 * The streams of one connection: which are open, which have been, and how many
 * places are taken (RFC 9113 §5.1.1, §5.1.2).
 *
 * ```text
 *  identifiers   1, 3, 5 … of the client;  2, 4, 6 … of the server, which opens none
 *  not open      above the last of its side: idle;  else closed
 * ```
 *
 * How a stream was closed is remembered for the last ones only. What comes for
 * one that is forgotten was on its way when it closed, or is nonsense: nobody
 * can tell, so it is ignored where it may be honest.
 *
 * A place is free when the stream is over and the handler behind it has ended
 * too: a client that opens streams and resets them at once gets no more
 * handlers than one that waits (CVE-2023-44487).
 *
 * @internal
 * @since 0.1.0
 */
import type { Http2Stream } from "./Http2Stream.ts"
import * as State from "./Http2StreamState.ts"

/** @category models */
export const forgotten = -1

/** @category models */
export class Http2Streams {
  /** The highest identifier that the peer has used, and this side. */
  lastPeerId = 0
  lastLocalId: number
  /** Streams whose place is taken. */
  placeCount = 0
  private readonly role: "server" | "client"
  private readonly open = new Map<number, Http2Stream>()
  /** Identifiers of the last streams that this side has reset, and of those that have ended. */
  private resets: Ring | undefined = undefined
  private ends: Ring | undefined = undefined

  constructor(role: "server" | "client") {
    this.role = role
    this.lastLocalId = role === "client" ? -1 : 0
  }

  /** Streams that are not over. */
  get count(): number {
    return this.open.size
  }

  get(id: number): Http2Stream | undefined {
    return this.open.get(id)
  }

  /** All that are open; some may be closed while they are looked at. */
  values(): Iterable<Http2Stream> {
    return this.open.values()
  }

  add(stream: Http2Stream): void {
    this.open.set(stream.id, stream)
    this.placeCount++
    if (this.isLocal(stream.id)) this.lastLocalId = stream.id
    else this.lastPeerId = stream.id
  }

  /** The next identifier of this side; `undefined` when all are used up. */
  nextLocalId(): number | undefined {
    const id = this.lastLocalId + 2
    return id > mostId ? undefined : id
  }

  /** Whether this side opens streams of such an identifier. */
  isLocal(id: number): boolean {
    return (id & 1) === (this.role === "client" ? 1 : 0)
  }

  /** The state of a stream that is not open; `forgotten` where it is not known any more how it has closed. */
  stateOf(id: number): number {
    const last = this.isLocal(id) ? this.lastLocalId : this.lastPeerId
    if (id > last) return State.Idle
    if (this.resets?.has(id) === true) return State.ResetSent
    return this.ends?.has(id) === true ? State.Closed : forgotten
  }

  /** The stream is over: only how it has ended is kept. `false`: it was before. */
  remove(stream: Http2Stream): boolean {
    if (!this.open.delete(stream.id)) return false
    if (stream.state === State.ResetSent) {
      this.resets ??= new Ring(resetMemory)
      this.resets.add(stream.id)
    } else {
      this.ends ??= new Ring(endMemory)
      this.ends.add(stream.id)
    }
    if (stream.place === "both") stream.place = "handler"
    else this.free(stream)
    return true
  }

  /** A stream that was never there, as far as anybody else knows: the peer's next frames for it are ignored. */
  refuse(id: number): void {
    this.lastPeerId = id
    this.resets ??= new Ring(resetMemory)
    this.resets.add(id)
  }

  /** The place stays taken until `release`, whatever becomes of the stream. */
  retain(stream: Http2Stream): void {
    if (stream.place === "stream") stream.place = "both"
  }

  release(stream: Http2Stream): void {
    if (stream.place === "both") stream.place = "stream"
    else if (stream.place === "handler") this.free(stream)
  }

  private free(stream: Http2Stream): void {
    stream.place = "free"
    this.placeCount--
  }
}

const mostId = 2 ** 31 - 1
const resetMemory = 256
const endMemory = 64

/** The last few numbers of many. */
class Ring {
  private readonly ids: Uint32Array
  private at = 0

  constructor(size: number) {
    this.ids = new Uint32Array(size)
  }

  add(id: number): void {
    this.ids[this.at] = id
    this.at = (this.at + 1) % this.ids.length
  }

  has(id: number): boolean {
    return this.ids.includes(id)
  }
}
