/**
 * Rooms of WebSockets: who is there, and messages to all of them.
 *
 * A membership is tied to a scope and to its WebSocket: whichever ends first
 * takes the member out, and an empty room is gone. A broadcast encodes its
 * message once, compresses it once for each size of window, and hands it to
 * each member in one turn, without a fiber. It waits for nobody: what a slow
 * member cannot take waits in a queue with a bound, and then a policy decides
 * (`SlowConsumer`).
 *
 * ```ts
 * class Rooms extends Context.Service<Rooms, Hub.Hub<{ readonly name: string }>>()("app/Rooms") {}
 *
 * const serve = (socket: WebSocket, room: string, name: string) =>
 *   Effect.gen(function* () {
 *     const rooms = yield* Rooms
 *     const me = yield* rooms.join(room, socket, { presence: { name } })
 *     yield* socket.runForEach((message) => rooms.broadcast(room, message, { except: me }))
 *   }).pipe(Effect.scoped)
 *
 * const RoomsLive = Hub.layer(Rooms, { slowConsumer: { policy: "drop oldest" } })
 * ```
 *
 * To tell a room who is in it, one fiber for the room reads `changes` and
 * broadcasts them; one for each member would make every arrival as dear as the
 * room is large.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as WebSocketCloseCode from "../protocol/websocket/WebSocketCloseCode.ts"
import * as WebSocketPrepared from "../protocol/websocket/WebSocketPrepared.ts"
import type { Message, WebSocket } from "../session/WebSocket.ts"
import * as BackplaneLink from "./BackplaneLink.ts"
import * as HubError from "./HubError.ts"
import * as HubMember from "./HubMember.ts"
import * as HubOptions from "./HubOptions.ts"
import { HubRoom } from "./HubRoom.ts"
import * as HubStats from "./HubStats.ts"
import type { Change, Delivery, Departure, Member, Membership, Outcome } from "./Presence.ts"
import { PresenceFeed } from "./PresenceFeed.ts"
import * as SlowConsumer from "./SlowConsumer.ts"

/** @category options */
export type Options = HubOptions.Options

/** @category options */
export interface JoinOptions<Presence> {
  /** What the others may know of the member. */
  readonly presence: Presence
  /** For this member. What is not given is as the hub has it. */
  readonly slowConsumer?: SlowConsumer.Options | undefined
}

/** @category models */
export interface Hub<Presence> {
  /**
   * Enters a room until the scope closes, the WebSocket does, or `leave` is
   * called. A WebSocket may be in many rooms; who joins a room twice is there
   * twice. The WebSocket is not closed with the membership.
   */
  readonly join: (
    room: string,
    socket: WebSocket,
    options: JoinOptions<Presence>
  ) => Effect.Effect<Membership<Presence>, HubError.HubError, Scope.Scope>
  /**
   * Sends to all members of a room, here and behind the backplane, but for
   * `except`. Waits for nobody. Do not change an array after it was sent. The
   * result counts the members of this process.
   */
  readonly broadcast: (
    room: string,
    message: Message | WebSocketPrepared.PreparedMessage,
    options?: { readonly except?: { readonly id: number } | undefined }
  ) => Effect.Effect<Delivery>
  /** Sends to one member of this process. Waits for nobody; `"closed"` for one who has left. */
  readonly send: (
    member: { readonly id: number },
    message: Message | WebSocketPrepared.PreparedMessage
  ) => Effect.Effect<Outcome>
  /** Who is in the room of this process now. */
  readonly members: (room: string) => Effect.Effect<ReadonlyArray<Member<Presence>>>
  /**
   * A snapshot of the room, then its changes, until the hub closes; the room
   * may be empty meanwhile. Nobody waits for a slow reader: beyond
   * `maxQueuedChanges` it gets a new snapshot in the place of what it missed.
   */
  readonly changes: (room: string) => Stream.Stream<Change<Presence>>
  /** The names of the rooms with members. */
  readonly rooms: Effect.Effect<ReadonlyArray<string>>
  readonly stats: Effect.Effect<HubStats.Stats>
}

/**
 * A hub for the lifetime of a scope. Closing it takes all members out and
 * leaves their WebSockets open. Options that make no sense are defects.
 *
 * @category constructors
 */
export const make = <Presence>(options?: Options): Effect.Effect<Hub<Presence>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const limits = HubOptions.resolve(options)
    const stats = new HubStats.HubStats()
    const context = yield* Effect.context<Scope.Scope>()
    const scope = yield* Effect.scope
    const fork = Effect.runForkWith(context)
    const hub = new LiveHub<Presence>(limits, stats, (closing) => {
      Fiber.runIn(fork(closing), scope)
    })
    yield* HubStats.publish(stats, limits.name)
    yield* Effect.addFinalizer(() => Effect.sync(() => hub.close()))
    if (options?.backplane !== undefined) {
      const { backplane } = options
      hub.link = yield* BackplaneLink.make({ backplane, queue: limits.backplaneQueue, stats, receive: hub.receive })
    }
    return hub
  })

/**
 * Provides a hub as a service of yours: a class that extends
 * `Context.Service<Self, Hub.Hub<Presence>>()("…")`.
 *
 * @category layers
 */
export const layer = <Self, Presence>(
  service: Context.Key<Self, Hub<Presence>>,
  options?: Options
): Layer.Layer<Self> => Layer.effect(service)(make<Presence>(options))

class LiveHub<Presence> implements Hub<Presence>, HubMember.Owner<Presence> {
  readonly counts: HubStats.HubStats
  /** Written once, by `make`. */
  link: BackplaneLink.BackplaneLink | undefined = undefined
  private readonly limits: HubOptions.Resolved
  private readonly run: (closing: Effect.Effect<void>) => void
  private readonly roomsByName = new Map<string, HubRoom<Presence>>()
  private readonly membersById = new Map<number, HubMember.HubMember<Presence>>()
  private readonly feeds = new Map<string, Set<PresenceFeed<Presence>>>()
  private nextId = 1
  private isOpen = true

  constructor(limits: HubOptions.Resolved, counts: HubStats.HubStats, run: (closing: Effect.Effect<void>) => void) {
    this.limits = limits
    this.counts = counts
    this.run = run
  }

  readonly join: Hub<Presence>["join"] = (name, socket, options) =>
    Effect.uninterruptible(
      Effect.flatMap(Effect.scope, (scope) => {
        const refusal = this.judge(name, socket)
        if (refusal !== undefined) return Effect.fail(HubError.make(refusal))
        const member = this.enter(name, socket, options, scope)
        return Effect.as(Scope.addFinalizer(member.scope, member.leave), member)
      })
    )

  readonly broadcast: Hub<Presence>["broadcast"] = (name, message, options) =>
    Effect.sync(() => {
      const room = this.roomsByName.get(name)
      if (room === undefined && !this.reachesOthers(name)) return nobody
      const prepared = prepare(message)
      this.counts.messages++
      const delivery = room === undefined ? nobody : room.broadcast(prepared, options?.except?.id)
      this.counts.deliveries += delivery.sent
      this.link?.offer(name, prepared)
      return delivery
    })

  readonly send: Hub<Presence>["send"] = (to, message) =>
    Effect.sync(() => {
      const member = this.membersById.get(to.id)
      if (member === undefined) return "closed"
      this.counts.messages++
      const outcome = member.deliver(prepare(message))
      if (outcome === "sent") this.counts.deliveries++
      return outcome
    })

  readonly members: Hub<Presence>["members"] = (name) => Effect.sync(() => this.snapshot(name))

  readonly changes: Hub<Presence>["changes"] = (name) =>
    Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => this.subscribe(name)),
          (feed) => Effect.sync(() => this.unsubscribe(name, feed))
        ),
        (feed) => Stream.fromPull(Effect.succeed(feed.pull))
      )
    )

  readonly rooms = Effect.sync((): ReadonlyArray<string> => [...this.roomsByName.keys()])

  readonly stats = Effect.sync(() => this.counts.snapshot())

  /** A message of another process. */
  readonly receive = (name: string, message: WebSocketPrepared.PreparedMessage): void => {
    const room = this.roomsByName.get(name)
    if (room === undefined) return
    this.counts.messages++
    this.counts.backplaneReceived++
    this.counts.deliveries += room.broadcast(message, undefined).sent
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    // First of all: the end of the hub is no news of its members.
    for (const feeds of [...this.feeds.values()]) for (const feed of [...feeds]) feed.end()
    for (const room of [...this.roomsByName.values()]) for (const member of room.all()) member.depart("left")
  }

  // What members and rooms call.

  updated(member: HubMember.HubMember<Presence>): void {
    this.tell(member.room, { _tag: "Updated", member: member.snapshot() })
  }

  departed(member: HubMember.HubMember<Presence>, departure: Departure): void {
    this.membersById.delete(member.id)
    this.counts.members--
    member.home.remove(member, departure)
  }

  private readonly removed = (member: HubMember.HubMember<Presence>, departure: Departure): void => {
    const { home } = member
    if (home.size === 0) {
      this.roomsByName.delete(home.name)
      this.counts.rooms--
    }
    if (departure === "too slow") this.run(member.socket.close(WebSocketCloseCode.tryAgainLater, "too slow"))
    this.tell(home.name, { _tag: "Left", member: member.snapshot(), departure })
  }

  private reachesOthers(name: string): boolean {
    return this.isOpen && this.link !== undefined && name.length <= this.limits.maxNameLength
  }

  private judge(name: string, socket: WebSocket): HubError.Reason | undefined {
    const { maxMemberCount, maxNameLength, maxRoomCount } = this.limits
    if (!this.isOpen) return new HubError.HubClosed()
    if (!socket.isOpen) return new HubError.SocketClosed()
    if (name.length > maxNameLength) return new HubError.RoomNameTooLong(name.length, maxNameLength)
    const room = this.roomsByName.get(name)
    if (room === undefined) {
      return this.roomsByName.size < maxRoomCount ? undefined : new HubError.TooManyRooms(maxRoomCount)
    }
    return room.size < maxMemberCount ? undefined : new HubError.RoomFull(name, maxMemberCount)
  }

  private enter(
    name: string,
    socket: WebSocket,
    options: JoinOptions<Presence>,
    outer: Scope.Scope
  ): HubMember.HubMember<Presence> {
    const slowConsumer = SlowConsumer.resolve(options.slowConsumer, this.limits.slowConsumer)
    const room = this.roomOf(name)
    const scope = Scope.forkUnsafe(outer)
    const member = new HubMember.HubMember(this.nextId++, room, socket, scope, options.presence, this, slowConsumer)
    room.add(member)
    this.membersById.set(member.id, member)
    this.counts.members++
    this.tell(name, { _tag: "Joined", member: member.snapshot() })
    member.watch()
    return member
  }

  private roomOf(name: string): HubRoom<Presence> {
    const existing = this.roomsByName.get(name)
    if (existing !== undefined) return existing
    const room = new HubRoom<Presence>(name, this.removed)
    this.roomsByName.set(name, room)
    this.counts.rooms++
    return room
  }

  private snapshot(name: string): ReadonlyArray<Member<Presence>> {
    return this.roomsByName.get(name)?.snapshot() ?? []
  }

  private subscribe(name: string): PresenceFeed<Presence> {
    const feed = new PresenceFeed<Presence>(this.limits.maxChangeCount, () => this.snapshot(name))
    if (!this.isOpen) feed.end()
    const feeds = this.feeds.get(name)
    if (feeds === undefined) this.feeds.set(name, new Set([feed]))
    else feeds.add(feed)
    return feed
  }

  private unsubscribe(name: string, feed: PresenceFeed<Presence>): void {
    const feeds = this.feeds.get(name)
    feeds?.delete(feed)
    if (feeds?.size === 0) this.feeds.delete(name)
  }

  /** A reader may run at once, and do anything to the hub: everything else is done before. */
  private tell(name: string, change: Change<Presence>): void {
    const feeds = this.feeds.get(name)
    if (feeds !== undefined) for (const feed of [...feeds]) feed.offer(change)
  }
}

const nobody: Delivery = { sent: 0, queued: 0, dropped: 0, closed: 0 }

const prepare = (message: Message | WebSocketPrepared.PreparedMessage): WebSocketPrepared.PreparedMessage =>
  message instanceof WebSocketPrepared.PreparedMessage ? message : WebSocketPrepared.make(message)
