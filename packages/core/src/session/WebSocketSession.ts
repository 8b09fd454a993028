/**
 * A WebSocket over a transport that was taken over after its handshake: drives
 * the engine, and is the `WebSocket` that fibers see.
 *
 * Messages of one chunk are handed to a waiting fiber together, and what it
 * sends meanwhile leaves in one write, also before a Close frame of the same
 * chunk is answered.
 *
 * Hot path (`bench/` rows "websocket"). An idle WebSocket costs memory, too:
 * what most of them never need is made when it is needed.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"
import type { RawDeflate } from "../bytes/RawDeflate.ts"
import * as WebSocketCloseCode from "../protocol/websocket/WebSocketCloseCode.ts"
import * as WebSocketClosePayload from "../protocol/websocket/WebSocketClosePayload.ts"
import * as WebSocketConnection from "../protocol/websocket/WebSocketConnection.ts"
import { WebSocketDeflate } from "../protocol/websocket/WebSocketDeflate.ts"
import type { Parameters } from "../protocol/websocket/WebSocketDeflateParameters.ts"
import {
  Closed as ClosedReason,
  ConnectionLost,
  type Reason,
  SendAfterClose,
  SendStalled,
  type Violation,
  WebSocketError
} from "../protocol/websocket/WebSocketError.ts"
import * as WebSocketFrame from "../protocol/websocket/WebSocketFrame.ts"
import type { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"
import type { TlsInfo } from "../transport/Tls.ts"
import type { Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as EnginePump from "./EnginePump.ts"
import type { Upgraded } from "./HttpExchange.ts"
import { StallWatch } from "./StallWatch.ts"
import type { Timers } from "./Timers.ts"
import type { Closed, Message, WebSocket } from "./WebSocket.ts"
import * as WebSocketInbox from "./WebSocketInbox.ts"
import { WebSocketPings } from "./WebSocketPings.ts"
import type { Resolved } from "./WebSocketSessionOptions.ts"

/** @category options */
export type Options = {
  readonly transport: Transport
  /** What came behind the handshake already. */
  readonly rest?: Uint8Array | undefined
  readonly limits: Resolved
  readonly timers: Timers
  /** The subprotocol that was agreed on. */
  readonly protocol?: string | undefined
  /** Where `permessage-deflate` was agreed on. */
  readonly deflate?: { readonly parameters: Parameters; readonly codec: RawDeflate } | undefined
} & ({ readonly role: "server" } | { readonly role: "client"; readonly nextMask: () => number })

/** A WebSocket with what its owner, a server or client, does to it. @category models */
export interface Owned extends WebSocket, Upgraded {
  readonly inbox: WebSocketInbox.WebSocketInbox
  /** How it ended, once that is certain; the transport may still be there. */
  readonly result: Closed | undefined
  /** Why nothing can be sent any more: the first reason counts. `SendAfterClose`: this side has closed. */
  readonly refusal: Reason | undefined
  /** Begins to close, and waits for nothing. Throws a `RangeError` for what may not be sent. */
  readonly closeUnsafe: (code: number, reason: string) => void
  /**
   * Nobody uses the WebSocket any more: says Close by how its user ended (1000,
   * 1001 when it was interrupted, 1011 when it failed), drops what still
   * comes, and waits until all is over, no longer than `closeTimeout`.
   */
  readonly release: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** Takes the transport over and starts reading. @category constructors */
export const makeUnsafe = (options: Options): Owned => new WebSocketSession(options)

/** A sender that waits for room; without a message it only wants to know. */
interface Waiting {
  readonly message: Message | PreparedMessage | undefined
  readonly resume: (exit: Exit.Exit<void, WebSocketError>) => void
}

class WebSocketSession implements Owned, WebSocketConnection.Handler, WebSocketInbox.Owner {
  readonly role: "client" | "server"
  readonly protocol: string | undefined
  readonly compression: WebSocket["compression"]
  readonly inbox: WebSocketInbox.WebSocketInbox
  private readonly transport: Transport
  private readonly timers: Timers
  private readonly limits: Resolved
  private readonly engine: WebSocketConnection.WebSocketConnection
  private readonly pump: EnginePump.EnginePump
  result: Closed | undefined
  refusal: Reason | undefined
  private phase: "open" | "over" = "open"
  private waiting: Set<Waiting> | undefined
  private closeObservers: Set<(closed: Closed) => void> | undefined
  private stall: StallWatch | undefined
  private pings: WebSocketPings | undefined
  private receiving: WebSocket["receive"] | undefined
  private receivingAll: WebSocket["receiveAll"] | undefined
  private sending: WebSocket["send"] | undefined

  constructor(options: Options) {
    const { limits, role, timers, transport } = options
    this.role = role
    this.protocol = options.protocol
    this.compression = options.deflate === undefined ? "none" : "permessage-deflate"
    this.transport = transport
    this.timers = timers
    this.limits = limits
    this.inbox = new WebSocketInbox.WebSocketInbox(this, limits.receiveBytes)
    const deflate = deflateOf(options)
    const nowMillis = timers.now()
    this.engine = WebSocketConnection.make(
      this,
      options.role === "server"
        ? { role: "server", limits: limits.engine, deflate, nowMillis }
        : { role: "client", limits: limits.engine, deflate, nowMillis, nextMask: options.nextMask }
    )
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, new PumpEvents(this))
    const { rest } = options
    if (rest !== undefined && rest.length > 0) this.pump.turn((nowMillis) => this.engine.receive(rest, nowMillis))
  }

  get local(): NetAddress.SocketAddress {
    return this.transport.local
  }

  get peer(): NetAddress.SocketAddress {
    return this.transport.peer
  }

  get tls(): TlsInfo | undefined {
    return this.transport.tls
  }

  get receive(): WebSocket["receive"] {
    this.receiving ??= this.inbox.read(WebSocketInbox.messageStep)
    return this.receiving
  }

  get receiveAll(): WebSocket["receiveAll"] {
    this.receivingAll ??= this.inbox.read(WebSocketInbox.messagesStep)
    return this.receivingAll
  }

  get messages(): WebSocket["messages"] {
    return Stream.fromPull(Effect.succeed(this.receiveAll))
  }

  runForEach<E, R>(
    onMessage: (message: Message) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E | WebSocketError, R> {
    const { inbox } = this
    const ready = inbox.read(WebSocketInbox.readyStep)
    return Effect.suspend(() => {
      let end: Exit.Exit<never, Cause.Done | WebSocketError> | undefined
      const loop = Effect.whileLoop<unknown, E, R>({
        while: () => {
          if (inbox.isEmpty) end = inbox.end()
          return end === undefined
        },
        body: () => (inbox.isEmpty ? ready : onMessage(inbox.take())),
        step: ignore
      })
      return Effect.andThen(
        loop,
        Effect.suspend(() => (end === undefined || end === WebSocketInbox.done ? Exit.void : end))
      ) as Effect.Effect<void, E | WebSocketError, R>
    })
  }

  get send(): WebSocket["send"] {
    this.sending ??= (message) => Effect.suspend(() => this.sendNow(message))
    return this.sending
  }

  offerUnsafe(message: Message | PreparedMessage): "sent" | "full" | "closed" {
    if (!this.engine.isOpen) return "closed"
    if (!this.hasRoom()) return "full"
    this.emit(message)
    return "sent"
  }

  onWritable(resume: () => void): () => void {
    if (!this.engine.isOpen || this.hasRoom()) {
      resume()
      return ignore
    }
    return this.wait({ message: undefined, resume: () => resume() })
  }

  ping(payload?: Uint8Array): Effect.Effect<void, WebSocketError> {
    return Effect.callback((resume) => {
      if (!this.engine.isOpen) return resume(this.refuse())
      this.pings ??= new WebSocketPings()
      const { pings } = this
      const bytes = payload ?? pings.next()
      if (bytes.length > WebSocketFrame.controlBytes) return resume(Effect.die(new RangeError("a long Ping")))
      const pending = pings.add(bytes, resume)
      this.pump.turn(() => this.engine.ping(bytes))
      return Effect.sync(() => pings.forget(pending))
    })
  }

  close(code: number = WebSocketCloseCode.normal, reason = ""): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closeUnsafe(code, reason)
      return Effect.asVoid(this.closed)
    })
  }

  get abort(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.refusal ??= new SendAfterClose()
      this.transport.destroy()
    })
  }

  get isOpen(): boolean {
    return this.engine.isOpen
  }

  get closed(): Effect.Effect<Closed> {
    return Effect.callback((resume) => {
      const forget = this.observeClose((closed) => resume(Exit.succeed(closed)))
      return Effect.sync(forget)
    })
  }

  observeClose(observer: (closed: Closed) => void): () => void {
    if (this.phase === "over") {
      observer(this.result!)
      return ignore
    }
    this.closeObservers ??= new Set()
    this.closeObservers.add(observer)
    return () => this.closeObservers?.delete(observer)
  }

  get bufferedBytes(): number {
    return this.engine.output.byteLength + this.pump.waitingBytes + this.transport.bufferedBytes
  }

  // What the owner calls.

  drain(): void {
    this.inbox.drain()
  }

  cut(): void {
    this.refusal ??= new ClosedReason(WebSocketCloseCode.goingAway, "")
    this.transport.destroy()
  }

  get failure(): string | undefined {
    const { refusal } = this
    return refusal?.fault === "peer" || refusal?.fault === "limit" ? refusal._tag : undefined
  }

  closeUnsafe(code: number, reason: string): void {
    // Checked here: nothing may be thrown within a turn.
    WebSocketClosePayload.encode(code, reason)
    this.beginClose(code, reason, new SendAfterClose())
  }

  release(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.beginClose(codeOf(exit), "", new SendAfterClose())
      this.inbox.discard()
      return Effect.asVoid(this.closed)
    })
  }

  // What the inbox calls.

  pauseReceiving(): void {
    this.engine.pauseReceiving()
    this.transport.pause()
  }

  resumeReceiving(): void {
    this.pump.turn((nowMillis) => this.engine.resumeReceiving(nowMillis))
    if (!this.engine.isPaused) this.transport.resume()
  }

  onDrained(): void {
    const code = WebSocketCloseCode.goingAway
    this.beginClose(code, "", new ClosedReason(code, ""))
    this.inbox.discard()
  }

  // What the engine calls.

  onMessage(data: Message): void {
    this.inbox.push(data)
  }

  onReceived(): void {
    this.inbox.wake()
  }

  onPing(): void {}

  onPong(payload: Uint8Array): void {
    this.pings?.answered(payload)
  }

  onViolation(reason: Violation): void {
    // After this side has said Close, that the peer takes its time is no failure of the conversation.
    if (this.refusal !== undefined && reason._tag === "CloseTimeout") return
    this.refusal ??= reason
    this.inbox.close(new WebSocketError({ reason }))
  }

  onClose(code: number, reason: string, clean: boolean): void {
    this.result = { code, reason, clean }
    // When the transport is gone, it is about to say why.
    if (this.transport.state === "open") this.settle(undefined)
  }

  // What the pump calls.

  transportBlocked(): void {
    this.stall = new StallWatch(this.transport, this.timers, this.limits.stall, neverMidFrame)
  }

  transportDrained(): void {
    this.stall?.stop()
    this.stall = undefined
    this.admit()
  }

  transportClosed(error: TransportError | undefined): void {
    this.stall?.stop()
    this.settle(error)
    this.phase = "over"
    const observers = this.closeObservers
    this.closeObservers = undefined
    if (observers !== undefined) for (const observer of observers) observer(this.result!)
  }

  private sendNow(message: Message | PreparedMessage): Effect.Effect<void, WebSocketError> {
    if (!this.engine.isOpen) return this.refuse()
    if (!this.hasRoom() || this.waiting !== undefined) return this.awaitRoom(message)
    this.emit(message)
    return Exit.void
  }

  private emit(message: Message | PreparedMessage): void {
    const { engine, pump } = this
    if (typeof message === "string") engine.sendText(message)
    else if (message instanceof Uint8Array) engine.sendBinary(message)
    else engine.sendPrepared(message)
    const { output } = engine
    if (output.byteLength >= this.limits.sendBytes && !output.blocked) pump.flush()
    else pump.wake()
  }

  private hasRoom(): boolean {
    const { output } = this.engine
    const heldBytes = output.blocked ? this.bufferedBytes : output.byteLength
    return heldBytes < this.limits.sendBytes
  }

  private awaitRoom(message: Message | PreparedMessage): Effect.Effect<void, WebSocketError> {
    return Effect.callback((resume) => {
      // The fiber may have yielded since it looked.
      if (!this.engine.isOpen) return resume(this.refuse())
      if (this.hasRoom() && this.waiting === undefined) {
        this.emit(message)
        return resume(Exit.void)
      }
      return Effect.sync(this.wait({ message, resume }))
    })
  }

  private wait(waiting: Waiting): () => void {
    this.waiting ??= new Set()
    this.waiting.add(waiting)
    return () => this.leave(waiting)
  }

  private leave(waiting: Waiting): void {
    this.waiting?.delete(waiting)
    if (this.waiting?.size === 0) this.waiting = undefined
  }

  /** Lets senders in, in the order in which they came, while there is room. */
  private admit(): void {
    const all = this.waiting
    if (all === undefined) return
    // The set as it changes: who is let in may wait again, behind all others, and nothing would wake it after this.
    for (const waiting of all) {
      if (!this.hasRoom() || !this.engine.isOpen) return
      this.leave(waiting)
      if (waiting.message !== undefined) this.emit(waiting.message)
      waiting.resume(Exit.void)
    }
  }

  private refuse(): Exit.Exit<never, WebSocketError> {
    return Exit.fail(new WebSocketError({ reason: this.refusal ?? new ConnectionLost() }))
  }

  /** The Close frame comes behind all who wait to send. */
  private beginClose(code: number, reason: string, refusal: Reason): void {
    if (!this.engine.isOpen) return
    this.refusal ??= refusal
    const before = this.waiting
    this.waiting = undefined
    if (before !== undefined) for (const { message } of before) if (message !== undefined) this.emit(message)
    this.pump.turn((nowMillis) => this.engine.close(nowMillis, code, reason))
    this.inbox.beginClosing()
    if (before !== undefined) for (const { resume } of before) resume(Exit.void)
  }

  /** Nothing more comes, and nothing can be sent. */
  private settle(error: TransportError | undefined): void {
    if (this.inbox.ending === "open") {
      const { clean, code, reason } = this.result!
      const begun = this.refusal !== undefined
      this.refusal ??= clean ? new ClosedReason(code, reason) : lostReason(error)
      this.inbox.close(begun || clean ? "ended" : new WebSocketError({ reason: this.refusal }))
    }
    const failed = this.waiting
    this.waiting = undefined
    if (failed !== undefined) for (const { resume } of failed) resume(this.refuse())
    this.pings?.failAll(() => this.refuse())
  }
}

/** What the pump says; `onWritable` and `onClose` are others' names in the session. */
class PumpEvents implements EnginePump.PumpHandler {
  private readonly session: WebSocketSession

  constructor(session: WebSocketSession) {
    this.session = session
  }

  onBlocked(): void {
    this.session.transportBlocked()
  }

  onWritable(): void {
    this.session.transportDrained()
  }

  onClose(error: TransportError | undefined): void {
    this.session.transportClosed(error)
  }
}

const ignore = (): void => {}

/** Messages have a limit of their own for that. */
const neverMidFrame = { midFrame: false }

const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (exit._tag === "Success") return WebSocketCloseCode.normal
  return Cause.hasInterruptsOnly(exit.cause) ? WebSocketCloseCode.goingAway : WebSocketCloseCode.internalError
}

const lostReason = (error: TransportError | undefined): ConnectionLost | SendStalled =>
  error?.reason._tag === "WriteStalled"
    ? new SendStalled(error.reason.limitMillis)
    : new ConnectionLost(error?.reason.message)

const deflateOf = ({ deflate, limits, role }: Options): WebSocketDeflate | undefined =>
  deflate &&
  new WebSocketDeflate({
    role,
    ...deflate,
    compressFromBytes: limits.engine.compressFromBytes,
    maxMessageBytes: limits.engine.maxMessageBytes
  })
