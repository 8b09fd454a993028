/**
 * What both ends of an HTTP/1.1 connection have in common (RFC 9112): the loop
 * that reads what has come as far as the exchange allows, bodies in both
 * directions, deadlines, and the ways in which a connection ends. The two
 * roles are `Http1Server` and `Http1Client`.
 *
 * Reading stops by itself, and the bytes wait, while a body is paused and
 * while a message may not begin yet. `wantsPause` says when too many wait.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import * as Latin1 from "../../bytes/Latin1.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import { type Engine, Output } from "../Engine.ts"
import { Http1BodyReader } from "./Http1BodyReader.ts"
import { Http1BodyWriter } from "./Http1BodyWriter.ts"
import * as Http1Cycle from "./Http1Cycle.ts"
import { Http1Deadline } from "./Http1Deadline.ts"
import { ConnectionEnded, OutOfOrder, type Refusal, SendStalled, type Violation } from "./Http1Error.ts"
import type { Http1Fields } from "./Http1Fields.ts"
import { Http1HeadParser } from "./Http1HeadParser.ts"
import { Http1Inbox } from "./Http1Inbox.ts"
import type { Resolved } from "./Http1Options.ts"

/**
 * What both roles tell their owner.
 *
 * @category models
 */
export interface Handler {
  /** Data of the body; a view of the chunk that came. */
  onBody(data: Uint8Array): void
  /** The message that had a body is complete; with its trailers, where there were any. */
  onEnd(trailers: Http1Fields | undefined): void
  /** Bytes after an upgrade. */
  onRaw(bytes: Uint8Array): void
  /**
   * The peer sends nothing more: on an upgraded connection, or to a server
   * that has not answered yet. It may still read, or be gone: only the owner
   * can choose between an answer and `abort`.
   */
  onPeerEnd(): void
  /**
   * The connection is over because of `violation`; the answer, where there is
   * one, is in the output. Nothing is told of the exchange any more.
   */
  onViolation(violation: Violation): void
  /** The transport is gone. Last call of all. */
  onClose(): void
}

/** @category models */
export abstract class Http1Connection implements Engine {
  readonly output = new Output()
  /**
   * Whether more waits in the engine than it should: the pump stops reading
   * while this is true. To be looked at after each turn.
   */
  wantsPause = false

  protected readonly limits: Resolved
  protected readonly parser: Http1HeadParser
  protected readonly reader: Http1BodyReader
  protected readonly writer = new Http1BodyWriter(this.output)
  protected readonly inbox = new Http1Inbox()
  protected readonly deadline: Http1Deadline
  /** Where the exchange is, and its name. */
  protected place: Http1Cycle.Place = Http1Cycle.placeOf("Idle")
  protected state: Http1Cycle.State = "Idle"
  protected nowMillis: number
  /** Whether there may be another exchange after this one. */
  protected persistent = true
  private readonly owner: Handler
  private reading: "idle" | "running" = "idle"
  private body: "flowing" | "paused" = "flowing"
  private peer: "open" | "ended" = "open"
  /** Bytes that were received and dropped, since the last that was not. */
  private discardedBytes = 0

  constructor(handler: Handler, limits: Resolved, nowMillis: number) {
    this.owner = handler
    this.limits = limits
    this.nowMillis = nowMillis
    this.parser = new Http1HeadParser(limits)
    this.reader = new Http1BodyReader(limits, this.parser)
    this.deadline = new Http1Deadline(limits.sendMillis)
  }

  /** Reads on from the inbox by what the state allows; `false` when it allows nothing. */
  protected abstract readMore(): boolean
  /** The peer is late with what the state waits for. */
  protected abstract onLate(): void
  /** The peer has ended, and all that it sent was read. */
  protected abstract onEndOfInput(): void
  /** Ends the connection with what `violation` deserves. */
  protected abstract answer(violation: Violation): void
  /** The body that is being received is complete. */
  protected abstract onBodyEnd(): void
  /** Whether a body is being received that is told to the owner. */
  protected abstract receivesBody(): boolean
  /** Whether this side still owes its peer a message, which a half-close does not end. */
  protected abstract isOwed(): boolean
  /** What is lost with the transport, for an owner who waits for something. */
  protected abstract lossOf(): Violation | undefined

  get deadlineMillis(): number {
    return this.deadline.next(this.output.blocked)
  }

  /** Where the exchange is. */
  get exchange(): Http1Cycle.State {
    return this.state
  }

  receive(bytes: Uint8Array, nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.state === "Closed") {
      this.discard(bytes.length)
      return
    }
    this.inbox.push(bytes)
    this.read()
  }

  receiveEnd(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.peer = "ended"
    if (this.state === "Closed") return
    if (this.state === "Upgraded" || this.isOwed()) this.owner.onPeerEnd()
    this.read()
  }

  receiveClose(nowMillis: number): void {
    this.nowMillis = nowMillis
    const lost = this.state === "Closed" ? undefined : this.lossOf()
    this.move(this.place.Close)
    this.release()
    this.deadline.clear()
    if (lost !== undefined) this.owner.onViolation(lost)
    this.owner.onClose()
  }

  advance(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.deadline.isStalled(nowMillis, this.output.blocked)) {
      const open = this.state !== "Closed"
      this.abort()
      if (open) this.owner.onViolation(new SendStalled(this.limits.sendMillis))
    } else if (this.deadline.takeDue(nowMillis)) {
      if (this.state !== "Closed") this.onLate()
      // Who still reads what was sent before the end cannot answer it yet; `sendMillis` holds for them.
      else if (this.output.blocked) this.deadline.set(nowMillis + this.limits.closeMillis)
      else this.abort()
    }
  }

  resumeSending(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.deadline.sent(nowMillis)
  }

  /** Stops the calls of `onBody` and `onEnd` until `resumeBody`; the deadline of the body stands still. */
  pauseBody(): void {
    this.body = "paused"
    if (this.receivesBody()) this.deadline.set(Number.POSITIVE_INFINITY)
  }

  resumeBody(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (this.body === "flowing") return
    this.body = "flowing"
    if (this.receivesBody()) this.deadline.set(nowMillis + this.limits.bodyMillis)
    this.read()
  }

  /** Sends bytes after an upgrade. */
  sendRaw(bytes: Uint8Array, nowMillis: number): Refusal | undefined {
    const refusal = this.expectState("Upgraded", nowMillis)
    if (refusal === undefined) this.output.write(bytes)
    return refusal
  }

  /** Ends this side after an upgrade; the peer may go on. */
  endRaw(nowMillis: number): Refusal | undefined {
    const refusal = this.expectState("Upgraded", nowMillis)
    if (refusal === undefined) this.output.end()
    return refusal
  }

  /** Gives the connection up at once, whatever goes on. */
  abort(): void {
    this.move(this.place.Close)
    this.release()
    this.deadline.clear()
    this.output.abort()
  }

  /** Reads as far as the state allows. Commands that are given meanwhile come back here, and find it running. */
  protected read(): void {
    if (this.reading === "running") return
    this.reading = "running"
    while (!this.inbox.isEmpty && this.readMore()) {}
    this.reading = "idle"
    if (this.isDrained && this.state !== "Closed") this.onEndOfInput()
    this.wantsPause = this.inbox.byteLength > this.limits.waitingBytes
  }

  /** Takes a part of the body that is being received. `false`: its owner wants no more of it now. */
  protected readBody(): boolean {
    if (this.body === "paused") return false
    const { inbox, reader } = this
    inbox.readTo(reader.receive(inbox.chunk, inbox.at))
    if (!reader.complete) this.deadline.set(this.nowMillis + this.limits.bodyMillis)
    const { complete, violation } = reader
    if (reader.data !== undefined) this.owner.onBody(reader.data)
    // The owner may have ended it all.
    if (this.state === "Closed") return false
    if (violation !== undefined) this.violate(violation)
    else if (complete) this.onBodyEnd()
    return true
  }

  /** Takes a part of a body that nobody wants, up to a limit; then the connection is closed. */
  protected readUnwanted(): boolean {
    const { inbox, reader } = this
    const from = inbox.byteLength
    inbox.readTo(reader.receive(inbox.chunk, inbox.at))
    this.discardedBytes += from - inbox.byteLength
    const aboveBytes = this.discardedBytes - this.limits.discardBytes
    if (reader.violation !== undefined || aboveBytes > 0) {
      // What was taken behind the first byte that is too many comes to a closed connection, as it does where it is cut.
      this.closeGracefully(Math.max(0, aboveBytes - 1))
      return false
    }
    if (reader.complete) this.onBodyEnd()
    return true
  }

  /** Begins to receive the body of a message that has one. */
  protected beginReading(): void {
    this.body = "flowing"
    this.discardedBytes = 0
    this.deadline.set(this.nowMillis + this.limits.bodyMillis)
  }

  /** The body ends where the stream does: too early, or not. */
  protected endReading(): void {
    const { reader } = this
    reader.receiveEnd()
    if (reader.violation !== undefined) this.violate(reader.violation)
    else this.onBodyEnd()
  }

  protected tellEnd(): void {
    this.owner.onEnd(this.reader.trailers)
  }

  protected violate(violation: Violation): void {
    this.answer(violation)
    this.owner.onViolation(violation)
  }

  /** Why a command that leads to `next` cannot be given now. */
  protected refusalOf(next: Http1Cycle.Place | undefined, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    if (next !== undefined && next.state !== "Closed") return undefined
    return this.state === "Closed" ? new ConnectionEnded() : new OutOfOrder(this.state)
  }

  protected expectState(state: Http1Cycle.State, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    if (this.state === state) {
      if (!this.output.blocked) this.deadline.sent(nowMillis)
      return undefined
    }
    return this.state === "Closed" ? new ConnectionEnded() : new OutOfOrder(this.state)
  }

  /** Moves on; not where that would be someone's fault. */
  protected move(next: Http1Cycle.Place | undefined): void {
    if (next === undefined) return
    this.place = next
    this.state = next.state
  }

  /** Sends a part of the body that is being sent. */
  protected writeData(data: Uint8Array | string, nowMillis: number): Refusal | undefined {
    this.nowMillis = nowMillis
    if (!this.output.blocked) this.deadline.sent(nowMillis)
    return this.writer.write(data)
  }

  /** Whether the peer has ended, and all that it sent was read. */
  protected get isDrained(): boolean {
    return this.peer === "ended" && this.inbox.isEmpty
  }

  /** Sends a head, with the body that it announced where that is known: in one piece where it is small. */
  protected writeMessage(head: string, body: Uint8Array | string | undefined, bodyBytes: number): void {
    const { output } = this
    if (!output.blocked) this.deadline.sent(this.nowMillis)
    // As many bytes as characters: the body is ASCII, and one text with its head.
    if (typeof body === "string" && bodyBytes === body.length) {
      const whole = allocate(head.length + bodyBytes)
      Latin1.write(head + body, whole, 0)
      output.write(whole)
      return
    }
    const joined = typeof body === "string" || bodyBytes <= joinBelowBytes
    const bytes = allocate(head.length + (joined ? bodyBytes : 0))
    Latin1.write(head, bytes, 0)
    if (typeof body === "string") Utf8.write(body, bytes, head.length)
    else if (joined && body !== undefined) bytes.set(body, head.length)
    output.write(bytes)
    if (!joined && body !== undefined) output.write(body as Uint8Array)
  }

  /**
   * Ends this side, and waits for the peer's end, so that what was sent last
   * is not lost in a reset (RFC 9112 §9.6). `takenBytes` more have come than
   * wait in the inbox.
   */
  protected closeGracefully(takenBytes = 0): void {
    const unreadBytes = this.inbox.byteLength + takenBytes
    this.move(this.place.Close)
    this.release()
    this.output.end()
    this.deadline.set(this.nowMillis + this.limits.closeMillis)
    this.discardedBytes = 0
    this.discard(unreadBytes)
  }

  /** The bytes of an upgraded connection that have come already; later ones are told by `onRaw`. */
  protected takeRest(): Uint8Array {
    this.deadline.set(Number.POSITIVE_INFINITY)
    return this.inbox.takeAll()
  }

  protected readRaw(): boolean {
    this.owner.onRaw(this.inbox.takeAll())
    return true
  }

  private discard(byteCount: number): void {
    this.discardedBytes += byteCount
    if (this.discardedBytes > this.limits.discardBytes && this.output.closing === "end") this.abort()
  }

  private release(): void {
    this.inbox.clear()
    this.parser.release()
    this.wantsPause = false
  }
}

/** How many bytes a body has on the wire. @category sending */
export const byteLengthOf = (body: Uint8Array | string | undefined): number =>
  body === undefined ? 0 : typeof body === "string" ? Utf8.byteLength(body) : body.length

/** Larger bodies are sent as they are, without a copy. */
const joinBelowBytes = 16_384
