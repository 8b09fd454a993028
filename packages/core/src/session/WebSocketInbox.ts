/**
 * The messages of a WebSocket that came and were not yet asked for, and the
 * one fiber that may be waiting for more.
 *
 * Messages are taken up to `highWaterBytes`; then the engine stops decoding,
 * and the transport is not read. So what is held is at most so much and one
 * message, also where little comes in and much is inflated out of it.
 *
 * A waiting fiber is woken once for all messages of a chunk.
 *
 * Hot path (`bench/` rows "websocket").
 *
 * @internal
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import type { Message } from "./WebSocket.ts"

/**
 * - `open`: more may come;
 * - `ended`: the conversation is over;
 * - an error: it broke off.
 *
 * @category models
 */
export type Ending = "open" | "ended" | WebSocketError

/** Looks into the inbox; `undefined` when it must wait. @category models */
export type Step<A, E> = (inbox: WebSocketInbox) => Exit.Exit<A, E> | undefined

/** What the inbox tells the WebSocket. @category models */
export interface Owner {
  /** Too much waits: receive no more. */
  pauseReceiving(): void
  resumeReceiving(): void
  /** While draining: nothing is in flight any more. */
  onDrained(): void
}

/** @category models */
export class WebSocketInbox {
  ending: Ending = "open"
  /** A reader that finds nothing is told the end. */
  draining = false
  private readonly owner: Owner
  private readonly highWaterBytes: number
  /** The messages from `first` to `count` wait; the array is used again and again. */
  private messages: Array<Message | undefined> = none
  private first = 0
  private count = 0
  private heldBytes = 0
  /**
   * - `paused`: the high water was reached;
   * - `closing`: this side has said Close, and what is too much is dropped, so that the peer's Close can be read;
   * - `discarding`: nobody reads any more.
   */
  private mode: "reading" | "paused" | "closing" | "discarding" = "reading"
  private waiting: (() => void) | undefined
  /** Whether a message was ever handed out: its reader is busy with it, unless it waits. */
  private reader: "none yet" | "known" = "none yet"

  constructor(owner: Owner, highWaterBytes: number) {
    this.owner = owner
    this.highWaterBytes = highWaterBytes
  }

  get isEmpty(): boolean {
    return this.first === this.count
  }

  /** A message has come. Who waits is woken by `wake`. */
  push(message: Message): void {
    if (this.mode === "discarding") return
    if (this.mode === "closing" && this.heldBytes >= this.highWaterBytes) return
    if (this.messages === none) this.messages = []
    this.messages[this.count++] = message
    this.heldBytes += sizeOf(message)
    if (this.mode === "reading" && this.heldBytes >= this.highWaterBytes) {
      this.mode = "paused"
      this.owner.pauseReceiving()
    }
  }

  /** Has a waiting reader look. */
  wake(): void {
    this.waiting?.()
  }

  /** Takes the first message, of which there must be one. */
  take(): Message {
    const message = this.messages[this.first]!
    this.messages[this.first++] = undefined
    this.heldBytes -= sizeOf(message)
    this.reader = "known"
    if (this.first === this.count) this.rewind()
    if (this.mode === "paused" && this.heldBytes < this.highWaterBytes) {
      this.mode = "reading"
      this.owner.resumeReceiving()
    }
    return message
  }

  /** Takes all that wait, of which there must be one. */
  takeAll(): Arr.NonEmptyReadonlyArray<Message> {
    const taken = this.messages.slice(this.first, this.count) as [Message, ...Array<Message>]
    this.messages = none
    this.heldBytes = 0
    this.reader = "known"
    this.rewind()
    if (this.mode === "paused") {
      this.mode = "reading"
      this.owner.resumeReceiving()
    }
    return taken
  }

  /** What a reader is told that finds nothing; `undefined`: that it has to wait. */
  end(): Exit.Exit<never, Cause.Done | WebSocketError> | undefined {
    if (this.ending === "ended") return done
    if (this.ending !== "open") return Exit.fail(this.ending)
    if (!this.draining) return undefined
    this.owner.onDrained()
    return done
  }

  /** An effect that runs `step` until it yields an exit. Make it once for each reader, and run it for each read. */
  read<A, E>(step: Step<A, E>): Effect.Effect<A, E> {
    const park = Effect.callback<A, E>((resume) => {
      if (this.waiting !== undefined) {
        resume(Effect.die(new Error("two fibers receive from one WebSocket at the same time")))
        return
      }
      const look = (): void => {
        const exit = step(this)
        if (exit === undefined) return
        this.waiting = undefined
        resume(exit)
      }
      this.waiting = look
      // The fiber may have yielded since it looked, and what came meanwhile has woken nobody.
      look()
      if (this.waiting === undefined) return
      return Effect.sync(() => {
        if (this.waiting === look) this.waiting = undefined
      })
    })
    return Effect.suspend(() => (this.waiting === undefined ? (step(this) ?? park) : park))
  }

  /** Nothing more comes. The first reason counts; what waits is still handed out. */
  close(ending: "ended" | WebSocketError): void {
    if (this.ending !== "open") return
    this.ending = ending
    this.wake()
  }

  /** Ends the reader as soon as it finds nothing. Where nothing is in flight, that is now. */
  drain(): void {
    this.draining = true
    if (this.waiting !== undefined) this.waiting()
    else if (this.reader === "none yet" && this.isEmpty) this.owner.onDrained()
  }

  /** This side has said Close: from now on the peer is read to its end. */
  beginClosing(): void {
    if (this.mode === "discarding") return
    const wasPaused = this.mode === "paused"
    this.mode = "closing"
    if (wasPaused) this.owner.resumeReceiving()
  }

  /** Nobody reads any more. */
  discard(): void {
    const wasPaused = this.mode === "paused"
    this.mode = "discarding"
    this.messages = none
    this.heldBytes = 0
    this.rewind()
    if (wasPaused) this.owner.resumeReceiving()
  }

  private rewind(): void {
    this.first = 0
    this.count = 0
    if (this.messages.length > mostSlots) this.messages = none
  }
}

/** The end, as `Pull` spells it. @category constants */
export const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

/** One message. @category steps */
export const messageStep: Step<Message, Cause.Done | WebSocketError> = (inbox) =>
  inbox.isEmpty ? inbox.end() : Exit.succeed(inbox.take())

/** All messages that wait. @category steps */
export const messagesStep: Step<Arr.NonEmptyReadonlyArray<Message>, Cause.Done | WebSocketError> = (inbox) =>
  inbox.isEmpty ? inbox.end() : Exit.succeed(inbox.takeAll())

/** Completes when there is a message, or the end. @category steps */
export const readyStep: Step<void, never> = (inbox) =>
  !inbox.isEmpty || inbox.ending !== "open" || inbox.draining ? Exit.void : undefined

/** An inbox that holds nothing yet, and one that held much, has no array of its own. */
const none: Array<Message | undefined> = []
const mostSlots = 64

/** What a message holds, roughly: empty ones must not be for free. */
const sizeOf = (message: Message): number => message.length + messageBytes
const messageBytes = 16
