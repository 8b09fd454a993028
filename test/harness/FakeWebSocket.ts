/**
 * A WebSocket without a peer: it takes as many messages as the test allows,
 * and shows what it took, who waits for it, and how it was closed.
 *
 * @since 0.1.0
 */
import * as Utf8 from "@sluice/core/bytes/Utf8"
import type { PreparedMessage } from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type { Closed, Message, WebSocket } from "@sluice/core/session/WebSocket"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"

const address = NetAddress.inetAddressFromIpStringUnsafe("192.0.2.1", 1)

export class FakeWebSocket implements WebSocket {
  readonly role = "server"
  readonly local = address
  readonly peer = address
  readonly tls = undefined
  readonly protocol = undefined
  readonly compression = "none"
  readonly receive = Cause.done()
  readonly receiveAll = Cause.done()
  readonly messages = Stream.empty
  readonly runForEach = () => Effect.void
  readonly ping = () => Effect.void
  /** The messages that were taken, as they were given. */
  readonly taken: Array<PreparedMessage> = []
  /** What `close` was called with. */
  readonly closes: Array<readonly [code: number, reason: string]> = []
  /** Fibers that wait in `close`. */
  closerCount = 0
  /** What `offerUnsafe` was asked: also what it refused. */
  offers = 0
  /** Called in the middle of each message that is taken. */
  onTaken: (() => void) | undefined
  private readonly over = Deferred.makeUnsafe<Closed>()
  private state: "open" | "closing" | Closed = "open"
  private room = Number.POSITIVE_INFINITY
  private readonly writable = new Set<() => void>()
  private readonly observers = new Set<(closed: Closed) => void>()

  /** The texts that were taken. */
  get texts(): ReadonlyArray<string> {
    return this.taken.map((message) => Utf8.decode(message.payload) ?? "not UTF-8")
  }

  get waiterCount(): number {
    return this.writable.size
  }

  get observerCount(): number {
    return this.observers.size
  }

  /** Takes `count` messages more, and then says that it is full. Tells who waits. */
  allow(count: number): void {
    this.room = count
    if (count > 0) this.wake()
  }

  /** The connection is over, by whoever. */
  finish(closed: Closed = { code: 1006, reason: "", clean: false }): void {
    if (typeof this.state === "object") return
    this.state = closed
    this.wake()
    const observers = [...this.observers]
    this.observers.clear()
    for (const observer of observers) observer(closed)
    Deferred.doneUnsafe(this.over, Effect.succeed(closed))
  }

  /** The peer has said Close: nothing can be sent any more, and it is not over yet. */
  beginClosing(): void {
    if (this.state === "open") this.state = "closing"
  }

  get isOpen(): boolean {
    return this.state === "open"
  }

  readonly bufferedBytes = 0

  readonly offerUnsafe = (message: Message | PreparedMessage): "sent" | "full" | "closed" => {
    this.offers++
    if (this.state !== "open") return "closed"
    if (this.room === 0) return "full"
    this.room--
    this.taken.push(message instanceof WebSocketPrepared.PreparedMessage ? message : WebSocketPrepared.make(message))
    this.onTaken?.()
    return "sent"
  }

  readonly send = (message: Message | PreparedMessage) => Effect.sync(() => void this.offerUnsafe(message))

  readonly onWritable = (resume: () => void): (() => void) => {
    this.writable.add(resume)
    return () => this.writable.delete(resume)
  }

  readonly observeClose = (observer: (closed: Closed) => void): (() => void) => {
    if (typeof this.state === "object") observer(this.state)
    else this.observers.add(observer)
    return () => this.observers.delete(observer)
  }

  readonly close = (code = 1000, reason = "") =>
    Effect.suspend(() => {
      this.beginClosing()
      this.closes.push([code, reason])
      this.closerCount++
      return Effect.ensuring(
        Effect.asVoid(Deferred.await(this.over)),
        Effect.sync(() => this.closerCount--)
      )
    })

  readonly abort = Effect.sync(() => this.finish())

  get closed(): Effect.Effect<Closed> {
    return Deferred.await(this.over)
  }

  private wake(): void {
    const waiting = [...this.writable]
    this.writable.clear()
    for (const resume of waiting) resume()
  }
}
