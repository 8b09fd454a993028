import { assert, describe, it } from "@effect/vitest"
import * as Room from "@sluice/examples/chat/room"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"

/** What has happened for a person since they were asked last, in short. */
const heard = (person: Room.Person) =>
  Effect.gen(function* () {
    const events: Array<string> = []
    while ((yield* Queue.size(person.events)) > 0) events.push(show(yield* Queue.take(person.events)))
    return events
  })

const show = (event: Room.Event): string => {
  switch (event._tag) {
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

describe("Room", () => {
  it.effect("people hear each other, and themselves only if they wish", () =>
    Effect.gen(function* () {
      const room = yield* Room.make()
      const ann = yield* room.join({ door: "tcp", name: "ann" })
      const bob = yield* room.join({ door: "web", name: "bob", hearsSelf: true })
      yield* ann.say("hello")
      yield* bob.say("hi")
      yield* room.publish("cron", "tick", "rest")
      assert.deepStrictEqual(yield* heard(ann), ["+bob@web", "bob@web: hi", "cron@rest: tick"])
      assert.deepStrictEqual(yield* heard(bob), ["+bob@web", "ann@tcp: hello", "bob@web: hi", "cron@rest: tick"])
      assert.deepStrictEqual(yield* room.people, [
        { name: "ann", door: "tcp" },
        { name: "bob", door: "web" }
      ])
    })
  )

  it.effect("who closes their scope leaves, and the name is free again", () =>
    Effect.gen(function* () {
      const room = yield* Room.make()
      const ann = yield* room.join({ door: "tcp", name: "ann" })
      const scope = yield* Scope.make()
      yield* Scope.provide(room.join({ door: "tcp", name: "bob" }), scope)
      yield* Scope.close(scope, Exit.interrupt())
      assert.deepStrictEqual(yield* heard(ann), ["+bob@tcp", "-bob (left)"])
      yield* room.join({ door: "tcp", name: "bob" })
    })
  )

  it.effect("guests get names that nobody has", () =>
    Effect.gen(function* () {
      const room = yield* Room.make()
      yield* room.join({ door: "tcp", name: "guest-1" })
      const guest = yield* room.join({ door: "tcp" })
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
        const room = yield* Room.make()
        yield* room.join({ door: "tcp", name: "ann" })
        const person = yield* room.join({ door: "tcp", name: "somebody" })
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
      const room = yield* Room.make()
      const ann = yield* room.join({ door: "tcp", name: "ann" })
      const bob = yield* room.join({ door: "tcp", name: "bob" })
      yield* ann.rename("Ann")
      yield* ann.rename("Ann")
      assert.deepStrictEqual(yield* heard(bob), ["ann>Ann"])
      assert.deepStrictEqual(yield* heard(ann), ["+bob@tcp"])
    })
  )

  it.effect("nobody speaks from outside in the name of somebody who is there", () =>
    Effect.gen(function* () {
      const room = yield* Room.make()
      yield* room.join({ door: "tcp", name: "ann" })
      assert.strictEqual((yield* Effect.flip(room.publish("ANN", "x", "rest"))).reason, "taken")
      assert.deepStrictEqual(yield* room.history, [])
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
        const room = yield* Room.make()
        const ann = yield* room.join({ door: "tcp", name: "ann" })
        yield* ann.say(text)
        assert.deepStrictEqual(
          (yield* room.history).map((said) => said.text),
          shown === undefined ? [] : [shown]
        )
      })
    )
  }

  it.effect("history has a bound", () =>
    Effect.gen(function* () {
      const room = yield* Room.make({ maxHistory: 2 })
      const ann = yield* room.join({ door: "tcp", name: "ann" })
      for (const text of ["1", "2", "3"]) yield* ann.say(text)
      assert.deepStrictEqual(
        (yield* room.history).map((said) => said.text),
        ["2", "3"]
      )
    })
  )

  it.effect("the room has a bound", () =>
    Effect.gen(function* () {
      const room = yield* Room.make({ maxPeople: 1 })
      yield* room.join({ door: "tcp" })
      const error = yield* Effect.flip(room.join({ door: "tcp" }))
      assert.strictEqual(error._tag, "RoomFull")
      assert.strictEqual((yield* room.people).length, 1)
    })
  )

  it.effect("who lets their queue fill up is dropped, once, and told of; others miss nothing", () =>
    Effect.gen(function* () {
      const room = yield* Room.make({ maxWaiting: 3 })
      const ann = yield* room.join({ door: "tcp", name: "ann" })
      const scope = yield* Scope.make()
      const slow = yield* Scope.provide(room.join({ door: "tcp", name: "slow" }), scope)
      const bob = yield* room.join({ door: "tcp", name: "bob" })
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
        (yield* room.people).map((one) => one.name),
        ["ann", "bob"]
      )
    })
  )
})
