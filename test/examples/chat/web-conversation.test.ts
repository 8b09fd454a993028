import { assert, describe, it } from "@effect/vitest"
import { ConnectionLost, WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import type { PreparedMessage } from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type * as WebSocket from "@sluice/core/session/WebSocket"
import * as Rooms from "@sluice/examples/chat/rooms"
import * as WebConversation from "@sluice/examples/chat/web-conversation"
import type * as WebMessage from "@sluice/examples/chat/web-message"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"

const key = "0123456789abcdef"

/** The page's end of a WebSocket, and the conversation at the other. */
const open = Effect.fnUntraced(function* (options?: { readonly takes?: "all" | "nothing" }) {
  const requests = yield* Queue.make<WebSocket.Message, WebSocketError | Cause.Done>()
  const replies = yield* Queue.unbounded<WebMessage.Reply>()
  const closed = yield* Deferred.make<readonly [code: number | undefined, reason: string | undefined]>()
  const send = (message: WebSocket.Message | PreparedMessage) =>
    options?.takes === "nothing" ? Effect.never : Queue.offer(replies, JSON.parse(textOf(message)))
  const socket: Partial<WebSocket.WebSocket> = {
    receive: Queue.take(requests),
    send: (message) => Effect.asVoid(send(message)),
    close: (code, reason) => Effect.asVoid(Deferred.succeed(closed, [code, reason]))
  }
  const fiber = yield* Effect.forkScoped(Effect.scoped(WebConversation.converse(socket as WebSocket.WebSocket)))
  return {
    requests,
    request: (request: WebMessage.Request) => Queue.offer(requests, JSON.stringify(request)),
    /** The next reply that is no survey. */
    reply: Effect.repeat(Queue.take(replies), { while: ({ _tag }) => _tag === "Overview" }),
    /** The next reply that is one. */
    survey: Effect.repeat(Queue.take(replies), { until: ({ _tag }) => _tag === "Overview" }),
    replies,
    closed: Deferred.await(closed),
    ended: Fiber.join(fiber)
  }
})

const textOf = (message: WebSocket.Message | PreparedMessage): string => {
  if (typeof message === "string") return message
  return new TextDecoder().decode(message instanceof Uint8Array ? message : message.payload)
}

/** A page that has come in, and has seen that. */
const enter = Effect.fnUntraced(function* (name: string, options?: { readonly takes?: "all" | "nothing" }) {
  const page = yield* open(options)
  yield* page.request({ _tag: "Hello", name, room: "lobby", key })
  if (options?.takes === "nothing") return page
  assert.strictEqual((yield* page.reply)._tag, "Entered")
  assert.deepStrictEqual(yield* page.reply, { _tag: "Joined", name, door: "web" })
  return page
})

const rooms = Rooms.layer({ maxWaiting: 8, maxPeople: 3 })

describe("a page's conversation", () => {
  it.effect("comes in, and is shown what was said before", () =>
    Effect.gen(function* () {
      const service = yield* Rooms.Rooms
      yield* service.publish({ from: "cron", text: "tick", door: "rest" })
      const page = yield* open()
      yield* page.request({ _tag: "Hello", room: "lobby", key })
      assert.deepStrictEqual(yield* page.reply, {
        _tag: "Entered",
        room: "lobby",
        name: "guest-1",
        people: [{ name: "guest-1", door: "web" }],
        history: [{ _tag: "Said", atMillis: 0, from: "cron", door: "rest", text: "tick" }]
      })
    }).pipe(Effect.provide(rooms))
  )

  it.effect("each request is answered by what it led to", () =>
    Effect.gen(function* () {
      const page = yield* enter("ann")
      yield* page.request({ _tag: "Say", text: "hello" })
      assert.deepStrictEqual(yield* page.reply, {
        _tag: "Said",
        atMillis: 0,
        from: "ann",
        door: "web",
        text: "hello"
      })
      yield* page.request({ _tag: "Rename", name: "Ann_2" })
      assert.deepStrictEqual(yield* page.reply, { _tag: "Renamed", before: "ann", name: "Ann_2" })
      yield* page.request({ _tag: "Move", room: "games" })
      const entered = yield* page.reply
      assert.deepInclude(entered, { _tag: "Entered", room: "games", name: "Ann_2" })
    }).pipe(Effect.provide(rooms))
  )

  it.effect("a request that changes nothing is told why, and costs nothing else", () =>
    Effect.gen(function* () {
      yield* enter("bob")
      const page = yield* enter("ann")
      yield* page.request({ _tag: "Say", text: " \u0007 " })
      yield* page.request({ _tag: "Rename", name: "BOB" })
      yield* page.request({ _tag: "Move", room: "a b" })
      yield* page.request({ _tag: "Say", text: "x".repeat(Rooms.maxTextChars + 1) })
      const refused = yield* Effect.replicateEffect(page.reply, 4)
      assert.deepStrictEqual(
        refused.map((reply) => (reply._tag === "Refused" ? [reply.request, reply.message.slice(0, 24)] : reply)),
        [
          ["Say", "there is nothing to say "],
          ["Rename", "somebody here has that n"],
          ["Move", "a room's name is 1 to 20"],
          ["Say", "at most 1024 characters "]
        ]
      )
    }).pipe(Effect.provide(rooms))
  )

  const broken: ReadonlyArray<readonly [why: string, messages: ReadonlyArray<WebSocket.Message>]> = [
    ["what is no JSON", ["hello"]],
    ["JSON that is no request", ['{"_tag":"Shout"}']],
    ["a binary message", [new Uint8Array(4)]],
    ["something else before Hello", ['{"_tag":"Say","text":"x"}']],
    ["a key that is too short", ['{"_tag":"Hello","room":"lobby","key":"x"}']],
    ["a second Hello", Array(2).fill(JSON.stringify({ _tag: "Hello", room: "lobby", key }))]
  ]
  for (const [why, messages] of broken) {
    it.effect(`${why} costs the page its own connection, and no other`, () =>
      Effect.gen(function* () {
        const other = yield* enter("bob")
        const page = yield* open()
        yield* Queue.offerAll(page.requests, messages)
        assert.strictEqual((yield* page.closed)[0], 1008)
        yield* page.ended
        yield* other.request({ _tag: "Say", text: "still here" })
        while ((yield* other.reply)._tag !== "Said");
      }).pipe(Effect.provide(rooms))
    )
  }

  it.effect("a page that says nothing is closed after ten seconds", () =>
    Effect.gen(function* () {
      const page = yield* open()
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* page.closed, [1008, "no Hello came"])
    }).pipe(Effect.provide(rooms))
  )

  const refusals: ReadonlyArray<readonly [why: string, hello: Partial<WebMessage.Hello>, reason: RegExp]> = [
    ["a name that is taken", { name: "Bob" }, /^somebody here has that name$/],
    ["a name that is none", { name: "a b" }, /^a name is 1 to 20 /],
    ["a room that is none", { room: "" }, /^a room's name is 1 to 20 /]
  ]
  for (const [why, hello, reason] of refusals) {
    it.effect(`${why} is refused in words`, () =>
      Effect.gen(function* () {
        yield* enter("bob")
        const page = yield* open()
        yield* page.request({ _tag: "Hello", room: "lobby", ...hello, key: "another key of another page" })
        const [code, text] = yield* page.closed
        assert.strictEqual(code, 4000)
        assert.match(text!, reason)
        assert.isAtMost(new TextEncoder().encode(text!).length, 123)
      }).pipe(Effect.provide(rooms))
    )
  }

  it.effect("a room that is full says so", () =>
    Effect.gen(function* () {
      for (const name of ["ann", "bob", "cy"]) yield* enter(name)
      const page = yield* open()
      yield* page.request({ _tag: "Hello", room: "lobby", key })
      assert.deepStrictEqual(yield* page.closed, [4000, "the room is full: 3 people are here"])
    }).pipe(Effect.provide(rooms))
  )

  it.effect("a page that takes nothing is dropped; the others waited for nothing", () =>
    Effect.gen(function* () {
      const slow = yield* enter("slow", { takes: "nothing" })
      const ann = yield* enter("ann")
      const texts = Array.from({ length: 12 }, (_, index) => `${index}`)
      for (const text of texts) yield* ann.request({ _tag: "Say", text })
      assert.deepStrictEqual(yield* slow.closed, [1013, "too slow"])
      const replies = yield* Effect.replicateEffect(ann.reply, 13)
      assert.deepStrictEqual(
        replies.flatMap((reply) => (reply._tag === "Said" ? [reply.text] : [])),
        texts
      )
      assert.deepInclude(replies, { _tag: "Left", name: "slow", reason: "too slow" })
    }).pipe(Effect.provide(rooms))
  )

  it.effect("a page that comes again takes the place of its lost connection", () =>
    Effect.gen(function* () {
      const lost = yield* enter("ann")
      yield* enter("ann")
      assert.deepStrictEqual(yield* lost.closed, [4001, "replaced"])
      yield* lost.ended
    }).pipe(Effect.provide(rooms))
  )

  it.effect("the end of the WebSocket, and its loss, leave", () =>
    Effect.gen(function* () {
      const service = yield* Rooms.Rooms
      const ends = [Cause.Done(), new WebSocketError({ reason: new ConnectionLost() })]
      for (const end of ends) {
        const page = yield* enter("ann")
        yield* Queue.failCause(page.requests, Cause.fail(end))
        yield* page.ended
        assert.deepStrictEqual(yield* service.people("lobby"), [])
      }
    }).pipe(Effect.provide(rooms))
  )

  it.effect("a survey comes when something has changed, and after fifteen seconds without", () =>
    Effect.gen(function* () {
      const page = yield* enter("ann")
      assert.deepStrictEqual(yield* page.survey, {
        _tag: "Overview",
        rooms: [{ name: "lobby", people: 1 }],
        doors: [{ door: "web", here: 1, received: 0, sent: 0 }]
      })
      yield* page.request({ _tag: "Say", text: "hello" })
      yield* page.reply
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* page.survey, { doors: [{ door: "web", here: 1, received: 1, sent: 1 }] })
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual(yield* Queue.size(page.replies), 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Queue.size(page.replies), 1)
    }).pipe(Effect.provide(rooms))
  )
})
