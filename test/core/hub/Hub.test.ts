import { assert, describe, it } from "@effect/vitest"
import * as Hub from "@sluice/core/hub/Hub"
import type { HubError } from "@sluice/core/hub/HubError"
import type { Change } from "@sluice/core/hub/Presence"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as Timers from "@sluice/core/session/Timers"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import * as WebSocketSession from "@sluice/core/session/WebSocketSession"
import * as WebSocketSessionOptions from "@sluice/core/session/WebSocketSessionOptions"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { FakeWebSocket } from "../../harness/FakeWebSocket.ts"
import { concat, hex, show } from "../../harness/Hex.ts"
import { record, turns } from "../../harness/TransportContract.ts"
import { frame } from "../../harness/WebSocketWire.ts"

interface Person {
  readonly name: string
}

/** A hub, and a way in for people with a scope of their own. */
const open = (options?: Hub.Options) =>
  Effect.gen(function* () {
    const hub = yield* Hub.make<Person>(options)
    const joinBy = Effect.fnUntraced(function* <Socket extends WebSocket>(
      socket: Socket,
      name: string,
      room = "lobby",
      joining?: Partial<Hub.JoinOptions<Person>>
    ) {
      const scope = yield* Effect.acquireRelease(Scope.make(), (one) => Scope.close(one, Exit.void))
      const member = yield* Scope.provide(hub.join(room, socket, { presence: { name }, ...joining }), scope)
      return { socket, scope, member, close: Scope.close(scope, Exit.void) }
    })
    const join = (name: string, room?: string, joining?: Partial<Hub.JoinOptions<Person>>) =>
      joinBy(new FakeWebSocket(), name, room, joining)
    const names = (room = "lobby") => Effect.map(hub.members(room), (all) => all.map(({ presence }) => presence.name))
    return { hub, join, joinBy, names }
  })

const reasonOf = <A>(joining: Effect.Effect<A, HubError, Scope.Scope>) =>
  Effect.map(Effect.flip(joining), ({ reason }) => reason)

/** What a reader of `changes` has seen so far, shortly. */
const read = Effect.fnUntraced(function* (hub: Hub.Hub<Person>, room = "lobby") {
  const seen: Array<string> = []
  const show = (change: Change<Person>) => {
    if (change._tag === "Snapshot") return `Snapshot ${change.members.map(({ presence }) => presence.name).join(",")}`
    const departure = change._tag === "Left" ? `: ${change.departure}` : ""
    return `${change._tag} ${change.member.presence.name}${departure}`
  }
  const reader = yield* Effect.forkScoped(
    Stream.runForEach(hub.changes(room), (change) => Effect.sync(() => seen.push(show(change)))),
    { startImmediately: true }
  )
  return { seen, reader }
})

describe("join", () => {
  it.effect("is in the room until its scope closes, and an empty room is gone", () =>
    Effect.gen(function* () {
      const { hub, join, names } = yield* open()
      const ann = yield* join("ann")
      const bob = yield* join("bob")
      assert.deepStrictEqual(yield* names(), ["ann", "bob"])
      assert.deepStrictEqual(yield* hub.rooms, ["lobby"])
      yield* ann.close
      assert.deepStrictEqual(yield* names(), ["bob"])
      yield* bob.close
      assert.deepStrictEqual(yield* names(), [])
      assert.deepStrictEqual(yield* hub.rooms, [])
      assert.deepStrictEqual([ann.socket.observerCount, ann.socket.closes.length], [0, 0])
      const { members, rooms } = yield* hub.stats
      assert.deepStrictEqual([members, rooms], [0, 0])
    })
  )

  it.effect("is in the room until its WebSocket is over", () =>
    Effect.gen(function* () {
      const { join, names } = yield* open()
      const ann = yield* join("ann")
      ann.socket.finish()
      assert.deepStrictEqual(yield* names(), [])
      assert.isFalse(ann.member.isPresent)
      yield* ann.close
    })
  )

  it.effect("may leave before its scope closes, and the scope keeps nothing of it", () =>
    Effect.gen(function* () {
      const { hub, names } = yield* open()
      const scope = yield* Scope.make()
      const socket = new FakeWebSocket()
      for (let round = 0; round < 3; round++) {
        const member = yield* Scope.provide(hub.join("lobby", socket, { presence: { name: "ann" } }), scope)
        assert.isTrue(member.isPresent)
        yield* member.leave
        yield* member.leave
      }
      assert.deepStrictEqual(yield* names(), [])
      assert.strictEqual(socket.observerCount, 0)
      const { state } = scope
      const left = state._tag === "Open" ? (state.finalizers?.size ?? (state.finalizer === undefined ? 0 : 1)) : 0
      assert.strictEqual(left, 0)
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.effect("a WebSocket may be in several rooms, and leaves all of them with its end", () =>
    Effect.gen(function* () {
      const { hub, joinBy } = yield* open()
      const { socket } = yield* joinBy(new FakeWebSocket(), "ann", "lobby")
      yield* joinBy(socket, "ann", "attic")
      assert.deepStrictEqual(yield* hub.rooms, ["lobby", "attic"])
      yield* hub.broadcast("lobby", "down")
      yield* hub.broadcast("attic", "up")
      assert.deepStrictEqual(socket.texts, ["down", "up"])
      socket.finish()
      assert.deepStrictEqual(yield* hub.rooms, [])
    })
  )

  it.effect("maxMembersPerRoom: one more is RoomFull, until one leaves", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open({ maxMembersPerRoom: 2 })
      const ann = yield* join("ann")
      yield* join("bob")
      const reason = yield* reasonOf(join("cat"))
      assert.deepInclude(reason, { _tag: "RoomFull", room: "lobby", limitCount: 2, fault: "limit", closeCode: 1013 })
      yield* join("cat", "attic")
      yield* ann.close
      yield* join("cat")
      assert.strictEqual((yield* hub.stats).members, 3)
    })
  )

  it.effect("maxRooms: one more is TooManyRooms, until one is empty", () =>
    Effect.gen(function* () {
      const { join } = yield* open({ maxRooms: 1 })
      const ann = yield* join("ann")
      assert.deepInclude(yield* reasonOf(join("bob", "attic")), { _tag: "TooManyRooms", limitCount: 1 })
      yield* join("bob", "lobby").pipe(Effect.flatMap(({ close }) => close))
      yield* ann.close
      yield* join("bob", "attic")
    })
  )

  it.effect("maxRoomNameLength: a longer name is RoomNameTooLong", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open({ maxRoomNameLength: 5 })
      yield* join("ann", "lobby")
      assert.deepInclude(yield* reasonOf(join("ann", "cellar")), {
        _tag: "RoomNameTooLong",
        length: 6,
        limitLength: 5,
        closeCode: 1008
      })
      assert.strictEqual((yield* hub.stats).rooms, 1)
    })
  )

  it.effect("a closing WebSocket is refused, and a closed hub lets nobody in", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { hub, join, joinBy } = yield* Scope.provide(open(), scope)
      const closing = new FakeWebSocket()
      closing.beginClosing()
      assert.deepInclude(yield* reasonOf(joinBy(closing, "ann")), {
        _tag: "SocketClosed",
        fault: "transport"
      })
      assert.deepStrictEqual(yield* hub.rooms, [])
      yield* Scope.close(scope, Exit.void)
      assert.deepInclude(yield* reasonOf(join("ann")), { _tag: "HubClosed", fault: "caller" })
    })
  )

  it.effect("a scope that is closed already has no member", () =>
    Effect.gen(function* () {
      const { hub, names } = yield* open()
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const socket = new FakeWebSocket()
      yield* Scope.provide(hub.join("lobby", socket, { presence: { name: "ann" } }), scope)
      assert.deepStrictEqual(yield* names(), [])
      assert.strictEqual(socket.observerCount, 0)
    })
  )

  it.effect("limits that make no sense are defects, and leave nobody in the room", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const exit = yield* Effect.exit(join("ann", "lobby", { slowConsumer: { maxQueuedMessages: 0 } }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.deepStrictEqual(yield* hub.rooms, [])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.scoped(Hub.make({ maxRooms: 0 })))))
    })
  )
})

describe("broadcast", () => {
  it.effect("goes to all members of the room but one, as one message", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const [ann, bob, cat] = [yield* join("ann"), yield* join("bob"), yield* join("cat")]
      const dan = yield* join("dan", "attic")
      assert.deepStrictEqual(yield* hub.broadcast("lobby", "hello", { except: bob.member }), {
        sent: 2,
        queued: 0,
        dropped: 0,
        closed: 0
      })
      assert.deepStrictEqual(
        [ann, bob, cat, dan].map(({ socket }) => socket.texts),
        [["hello"], [], ["hello"], []]
      )
      assert.strictEqual(ann.socket.taken[0], cat.socket.taken[0], "encoded once")
      const prepared = WebSocketPrepared.make(new Uint8Array([1, 2]))
      yield* hub.broadcast("lobby", prepared)
      assert.strictEqual(bob.socket.taken[0], prepared)
      assert.deepInclude(yield* hub.stats, { messages: 2, deliveries: 5, members: 4, rooms: 2 })
    })
  )

  it.effect("to an empty room costs nothing", () =>
    Effect.gen(function* () {
      const { hub } = yield* open()
      assert.deepStrictEqual(yield* hub.broadcast("nowhere", "hello"), { sent: 0, queued: 0, dropped: 0, closed: 0 })
      assert.strictEqual((yield* hub.stats).messages, 0)
    })
  )

  it.effect("a stalled member among 1,000 costs its queue, and nobody waits for it", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open({ slowConsumer: { policy: "drop oldest", maxQueuedSize: "1 KiB" } })
      const people = yield* Effect.forEach(Array.from({ length: 1000 }), (_, index) => join(`${index}`))
      const stalled = people[500]!.socket
      stalled.allow(0)
      const message = "x".repeat(100)
      for (let round = 0; round < 100; round++) {
        assert.deepStrictEqual(yield* hub.broadcast("lobby", message), { sent: 999, queued: 1, dropped: 0, closed: 0 })
      }
      assert.deepInclude(yield* hub.stats, {
        deliveries: 99_900,
        slowMembers: 1,
        queuedMessages: 10,
        queuedBytes: 1000,
        dropped: 90
      })
      stalled.allow(Number.POSITIVE_INFINITY)
      assert.strictEqual(stalled.taken.length, 10)
      assert.deepInclude(yield* hub.stats, { deliveries: 99_910, slowMembers: 0, queuedMessages: 0, queuedBytes: 0 })
    })
  )

  it.effect("close: the slow one leaves, is told to try again later, and the others go on", () =>
    Effect.gen(function* () {
      const { hub, join, names } = yield* open({ slowConsumer: { maxQueuedMessages: 1 } })
      const ann = yield* join("ann")
      const bob = yield* join("bob")
      const { seen } = yield* read(hub)
      bob.socket.allow(0)
      assert.deepInclude(yield* hub.broadcast("lobby", "a"), { sent: 1, queued: 1 })
      assert.deepInclude(yield* hub.broadcast("lobby", "b"), { sent: 1, closed: 1 })
      assert.deepStrictEqual(yield* names(), ["ann"])
      assert.deepStrictEqual(bob.socket.closes, [[1013, "too slow"]])
      assert.deepStrictEqual([bob.socket.waiterCount, bob.socket.observerCount], [0, 0])
      assert.deepStrictEqual(ann.socket.texts, ["a", "b"])
      assert.deepStrictEqual(seen, ["Snapshot ann,bob", "Left bob: too slow"])
      assert.deepInclude(yield* hub.stats, { members: 1, slowMembers: 0, queuedBytes: 0, closedSlow: 1 })
      yield* bob.close
    })
  )

  it.effect("a member's own policy comes before the hub's", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open({ slowConsumer: { policy: "close", maxQueuedMessages: 1 } })
      const ann = yield* join("ann", "lobby", { slowConsumer: { policy: "drop newest" } })
      ann.socket.allow(0)
      yield* hub.broadcast("lobby", "a")
      assert.deepInclude(yield* hub.broadcast("lobby", "b"), { dropped: 1, closed: 0 })
      ann.socket.allow(9)
      assert.deepStrictEqual(ann.socket.texts, ["a"])
    })
  )

  it.effect("finds those who are closing, and takes them out", () =>
    Effect.gen(function* () {
      const { hub, join, names } = yield* open()
      const people = [yield* join("ann"), yield* join("bob"), yield* join("cat")]
      people[0]!.socket.beginClosing()
      people[2]!.socket.beginClosing()
      assert.deepStrictEqual(yield* hub.broadcast("lobby", "a"), { sent: 1, queued: 0, dropped: 0, closed: 2 })
      assert.deepStrictEqual(yield* names(), ["bob"])
      assert.deepStrictEqual(people[0]!.socket.closes, [])
    })
  )

  it.effect("a reader of changes may broadcast in the middle of a broadcast's end", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const people = [yield* join("ann"), yield* join("bob"), yield* join("cat")]
      const lobby = hub.changes("lobby").pipe(
        Stream.filter((change) => change._tag === "Left"),
        Stream.runForEach(({ member }) => hub.broadcast("lobby", `${member.presence.name} left`))
      )
      yield* Effect.forkScoped(lobby, { startImmediately: true })
      people[0]!.socket.beginClosing()
      people[1]!.socket.beginClosing()
      yield* hub.broadcast("lobby", "a")
      assert.deepStrictEqual(people[2]!.socket.texts, ["a", "ann left", "bob left"])
    })
  )
})

describe("send", () => {
  it.effect("reaches one member, by its handle, its snapshot or its id", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const ann = yield* join("ann")
      const bob = yield* join("bob")
      assert.strictEqual(yield* hub.send(ann.member, "a"), "sent")
      const [snapshot] = yield* hub.members("lobby")
      assert.strictEqual(yield* hub.send(snapshot!, "b"), "sent")
      assert.strictEqual(yield* hub.send({ id: ann.member.id }, "c"), "sent")
      assert.deepStrictEqual([ann.socket.texts, bob.socket.texts], [["a", "b", "c"], []])
      assert.deepInclude(yield* hub.stats, { messages: 3, deliveries: 3 })
    })
  )

  it.effect("does not reach one who has left", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const { member, socket } = yield* join("ann")
      yield* member.leave
      assert.strictEqual(yield* hub.send(member, "a"), "closed")
      assert.deepStrictEqual(socket.texts, [])
    })
  )

  it.effect("keeps to the order and the policy of broadcasts", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open({ slowConsumer: { maxQueuedMessages: 2 } })
      const ann = yield* join("ann")
      ann.socket.allow(0)
      yield* hub.broadcast("lobby", "a")
      assert.strictEqual(yield* hub.send(ann.member, "b"), "queued")
      ann.socket.allow(9)
      assert.deepStrictEqual(ann.socket.texts, ["a", "b"])
      ann.socket.allow(0)
      for (const text of ["c", "d"]) yield* hub.send(ann.member, text)
      assert.strictEqual(yield* hub.send(ann.member, "e"), "closed")
      assert.deepStrictEqual(ann.socket.closes, [[1013, "too slow"]])
      assert.strictEqual(yield* hub.send(ann.member, "f"), "closed")
    })
  )
})

describe("presence", () => {
  it.effect("a snapshot does not change any more", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const { member } = yield* join("ann")
      const before = yield* hub.members("lobby")
      const { update } = member
      yield* update({ name: "eve" })
      assert.deepStrictEqual(before, [{ id: member.id, room: "lobby", presence: { name: "ann" } }])
      assert.deepStrictEqual(yield* hub.members("lobby"), [{ id: member.id, room: "lobby", presence: { name: "eve" } }])
      assert.deepStrictEqual(member.presence, { name: "eve" })
    })
  )

  it.effect("changes tell of who joins, changes and leaves, and how", () =>
    Effect.gen(function* () {
      const { hub, join } = yield* open()
      const { seen } = yield* read(hub)
      const ann = yield* join("ann")
      const bob = yield* join("bob")
      yield* join("cat", "attic")
      yield* ann.member.update({ name: "eve" })
      yield* ann.close
      yield* ann.member.update({ name: "nobody" })
      bob.socket.finish()
      yield* join("dan")
      assert.deepStrictEqual(seen, [
        "Snapshot ",
        "Joined ann",
        "Joined bob",
        "Updated eve",
        "Left eve: left",
        "Left bob: disconnected",
        "Joined dan"
      ])
    })
  )

  it.effect("changes end with the hub, without news of its members", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { hub, join } = yield* Scope.provide(open(), scope)
      yield* join("ann").pipe(Scope.provide(yield* Scope.make()))
      const { reader, seen } = yield* read(hub)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(reader.pollUnsafe()?._tag, "Success")
      assert.deepStrictEqual(seen, ["Snapshot ann"])
      assert.deepStrictEqual(yield* Stream.runCollect(hub.changes("lobby")), [])
    })
  )

  it.effect("a hub keeps nothing of readers that are gone", () =>
    Effect.gen(function* () {
      const { hub } = yield* open()
      yield* hub.changes("lobby").pipe(Stream.take(1), Stream.runDrain)
      assert.strictEqual((hub as unknown as { readonly feeds: Map<string, unknown> }).feeds.size, 0)
    })
  )
})

describe("a hub's scope", () => {
  it.effect("takes all members out with what waits for them, and leaves their WebSockets open", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { hub, join } = yield* Scope.provide(open(), scope)
      const outer = yield* Scope.make()
      const people = yield* Effect.forEach(["ann", "bob"], (name) => Scope.provide(join(name), outer))
      people[0]!.socket.allow(0)
      yield* hub.broadcast("lobby", "a")
      yield* Scope.close(scope, Exit.void)
      for (const { member, socket } of people) {
        assert.isFalse(member.isPresent)
        assert.deepStrictEqual([socket.waiterCount, socket.observerCount, socket.closes.length], [0, 0, 0])
      }
      assert.deepInclude(yield* hub.stats, { rooms: 0, members: 0, slowMembers: 0, queuedMessages: 0, queuedBytes: 0 })
      assert.deepStrictEqual(yield* hub.broadcast("lobby", "b"), { sent: 0, queued: 0, dropped: 0, closed: 0 })
      yield* Scope.close(outer, Exit.void)
    })
  )

  it.effect("does not wait for members that were closed as too slow", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { hub, join } = yield* Scope.provide(open({ slowConsumer: { maxQueuedSize: 1 } }), scope)
      const ann = yield* Scope.provide(join("ann"), yield* Scope.make())
      ann.socket.allow(0)
      yield* hub.broadcast("lobby", "too large")
      assert.deepStrictEqual(ann.socket.closes, [[1013, "too slow"]])
      assert.strictEqual(ann.socket.closerCount, 1)
      yield* Scope.close(scope, Exit.void)
      yield* turns
      assert.strictEqual(ann.socket.closerCount, 0)
    })
  )

  it.effect("publishes the hub's numbers as metrics by its name", () =>
    Effect.gen(function* () {
      const membersOf = (name: string) =>
        Effect.map(Metric.snapshot, (all) =>
          all
            .filter(({ attributes, id }) => id === "sluice.hub.members" && attributes?.["sluice.hub.name"] === name)
            .map(({ state }) => (state as Metric.GaugeState<number>).value)
        )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { join } = yield* open({ name: "games" })
          yield* join("ann")
          assert.deepStrictEqual(yield* membersOf("games"), [1])
        })
      )
      assert.deepStrictEqual(yield* membersOf("games"), [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

/** Sessions on transports in memory, whose peers read or not: 1 KiB in each transport, 1 KiB in each session. */
const serve = Effect.fnUntraced(function* (count: number, options?: Hub.Options) {
  const timers = yield* Timers.make
  const limits = WebSocketSessionOptions.resolve({ sendBuffer: "1 KiB", writeTimeout: "unbounded" })
  const { hub, joinBy } = yield* open(options)
  const connect = Effect.fnUntraced(function* (name: string) {
    const [transport, far] = MemoryTransport.pair({ bufferBytes: 1024 })
    const socket = WebSocketSession.makeUnsafe({ transport, role: "server", limits, timers })
    const peer = record(far)
    const { close, member } = yield* joinBy(socket, name)
    return { socket, transport, far, peer, member, close }
  })
  const people = yield* Effect.forEach(Array.from({ length: count }), (_, index) => connect(`${index}`))
  return { hub, people, timers }
})

/** The texts of a server's frames, of up to 125 bytes each. */
const textsOf = (wire: Uint8Array): ReadonlyArray<string> => {
  const texts: Array<string> = []
  for (let at = 0; at < wire.length; at += 2 + wire[at + 1]!) {
    if (wire[at] === 0x81) texts.push(new TextDecoder().decode(wire.subarray(at + 2, at + 2 + wire[at + 1]!)))
  }
  return texts
}

describe("on real sessions", () => {
  const messages = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(100, "."))

  it.effect("a stalled peer among 1,000 costs its buffers, and hears the rest in order when it reads again", () =>
    Effect.gen(function* () {
      const { hub, people, timers } = yield* serve(1000, {
        slowConsumer: { policy: "drop oldest", maxQueuedMessages: 5 }
      })
      const stalled = people[500]!
      stalled.far.pause()
      for (const [index, message] of messages.entries()) {
        const delivery = yield* hub.broadcast("lobby", message)
        assert.strictEqual(delivery.sent + delivery.queued, 1000)
        if (index % 5 === 4) yield* turns
      }
      const { dropped } = yield* hub.stats
      for (const { peer } of people) {
        if (peer !== stalled.peer) assert.deepStrictEqual(textsOf(concat(peer.chunks)), messages)
      }
      assert.isAtMost(stalled.socket.bufferedBytes, 2048 + 102)
      assert.deepInclude(yield* hub.stats, { slowMembers: 1, queuedMessages: 5, queuedBytes: 500 })
      assert.isAbove(dropped, 50)
      stalled.far.resume()
      yield* turns
      const late = textsOf(concat(stalled.peer.chunks))
      assert.strictEqual(late.length, 100 - dropped)
      assert.deepStrictEqual(late, [...messages.slice(0, late.length - 5), ...messages.slice(-5)])
      assert.deepInclude(yield* hub.stats, { slowMembers: 0, queuedMessages: 0, queuedBytes: 0 })
      for (const { close } of people) yield* close
      assert.deepStrictEqual(yield* hub.rooms, [])
      for (const { socket } of people) yield* socket.abort
      yield* turns
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("close: a stalled peer leaves the room at once, and is given up when it does not answer", () =>
    Effect.gen(function* () {
      const { hub, people, timers } = yield* serve(3, { slowConsumer: { policy: "close", maxQueuedMessages: 5 } })
      const [first, stalled, last] = [people[0]!, people[1]!, people[2]!]
      stalled.far.pause()
      let closed = 0
      for (const message of messages) {
        closed += (yield* hub.broadcast("lobby", message)).closed
        yield* turns
      }
      assert.strictEqual(closed, 1)
      assert.deepInclude(yield* hub.stats, { members: 2, slowMembers: 0, queuedBytes: 0, closedSlow: 1 })
      assert.deepStrictEqual([stalled.socket.isOpen, stalled.transport.state], [false, "open"])
      yield* TestClock.adjust("5 seconds")
      yield* turns
      assert.strictEqual(stalled.transport.state, "closed")
      for (const { peer } of [first, last]) assert.deepStrictEqual(textsOf(concat(peer.chunks)), messages)
      for (const { socket } of [first, last]) yield* socket.abort
      yield* turns
      assert.strictEqual(timers.size(), 0)
      assert.deepStrictEqual(yield* hub.rooms, [])
    })
  )

  it.effect("close: a slow peer that reads again hears what was sent before, and why it was closed", () =>
    Effect.gen(function* () {
      const { hub, people } = yield* serve(1, { slowConsumer: { policy: "close", maxQueuedMessages: 5 } })
      const { far, peer } = people[0]!
      far.pause()
      for (const message of messages) {
        yield* hub.broadcast("lobby", message)
        yield* turns
      }
      far.resume()
      yield* turns
      const heard = textsOf(concat(peer.chunks))
      assert.deepStrictEqual(heard, messages.slice(0, heard.length))
      assert.strictEqual(show(concat(peer.chunks).subarray(heard.length * 102)), show(hex("88 0a 03f5 'too slow'")))
    })
  )
})

describe("layer", () => {
  class Rooms extends Context.Service<Rooms, Hub.Hub<Person>>()("test/Rooms") {}

  /** The header's example. */
  const serveOne = (socket: WebSocket, room: string, name: string) =>
    Effect.gen(function* () {
      const rooms = yield* Rooms
      const me = yield* rooms.join(room, socket, { presence: { name } })
      yield* socket.runForEach((message) => rooms.broadcast(room, message, { except: me }))
    }).pipe(Effect.scoped)

  it.effect("provides a hub as a service of one's own", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const connect = Effect.fnUntraced(function* (name: string) {
        const [transport, far] = MemoryTransport.pair()
        const limits = WebSocketSessionOptions.resolve()
        const socket = WebSocketSession.makeUnsafe({ transport, role: "server", limits, timers })
        const fiber = yield* Effect.forkScoped(serveOne(socket, "lobby", name), { startImmediately: true })
        return { far, fiber, peer: record(far) }
      })
      const [ann, bob] = [yield* connect("ann"), yield* connect("bob")]
      ann.far.write(frame("client", 0x81, "'hello'"))
      yield* turns
      assert.deepStrictEqual([textsOf(concat(ann.peer.chunks)), textsOf(concat(bob.peer.chunks))], [[], ["hello"]])
      ann.far.write(frame("client", 0x88, "03e8"))
      yield* turns
      assert.strictEqual(ann.fiber.pollUnsafe()?._tag, "Success")
      const names = (yield* (yield* Rooms).members("lobby")).map(({ presence }) => presence.name)
      assert.deepStrictEqual(names, ["bob"])
      bob.far.destroy()
    }).pipe(Effect.scoped, Effect.provide(Hub.layer(Rooms, { slowConsumer: { policy: "drop oldest" } })))
  )

  it.effect("takes the options of make", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms
      const join = (room: string) => rooms.join(room, new FakeWebSocket(), { presence: { name: "ann" } })
      yield* join("lobby")
      assert.deepInclude(yield* reasonOf(join("attic")), { _tag: "TooManyRooms" })
    }).pipe(Effect.scoped, Effect.provide(Hub.layer(Rooms, { maxRooms: 1 })))
  )
})
