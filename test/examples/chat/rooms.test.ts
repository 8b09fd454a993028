import { assert, describe, it } from "@effect/vitest"
import type * as RoomEvent from "@sluice/examples/chat/room-event"
import * as Rooms from "@sluice/examples/chat/rooms"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"

type Service = Rooms.Rooms["Service"]

/** Comes in, and has seen how it is there. */
const enter = (rooms: Service, options: Rooms.JoinOptions) =>
  Effect.tap(rooms.join(options), (person) => Queue.take(person.events))

/** What has happened for a person since they were asked last, in short. */
const heard = (person: Rooms.Person) =>
  Effect.gen(function* () {
    const events: Array<string> = []
    while ((yield* Queue.size(person.events)) > 0) events.push(show(yield* Queue.take(person.events)))
    return events
  })

const show = (event: RoomEvent.Event): string => {
  switch (event._tag) {
    case "Entered":
      return `#${event.room}: ${event.people.map((one) => one.name)} (${event.history.map((said) => said.text)})`
    case "Said":
      return `${event.from}@${event.door}: ${event.text}`
    case "Joined":
      return `+${event.name}@${event.door}`
    case "Left":
      return `-${event.name} (${event.reason})`
    case "Renamed":
      return `${event.before}>${event.name}`
  }
}

describe("Rooms", () => {
  it.effect("people hear each other, and themselves only if they wish", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const bob = yield* enter(rooms, { door: "web", name: "bob", hearsSelf: true })
      yield* ann.say("hello")
      yield* bob.say("hi")
      yield* rooms.publish({ from: "cron", text: "tick", door: "rest" })
      assert.deepStrictEqual(yield* heard(ann), ["+bob@web", "bob@web: hi", "cron@rest: tick"])
      assert.deepStrictEqual(yield* heard(bob), ["+bob@web", "ann@tcp: hello", "bob@web: hi", "cron@rest: tick"])
      assert.deepStrictEqual(yield* rooms.people("lobby"), [
        { name: "ann", door: "tcp" },
        { name: "bob", door: "web" }
      ])
    })
  )

  it.effect("who closes their scope leaves, and the name is free again", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const scope = yield* Scope.make()
      yield* Scope.provide(enter(rooms, { door: "tcp", name: "bob" }), scope)
      yield* Scope.close(scope, Exit.interrupt())
      assert.deepStrictEqual(yield* heard(ann), ["+bob@tcp", "-bob (left)"])
      yield* enter(rooms, { door: "tcp", name: "bob" })
    })
  )

  it.effect("guests get names that nobody has", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      yield* enter(rooms, { door: "tcp", name: "guest-1" })
      const guest = yield* enter(rooms, { door: "tcp" })
      assert.strictEqual(yield* guest.name, "guest-2")
    })
  )

  const names: ReadonlyArray<readonly [name: string, expected: string]> = [
    ["bob", "bob"],
    ["J\u00fcrgen_2", "J\u00fcrgen_2"],
    ["Ju\u0308rgen", "J\u00fcrgen"],
    ["x".repeat(20), "x".repeat(20)],
    ["x".repeat(21), "invalid"],
    ["", "invalid"],
    ["a b", "invalid"],
    ["*", "invalid"],
    ["-a", "invalid"],
    ["a\u001b[31m", "invalid"],
    ["a\u202eb", "invalid"],
    ["Ann", "taken"],
    ["\uff41\uff4e\uff4e", "taken"]
  ]
  for (const [name, expected] of names) {
    it.effect(`the name ${JSON.stringify(name)} is ${expected}`, () =>
      Effect.gen(function* () {
        const rooms = yield* Rooms.make()
        yield* enter(rooms, { door: "tcp", name: "ann" })
        const person = yield* enter(rooms, { door: "tcp", name: "somebody" })
        const outcome = yield* Effect.match(person.rename(name), {
          onFailure: (error) => Effect.succeed(error.reason as string),
          onSuccess: () => person.name
        })
        assert.strictEqual(yield* outcome, expected)
      })
    )
  }

  it.effect("one's own name may be written in another way, and is told when it changes", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const bob = yield* enter(rooms, { door: "tcp", name: "bob" })
      yield* ann.rename("Ann")
      yield* ann.rename("Ann")
      assert.deepStrictEqual(yield* heard(bob), ["ann>Ann"])
      assert.deepStrictEqual(yield* heard(ann), ["+bob@tcp"])
    })
  )

  it.effect("nobody speaks from outside in the name of somebody who is there", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      yield* enter(rooms, { door: "tcp", name: "ann" })
      assert.strictEqual((yield* Effect.flip(rooms.publish({ from: "ANN", text: "x", door: "rest" }))).reason, "taken")
      assert.deepStrictEqual(yield* rooms.history("lobby"), [])
    })
  )

  const texts: ReadonlyArray<readonly [text: string, shown: string | undefined]> = [
    ["hello", "hello"],
    ["  a\tb ", "a b"],
    ["\u001b[31mred\u001b[0m", "[31mred[0m"],
    ["bell\u0007 back\b nul\u0000 del\u007f csi\u009b", "bell back nul del csi"],
    ["a\rb", "ab"],
    ["\u202eevil\u2066\u200f", "evil"],
    ["\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67", "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67"],
    ["", undefined],
    [" \u0007 ", undefined]
  ]
  for (const [text, shown] of texts) {
    it.effect(`the text ${JSON.stringify(text)} is shown as ${JSON.stringify(shown)}`, () =>
      Effect.gen(function* () {
        const rooms = yield* Rooms.make()
        const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
        yield* Effect.ignore(ann.say(text))
        assert.deepStrictEqual(
          (yield* rooms.history("lobby")).map((said) => said.text),
          shown === undefined ? [] : [shown]
        )
      })
    )
  }

  it.effect("history has a bound", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make({ maxHistory: 2 })
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      for (const text of ["1", "2", "3"]) yield* ann.say(text)
      assert.deepStrictEqual(
        (yield* rooms.history("lobby")).map((said) => said.text),
        ["2", "3"]
      )
    })
  )

  it.effect("the room has a bound", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make({ maxPeople: 1 })
      yield* enter(rooms, { door: "tcp" })
      const error = yield* Effect.flip(enter(rooms, { door: "tcp" }))
      assert.strictEqual(error._tag, "RoomFull")
      assert.strictEqual((yield* rooms.people("lobby")).length, 1)
    })
  )

  it.effect("who lets their queue fill up is dropped, once, and told of; others miss nothing", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make({ maxWaiting: 3 })
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const scope = yield* Scope.make()
      const slow = yield* Scope.provide(enter(rooms, { door: "tcp", name: "slow" }), scope)
      const bob = yield* enter(rooms, { door: "tcp", name: "bob" })
      yield* heard(ann)
      yield* ann.say("1")
      yield* ann.say("2")
      assert.deepStrictEqual(yield* heard(bob), ["ann@tcp: 1", "ann@tcp: 2"])
      yield* ann.say("3")
      assert.strictEqual((yield* Effect.flip(slow.dropped))._tag, "TooSlow")
      assert.deepStrictEqual(yield* heard(bob), ["ann@tcp: 3", "-slow (too slow)"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* heard(bob), [])
      assert.deepStrictEqual(
        (yield* rooms.people("lobby")).map((one) => one.name),
        ["ann", "bob"]
      )
    })
  )

  it.effect("who comes in is shown how it is there, and then what happens", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* rooms.join({ door: "tcp", name: "ann" })
      yield* ann.say("hello")
      const bob = yield* rooms.join({ door: "web", name: "bob", hearsSelf: true })
      assert.deepStrictEqual(yield* heard(ann), ["#lobby: ann ()", "+bob@web"])
      assert.deepStrictEqual(yield* heard(bob), ["#lobby: ann,bob (hello)", "+bob@web"])
    })
  )

  it.effect("each room hears its own; what was said before the move comes before it", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const bob = yield* enter(rooms, { door: "tcp", name: "bob" })
      yield* ann.say("come along")
      yield* bob.move("Games")
      yield* ann.say("nobody hears this")
      yield* ann.move("games")
      yield* bob.say("here")
      assert.deepStrictEqual(yield* heard(bob), ["ann@tcp: come along", "#Games: bob ()", "+ann@tcp"])
      assert.deepStrictEqual(yield* heard(ann), ["+bob@tcp", "-bob (moved)", "#Games: bob,ann ()", "bob@tcp: here"])
      assert.strictEqual(yield* ann.room, "Games")
      assert.deepStrictEqual(yield* rooms.people("lobby"), [])
      assert.deepStrictEqual(
        (yield* rooms.history("GAMES")).map((said) => said.text),
        ["here"]
      )
    })
  )

  it.effect("a room is kept for what was said in it, until its place is needed", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make({ maxRooms: 3 })
      const ann = yield* enter(rooms, { door: "tcp", name: "ann", room: "silent" })
      yield* ann.move("one")
      assert.deepStrictEqual(
        (yield* rooms.list).map((room) => room.name),
        ["lobby", "one"]
      )
      yield* ann.say("1")
      yield* ann.move("two")
      yield* ann.say("2")
      assert.deepStrictEqual(yield* rooms.list, [
        { name: "lobby", people: 0 },
        { name: "one", people: 0 },
        { name: "two", people: 1 }
      ])
      yield* enter(rooms, { door: "tcp", name: "bob", room: "three" })
      assert.deepStrictEqual(
        (yield* rooms.list).map((room) => room.name),
        ["lobby", "two", "three"]
      )
      const error = yield* Effect.flip(enter(rooms, { door: "tcp", room: "four" }))
      assert.deepStrictEqual([error._tag, error.message], ["RoomRefused", "there are too many rooms"])
      assert.strictEqual((yield* Effect.flip(ann.move("*"))).message.slice(0, 19), "a room's name is 1 ")
    })
  )

  it.effect("who comes again with the same key takes the place of the connection that was lost", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const bob = yield* enter(rooms, { door: "tcp", name: "bob" })
      const lost = yield* enter(rooms, { door: "web", name: "ann", key: "secret" })
      const stranger = yield* Effect.flip(rooms.join({ door: "web", name: "ann", key: "guess" }))
      assert.strictEqual(stranger.message, "somebody here has that name")
      yield* enter(rooms, { door: "web", name: "Ann", key: "secret" })
      assert.strictEqual((yield* Effect.flip(lost.dropped))._tag, "Replaced")
      assert.deepStrictEqual(yield* heard(bob), ["+ann@web", "-ann (left)", "+Ann@web"])
      yield* Effect.flip(rooms.join({ door: "tcp", name: "bob" }))
    })
  )

  it.effect("a text has a bound", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      yield* ann.say("x".repeat(Rooms.maxTextChars))
      assert.strictEqual((yield* Effect.flip(ann.say("x".repeat(Rooms.maxTextChars + 1)))).reason, "too long")
      assert.strictEqual((yield* rooms.history("lobby")).length, 1)
    })
  )

  it.effect("doors are counted", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const ann = yield* enter(rooms, { door: "tcp", name: "ann" })
      const scope = yield* Scope.make()
      yield* Scope.provide(enter(rooms, { door: "web", name: "bob", hearsSelf: true }), scope)
      yield* enter(rooms, { door: "web", name: "cy" })
      yield* ann.say("hello")
      yield* rooms.publish({ from: "cron", text: "tick", door: "rest" })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* rooms.doors, [
        { door: "tcp", here: 1, received: 1, sent: 1 },
        { door: "web", here: 1, received: 0, sent: 4 },
        { door: "rest", here: 0, received: 1, sent: 0 }
      ])
    })
  )

  it.effect("nothing is published where nobody can go", () =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.make()
      const error = yield* Effect.flip(rooms.publish({ from: "cron", text: "tick", door: "rest", room: "nowhere" }))
      assert.strictEqual(error.message, "there is no such room")
    })
  )
})
