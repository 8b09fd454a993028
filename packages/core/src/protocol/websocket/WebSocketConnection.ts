/**
 * One WebSocket after its handshake, either side of it, as an engine: it takes
 * bytes, commands and the time, and calls a handler.
 *
 * It only routes: frames, fragments, closing, keepalive, abuse and compression
 * each have their own file and state. Messages are handed out whole. Pings are
 * answered, a Close frame too; while the transport is full only the newest Ping
 * is remembered (RFC 6455 §5.5.3), so that a peer that does not read cannot make
 * answers pile up.
 *
 * What a peer does wrong is told to it in a Close frame and to the handler as a
 * violation. Everything that ends the WebSocket ends in one `onClose`.
 *
 * Hot path (`bench/` rows "websocket-echo"): a message in one frame within one
 * chunk is unmasked in place, decoded, and handed over; what is sent meanwhile
 * leaves as one chunk.
 *
 * @since 0.1.0
 */
import * as Retention from "../../bytes/Retention.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import { type Engine, Output } from "../Engine.ts"
import { WebSocketAbuseGuard } from "./WebSocketAbuseGuard.ts"
import * as WebSocketCloseCode from "./WebSocketCloseCode.ts"
import * as WebSocketClosePayload from "./WebSocketClosePayload.ts"
import { WebSocketClosing } from "./WebSocketClosing.ts"
import type { WebSocketDeflate } from "./WebSocketDeflate.ts"
import { CloseTimeout, InvalidUtf8, KeepaliveTimeout, type Violation } from "./WebSocketError.ts"
import { WebSocketFragments } from "./WebSocketFragments.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"
import * as FrameDecoder from "./WebSocketFrameDecoder.ts"
import { type NextMask, WebSocketFrameEncoder } from "./WebSocketFrameEncoder.ts"
import { WebSocketKeepalive } from "./WebSocketKeepalive.ts"
import type { Resolved } from "./WebSocketOptions.ts"
import type { PreparedMessage } from "./WebSocketPrepared.ts"

/**
 * Who is called. Commands may be given from within; `receive` and the other
 * calls of a pump may not.
 *
 * @category models
 */
export interface Handler {
  /** A message. Bytes belong to the handler; they hold at most 8 KiB or four times their size in memory. */
  onMessage(data: string | Uint8Array): void
  /**
   * The messages that are there were handed over: at the end of a chunk, and
   * before a Close frame or a violation is answered, after which nothing more
   * can be sent. So a handler may collect messages, and answer them here.
   */
  onReceived?(): void
  /** A Ping, which is answered already. Up to 125 bytes. */
  onPing(payload: Uint8Array): void
  /** A Pong, to a Ping or unasked. Up to 125 bytes. */
  onPong(payload: Uint8Array): void
  /** The peer broke a rule, or a limit was reached; `onClose` follows. */
  onViolation(reason: Violation): void
  /**
   * Nothing more comes and nothing more is sent. Last call of all, exactly once.
   *
   * `code` is the one of the peer's Close frame, 1005 where that had none, and
   * 1006 without such a frame. `clean`: both sides have sent a Close frame.
   */
  onClose(code: number, reason: string, clean: boolean): void
}

/** @category options */
export type Options = {
  readonly limits: Resolved
  /** Where `permessage-deflate` was negotiated: its state, for this connection alone. */
  readonly deflate?: WebSocketDeflate | undefined
  /** When the WebSocket was opened, in milliseconds of the clock that all calls use. */
  readonly nowMillis: number
} & (
  | { readonly role: "server" }
  | {
      readonly role: "client"
      /** Draws a masking key of 32 bits: from a strong source of entropy (RFC 6455 §5.3). */
      readonly nextMask: () => number
    }
)

/** @category constructors */
export const make = (handler: Handler, options: Options): WebSocketConnection =>
  new WebSocketConnection(handler, options)

/** @category models */
export class WebSocketConnection implements Engine {
  readonly output = new Output()
  deadlineMillis: number
  private readonly handler: Handler
  private readonly role: WebSocketFrame.Role
  private readonly limits: Resolved
  private readonly deflate: WebSocketDeflate | undefined
  private readonly decoder: FrameDecoder.WebSocketFrameDecoder
  private readonly encoder: WebSocketFrameEncoder
  private readonly fragments: WebSocketFragments
  private readonly closing: WebSocketClosing
  private readonly keepalive: WebSocketKeepalive
  private readonly guard: WebSocketAbuseGuard
  /** A control frame's payload that straddles chunks. */
  private control: Uint8Array | undefined = undefined
  private controlCount = 0
  /** The newest Ping, while the transport is full. */
  private owedPong: Uint8Array | undefined = undefined
  private flow: "flowing" | "paused" = "flowing"
  private decoding = false
  /** Chunks that came while paused, behind the one that the decoder has. */
  private withheld: Array<Uint8Array> | undefined = undefined
  private nowMillis: number
  private told: "open" | "closed" = "open"

  constructor(handler: Handler, options: Options) {
    const { deflate, limits, nowMillis, role } = options
    const nextMask: NextMask = options.role === "client" ? options.nextMask : undefined
    this.handler = handler
    this.role = role
    this.limits = limits
    this.deflate = deflate
    this.decoder = new FrameDecoder.WebSocketFrameDecoder({
      role,
      maxFrameBytes: limits.maxFrameBytes,
      compression: deflate === undefined ? "none" : "negotiated"
    })
    this.encoder = new WebSocketFrameEncoder(this.output, nextMask)
    this.fragments = new WebSocketFragments(limits)
    this.closing = new WebSocketClosing(limits.closeMillis)
    this.keepalive = new WebSocketKeepalive(limits, nowMillis)
    this.guard = new WebSocketAbuseGuard(limits)
    this.nowMillis = nowMillis
    this.deadlineMillis = this.keepalive.deadlineMillis
  }

  /** Whether messages can still be sent. */
  get isOpen(): boolean {
    return this.closing.state === "Open"
  }

  /** Sends a text message; lone surrogates become U+FFFD. `false`: the WebSocket is closing, and nothing was sent. */
  sendText(text: string): boolean {
    if (!this.closing.step("SendData", this.nowMillis)) return false
    // The number of UTF-16 code units times three is the most that it can be in UTF-8.
    if (this.deflate?.wants(text.length * 3)) this.sendMessage(WebSocketFrame.text, Utf8.encode(text))
    else this.encoder.text(text)
    return true
  }

  /** Sends a binary message. Nobody may change the bytes afterwards. `false` as for text. */
  sendBinary(bytes: Uint8Array): boolean {
    if (!this.closing.step("SendData", this.nowMillis)) return false
    this.sendMessage(WebSocketFrame.binary, bytes)
    return true
  }

  /** Sends a message that was encoded once for many connections. `false` as for text. */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.closing.step("SendData", this.nowMillis)) return false
    if (this.role === "client") this.sendMessage(message.opcode, message.payload)
    else {
      const compressed = this.deflate?.wants(message.payload.length) ? message.compressedFrame(this.deflate) : undefined
      if (compressed !== undefined) this.deflate?.sentAlone(message.payload)
      this.encoder.raw(compressed ?? message.plainFrame())
    }
    return true
  }

  /** Sends a Ping of at most 125 bytes, default none. Longer is a `RangeError`. `false` as for text. */
  ping(payload: Uint8Array = noBytes): boolean {
    return this.sendControl(WebSocketFrame.ping, payload)
  }

  /** Sends a Pong that nobody asked for: a sign of life. As `ping`. */
  pong(payload: Uint8Array = noBytes): boolean {
    return this.sendControl(WebSocketFrame.pong, payload)
  }

  /**
   * Begins the closing handshake. Default 1000 without a reason. A code that
   * may not be sent, or a reason of more than 123 bytes, is a `RangeError`.
   * `false`: it has begun already.
   */
  close(nowMillis: number, code: number = WebSocketCloseCode.normal, reason = ""): boolean {
    const payload = WebSocketClosePayload.encode(code, reason)
    this.nowMillis = nowMillis
    if (!this.closing.step("SendClose", nowMillis)) return false
    this.encoder.frame(WebSocketFrame.final | WebSocketFrame.close, payload)
    this.updateDeadline()
    return true
  }

  /**
   * No more messages for now: what came behind the last one waits here, and
   * the transport should be paused, too. A peer that is not listened to is not
   * timed out by the keepalive.
   */
  pauseReceiving(): void {
    this.flow = "paused"
  }

  get isPaused(): boolean {
    return this.flow === "paused"
  }

  /** Goes on where `pauseReceiving` has stopped. */
  resumeReceiving(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.flow = "flowing"
    if (!this.decoding) this.work()
  }

  receive(bytes: Uint8Array, nowMillis: number): void {
    this.nowMillis = nowMillis
    if (!this.closing.isReceiving) return
    this.keepalive.heard(nowMillis)
    if (this.flow === "paused") {
      this.withheld ??= []
      this.withheld.push(bytes)
      return
    }
    this.decoder.push(bytes)
    this.work()
  }

  receiveEnd(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.closing.step("TransportEnd", nowMillis)
    this.finish()
    this.tellClose(WebSocketCloseCode.abnormal, "", false)
  }

  receiveClose(nowMillis: number): void {
    this.nowMillis = nowMillis
    this.closing.step("TransportClose", nowMillis)
    this.updateDeadline()
    this.tellClose(WebSocketCloseCode.abnormal, "", false)
  }

  advance(nowMillis: number): void {
    this.nowMillis = nowMillis
    if (nowMillis >= this.closing.deadlineMillis) this.giveUp(new CloseTimeout(this.limits.closeMillis))
    else if (this.isOpen) {
      if (this.flow === "paused") this.keepalive.heard(nowMillis)
      const due = this.keepalive.advance(nowMillis)
      if (due === "ping") this.ping()
      else if (due === "timeout") this.giveUp(new KeepaliveTimeout(this.limits.keepaliveTimeoutMillis))
    }
    this.updateDeadline()
  }

  resumeSending(nowMillis: number): void {
    this.nowMillis = nowMillis
    const payload = this.owedPong
    if (payload === undefined || this.output.blocked) return
    this.owedPong = undefined
    this.sendControl(WebSocketFrame.pong, payload)
  }

  /** Decodes what is there, until there is no more, the handler pauses, or all is over. */
  private work(): void {
    this.decoding = true
    this.encoder.collect()
    try {
      do {
        this.decode()
        this.handler.onReceived?.()
      } while (this.closing.isReceiving && this.flow === "flowing" && this.hasMore())
    } finally {
      // A handler that throws must not leave what was sent uncollected.
      this.decoding = false
      if (this.flow === "flowing" || !this.closing.isReceiving) {
        this.decoder.release()
        this.withheld = undefined
      }
      this.encoder.flush()
    }
  }

  private hasMore(): boolean {
    if (!this.decoder.isEmpty) return true
    const next = this.withheld?.shift()
    if (next === undefined) return false
    this.decoder.push(next)
    return true
  }

  private decode(): void {
    while (this.closing.isReceiving && this.flow === "flowing") {
      const step = this.decoder.next()
      if (step === FrameDecoder.needMore) return
      const reason =
        step === FrameDecoder.head
          ? this.onHead()
          : step === FrameDecoder.payload
            ? this.onPayload()
            : this.decoder.violation
      if (reason !== undefined) this.fail(reason)
    }
  }

  private sendMessage(opcode: number, message: Uint8Array): void {
    const compressed = this.deflate?.compress(message)
    if (compressed === undefined) this.encoder.frame(WebSocketFrame.final | opcode, message)
    else this.encoder.frame(WebSocketFrame.final | WebSocketFrame.compressed | opcode, compressed)
  }

  private sendControl(opcode: number, payload: Uint8Array): boolean {
    if (payload.length > WebSocketFrame.controlBytes) {
      throw new RangeError(`a Ping or Pong has at most ${WebSocketFrame.controlBytes} bytes, not ${payload.length}`)
    }
    if (!this.closing.step("SendControl", this.nowMillis)) return false
    this.encoder.frame(WebSocketFrame.final | opcode, payload)
    return true
  }

  private onHead(): Violation | undefined {
    const { compressed, final, opcode, payloadBytes } = this.decoder
    if (opcode >= WebSocketFrame.close) {
      this.controlCount = 0
      return opcode === WebSocketFrame.close ? undefined : this.guard.control(this.nowMillis)
    }
    const reason = this.fragments.begin(opcode, compressed ? "compressed" : "plain", payloadBytes)
    if (reason !== undefined) return reason
    const isFragment = !final || opcode === WebSocketFrame.continuation
    return isFragment ? this.guard.fragment(payloadBytes, this.nowMillis) : undefined
  }

  private onPayload(): Violation | undefined {
    const { chunk, final, opcode, piece, pieceEnd, pieceStart } = this.decoder
    if (opcode >= WebSocketFrame.close) return this.onControlPiece()
    if (piece === "whole" && final && opcode !== WebSocketFrame.continuation) {
      return this.onWholeMessage(chunk, pieceStart, pieceEnd)
    }
    const reason = this.fragments.append(chunk.subarray(pieceStart, pieceEnd))
    if (reason !== undefined || piece === "part" || !final) return reason
    return this.onLastFragment()
  }

  /** A message that came in one frame, and within one chunk. */
  private onWholeMessage(chunk: Uint8Array, start: number, end: number): Violation | undefined {
    const { form, kind } = this.fragments
    this.fragments.reset()
    if (form === "compressed") return this.onCompressed(kind, chunk.subarray(start, end))
    if (kind === "binary") {
      this.handler.onMessage(Retention.keepable(chunk.subarray(start, end)))
      return undefined
    }
    const text = Utf8.decodeRange(chunk, start, end)
    if (text === undefined) return new InvalidUtf8()
    this.handler.onMessage(text)
    return undefined
  }

  private onLastFragment(): Violation | undefined {
    const { form, kind } = this.fragments
    const bytes = this.fragments.take()
    return form === "compressed" ? this.onCompressed(kind, bytes) : this.onBytes(kind, bytes)
  }

  private onCompressed(kind: "none" | "text" | "binary", payload: Uint8Array): Violation | undefined {
    // A compressed frame is refused by the decoder where nothing was negotiated.
    const message = this.deflate!.inflate(payload)
    return message instanceof Uint8Array ? this.onBytes(kind, message) : message
  }

  private onBytes(kind: "none" | "text" | "binary", bytes: Uint8Array): Violation | undefined {
    const data = kind === "text" ? Utf8.decode(bytes) : Retention.keepable(bytes)
    if (data === undefined) return new InvalidUtf8()
    this.handler.onMessage(data)
    return undefined
  }

  private onControlPiece(): Violation | undefined {
    const { chunk, payloadBytes, piece, pieceEnd, pieceStart } = this.decoder
    const bytes = chunk.subarray(pieceStart, pieceEnd)
    if (piece === "whole") return this.onControl(bytes)
    this.control ??= new Uint8Array(WebSocketFrame.controlBytes)
    this.control.set(bytes, this.controlCount)
    this.controlCount += bytes.length
    return piece === "last" ? this.onControl(this.control.slice(0, payloadBytes)) : undefined
  }

  private onControl(payload: Uint8Array): Violation | undefined {
    const { opcode } = this.decoder
    if (opcode === WebSocketFrame.close) return this.onCloseFrame(payload)
    const kept = Retention.keepable(payload)
    if (opcode === WebSocketFrame.pong) {
      this.handler.onPong(kept)
      return undefined
    }
    // RFC 6455 §5.5.3: of several Pings, "only the most recently processed" one needs an answer.
    if (this.output.blocked) this.owedPong = new Uint8Array(kept)
    else this.sendControl(WebSocketFrame.pong, kept)
    this.handler.onPing(kept)
    return undefined
  }

  private onCloseFrame(payload: Uint8Array): Violation | undefined {
    const close = WebSocketClosePayload.decode(payload)
    if (!("code" in close)) return close
    this.handler.onReceived?.()
    this.closing.step("ReceiveClose", this.nowMillis)
    if (this.closing.step("SendClose", this.nowMillis)) {
      // RFC 6455 §5.5.1: the answer "typically echos the status code".
      this.encoder.frame(WebSocketFrame.final | WebSocketFrame.close, payload.subarray(0, 2))
    }
    // RFC 6455 §7.1.1: the server ends the TCP connection first; the client waits for it, within its deadline.
    if (this.role === "server") this.finish()
    else this.updateDeadline()
    this.tellClose(close.code, close.reason, true)
    return undefined
  }

  private fail(reason: Violation): void {
    this.handler.onReceived?.()
    if (this.closing.step("SendClose", this.nowMillis)) {
      const payload = WebSocketClosePayload.encode(reason.closeCode, "")
      this.encoder.frame(WebSocketFrame.final | WebSocketFrame.close, payload)
    }
    this.closing.step("Fail", this.nowMillis)
    this.finish()
    this.handler.onViolation(reason)
    this.tellClose(WebSocketCloseCode.abnormal, "", false)
  }

  /** The peer does not do its part in time. */
  private giveUp(reason: Violation): void {
    this.closing.step("Fail", this.nowMillis)
    this.encoder.flush()
    this.output.abort()
    this.release()
    if (this.told === "open") this.handler.onViolation(reason)
    this.tellClose(WebSocketCloseCode.abnormal, "", false)
  }

  /** Ends this side, behind all that was sent. */
  private finish(): void {
    this.encoder.flush()
    this.output.end()
    this.release()
    this.updateDeadline()
  }

  private release(): void {
    this.fragments.release()
    this.control = undefined
    this.owedPong = undefined
    this.withheld = undefined
  }

  private tellClose(code: number, reason: string, clean: boolean): void {
    if (this.told === "closed") return
    this.told = "closed"
    this.handler.onClose(code, reason, clean)
  }

  private updateDeadline(): void {
    if (this.isOpen) this.deadlineMillis = this.keepalive.deadlineMillis
    else if (this.output.closing === "abort") this.deadlineMillis = Number.POSITIVE_INFINITY
    else this.deadlineMillis = this.closing.deadlineMillis
  }
}

const noBytes = new Uint8Array(0)
