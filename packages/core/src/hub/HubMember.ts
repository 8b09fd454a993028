/**
 * One member: its WebSocket, its presence, and what waits for it while it is
 * slow. A member that keeps up has no queue.
 *
 * Order: while anything waits, whatever is new waits behind it.
 *
 * Hot path (`bench/src/micro/hub-broadcast.ts`).
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"
import type { WebSocket } from "../session/WebSocket.ts"
import { Backlog } from "./Backlog.ts"
import type { HubRoom } from "./HubRoom.ts"
import type { HubStats } from "./HubStats.ts"
import type { Departure, Member, Membership, Outcome } from "./Presence.ts"
import type * as SlowConsumer from "./SlowConsumer.ts"

/** What a member needs of its hub. @category models */
export interface Owner<Presence> {
  readonly counts: HubStats
  /** The member is no longer present; the room may still have it in its list. */
  readonly departed: (member: HubMember<Presence>, departure: Departure) => void
  readonly updated: (member: HubMember<Presence>) => void
}

/** @category models */
export class HubMember<Presence> implements Membership<Presence> {
  readonly id: number
  readonly home: HubRoom<Presence>
  readonly socket: WebSocket
  /** Ends with the membership: what the scope of `join` keeps of it. */
  readonly scope: Scope.Closeable
  presence: Presence
  isPresent = true
  /** Where it is in the list of its room, which alone writes this. */
  index = -1
  private readonly owner: Owner<Presence>
  private readonly slowConsumer: SlowConsumer.Resolved
  private backlog: Backlog<PreparedMessage> | undefined = undefined
  private forgetWritable: (() => void) | undefined = undefined
  private forgetClose: (() => void) | undefined = undefined

  constructor(
    id: number,
    home: HubRoom<Presence>,
    socket: WebSocket,
    scope: Scope.Closeable,
    presence: Presence,
    owner: Owner<Presence>,
    slowConsumer: SlowConsumer.Resolved
  ) {
    this.id = id
    this.home = home
    this.socket = socket
    this.scope = scope
    this.presence = presence
    this.owner = owner
    this.slowConsumer = slowConsumer
  }

  get room(): string {
    return this.home.name
  }

  get leave(): Effect.Effect<void> {
    return Effect.sync(() => this.depart("left"))
  }

  /** Made when it is asked for, as users take it out of the object. */
  get update(): Membership<Presence>["update"] {
    return (presence) =>
      Effect.sync(() => {
        if (!this.isPresent) return
        this.presence = presence
        this.owner.updated(this)
      })
  }

  snapshot(): Member<Presence> {
    return { id: this.id, room: this.home.name, presence: this.presence }
  }

  /** Leaves when the WebSocket closes. May leave at once. */
  watch(): void {
    const forget = this.socket.observeClose(() => this.depart("disconnected"))
    if (this.isPresent) this.forgetClose = forget
    else forget()
  }

  /** Hands `message` over, or has it wait, as the policy says. Never waits itself. */
  deliver(message: PreparedMessage): Outcome {
    if (this.backlog !== undefined) return this.enqueue(this.backlog, message)
    const offered = this.socket.offerUnsafe(message)
    if (offered === "full") return this.fallBehind(message)
    if (offered === "closed") this.depart("disconnected")
    return offered
  }

  depart(departure: Departure): void {
    if (!this.isPresent) return
    this.isPresent = false
    this.forgetBacklog()
    this.forgetClose?.()
    this.forgetClose = undefined
    this.owner.departed(this, departure)
    // Its only finalizer is this departure: what remains is that the outer scope forgets it.
    Scope.closeUnsafe(this.scope, Exit.void)
  }

  private fallBehind(message: PreparedMessage): Outcome {
    const { maxQueuedCount, maxQueuedBytes } = this.slowConsumer
    const backlog = new Backlog<PreparedMessage>(maxQueuedCount, maxQueuedBytes, bytesOf)
    if (!backlog.admits(message)) return this.refuse()
    this.backlog = backlog
    this.owner.counts.slowMembers++
    const outcome = this.enqueue(backlog, message)
    this.awaitRoom()
    return outcome
  }

  private enqueue(backlog: Backlog<PreparedMessage>, message: PreparedMessage): Outcome {
    const { counts } = this.owner
    if (!backlog.push(message)) {
      if (this.slowConsumer.policy !== "drop oldest" || !backlog.admits(message)) return this.refuse()
      do {
        counts.queuedMessages--
        counts.queuedBytes -= bytesOf(backlog.shift()!)
        counts.dropped++
      } while (!backlog.push(message))
    }
    counts.queuedMessages++
    counts.queuedBytes += bytesOf(message)
    return "queued"
  }

  /** The message may not wait. */
  private refuse(): Outcome {
    if (this.slowConsumer.policy === "close") {
      this.owner.counts.closedSlow++
      this.depart("too slow")
      return "closed"
    }
    this.owner.counts.dropped++
    return "dropped"
  }

  private awaitRoom(): void {
    this.forgetWritable = alreadyCalled
    const forget = this.socket.onWritable(() => this.drain())
    // It may have been called at once, and even have begun to wait anew.
    if (this.forgetWritable === alreadyCalled && this.backlog !== undefined) this.forgetWritable = forget
  }

  /** The WebSocket takes messages again, or never will. */
  private drain(): void {
    this.forgetWritable = undefined
    const { backlog } = this
    if (backlog === undefined) return
    const { counts } = this.owner
    for (let message = backlog.peek(); message !== undefined; message = backlog.peek()) {
      const outcome = this.socket.offerUnsafe(message)
      // Whoever heard of the message may have taken the member out of the room.
      if (this.backlog !== backlog) return
      if (outcome === "full") this.awaitRoom()
      if (outcome === "closed") this.depart("disconnected")
      if (outcome !== "sent") return
      backlog.shift()
      counts.queuedMessages--
      counts.queuedBytes -= bytesOf(message)
      counts.deliveries++
    }
    this.backlog = undefined
    counts.slowMembers--
  }

  private forgetBacklog(): void {
    this.forgetWritable?.()
    this.forgetWritable = undefined
    const { backlog } = this
    if (backlog === undefined) return
    this.backlog = undefined
    const { counts } = this.owner
    counts.slowMembers--
    counts.queuedMessages -= backlog.length
    counts.queuedBytes -= backlog.byteLength
  }
}

const bytesOf = (message: PreparedMessage): number => message.payload.length

const alreadyCalled = (): void => {}
