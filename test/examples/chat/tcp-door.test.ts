import { assert, describe, it } from "@effect/vitest"
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Rooms from "@sluice/examples/chat/rooms"
import * as TcpDoor from "@sluice/examples/chat/tcp-door"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Started from "../support/Started.ts"

const chat = (options?: Rooms.Options) =>
  TcpDoor.layer.pipe(Layer.provide(TcpServer.layer()), Layer.provide(Rooms.layer(options)))

/** Comes in, takes a name, and has read all that the room says to that. */
const enter = Effect.fnUntraced(function* (server: Started.Started, name: string) {
  const person = yield* Started.talk(server.address)
  while (!(yield* person.line).startsWith("* welcome"));
  yield* person.say(`/nick ${name}\n`)
  assert.strictEqual(yield* person.line, `* you are ${name} now`)
  return person
})

/** Ann and Bob, and Ann knows that Bob came. */
const annAndBob = Effect.fnUntraced(function* (options?: Rooms.Options) {
  const server = yield* Started.inMemory(chat(options))
  const ann = yield* enter(server, "ann")
  const bob = yield* enter(server, "bob")
  assert.deepStrictEqual(yield* ann.lines(2), ["* guest-2 joined", "* guest-2 is bob now"])
  return { server, ann, bob }
})

describe("the TCP door", () => {
  it.effect("two people talk", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      yield* ann.say("hello\nhow are you?\n")
      assert.deepStrictEqual(yield* bob.lines(2), ["ann: hello", "ann: how are you?"])
      yield* bob.say("fine\r\n")
      assert.strictEqual(yield* ann.line, "bob: fine")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("commands", () =>
    Effect.gen(function* () {
      const { ann } = yield* annAndBob()
      yield* ann.say("/who\n/help\n/nick bob\n/nick *\n/dance\n")
      assert.strictEqual(yield* ann.line, "* here: ann, bob")
      assert.match((yield* ann.lines(7)).join("\n"), /^\* \/nick [\s\S]*\* anything else is said to everyone here$/)
      assert.strictEqual(yield* ann.line, "* somebody here has that name")
      assert.match(yield* ann.line, /^\* a name is 1 to 20 /)
      assert.strictEqual(yield* ann.line, "* no such command; /help lists them")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("who comes later sees what was said last", () =>
    Effect.gen(function* () {
      const { server, ann, bob } = yield* annAndBob()
      yield* ann.say(Array.from({ length: 12 }, (_, index) => `${index}\n`).join(""))
      yield* bob.lines(12)
      const late = yield* Started.talk(server.address)
      assert.deepStrictEqual(yield* late.lines(11), [
        "* welcome, guest-3: 3 people are here; /help helps",
        ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((index) => `ann: ${index}`)
      ])
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("/join goes to another room, and back; each room hears only its own", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      yield* bob.say("/join #games\n")
      assert.strictEqual(yield* bob.line, "* this is games: you are alone here")
      assert.strictEqual(yield* ann.line, "* bob went to another room")
      yield* ann.say("hello?\n/rooms\n/who\n")
      assert.deepStrictEqual(yield* ann.lines(2), ["* rooms: lobby (1), games (1)", "* here: ann"])
      yield* bob.say("nobody hears this\n/who\n/join lobby\n")
      assert.deepStrictEqual(yield* bob.lines(3), ["* here: bob", "* this is lobby: 2 people are here", "ann: hello?"])
      assert.strictEqual(yield* ann.line, "* bob joined")
      yield* ann.say("/join games\n")
      assert.deepStrictEqual(yield* ann.lines(2), ["* this is games: you are alone here", "bob: nobody hears this"])
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a room that is none, or full, is told, and one stays where one is", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob({ maxPeople: 2, maxRooms: 2 })
      yield* ann.say("/join a b\n/join other\n")
      assert.match(yield* ann.line, /^\* a room's name is 1 to 20 /)
      assert.strictEqual(yield* ann.line, "* this is other: you are alone here")
      assert.strictEqual(yield* bob.line, "* ann went to another room")
      yield* bob.say("/join third\n/who\n")
      assert.deepStrictEqual(yield* bob.lines(2), ["* there are too many rooms", "* here: bob"])
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("/quit says goodbye, and is told", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      yield* bob.say("/quit\n")
      assert.strictEqual(yield* bob.line, "* goodbye")
      assert.strictEqual((yield* Effect.flip(bob.line))._tag, "Done")
      assert.strictEqual(yield* ann.line, "* bob left")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("so is the end of the stream, and the loss of a connection", () =>
    Effect.gen(function* () {
      const { server, ann, bob } = yield* annAndBob()
      yield* bob.connection.end
      assert.strictEqual(yield* ann.line, "* bob left")
      const dialer = yield* Dialer.Dialer
      const transport = yield* dialer.dial(server.address)
      assert.strictEqual(yield* ann.line, "* guest-3 joined")
      transport.destroy()
      assert.strictEqual(yield* ann.line, "* guest-3 left")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a megabyte line is told once, and nothing of it is said; the next line is", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      yield* Effect.forkScoped(bob.say(`${"x".repeat(1_000_000)}\nhello\n`))
      assert.match(yield* bob.line, /^\* that line was too long/)
      assert.strictEqual(yield* ann.line, "bob: hello")
      yield* bob.connection.send(Uint8Array.of(0xff, 0x0a))
      assert.match(yield* bob.line, /^\* that line was not UTF-8/)
      yield* bob.say("still here\n")
      assert.strictEqual(yield* ann.line, "bob: still here")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("the longest line is said whole, with the longest name", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      const name = "n".repeat(20)
      const text = "x".repeat(1024)
      yield* bob.say(`/nick ${name}\n${text}\n`)
      assert.deepStrictEqual(yield* ann.lines(2), [`* bob is ${name} now`, `${name}: ${text}`])
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("escape sequences do not reach a terminal", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      yield* bob.say("\u001b]0;owned\u0007\u001b[2J\r\n")
      assert.strictEqual(yield* ann.line, "bob: ]0;owned[2J")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a full room says so", () =>
    Effect.gen(function* () {
      const { server } = yield* annAndBob({ maxPeople: 2 })
      const late = yield* Started.talk(server.address)
      assert.strictEqual(yield* late.line, "* the room is full: 2 people are here; try again later")
      assert.strictEqual((yield* Effect.flip(late.line))._tag, "Done")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a thousand lines in one write reach everyone who reads", () =>
    Effect.gen(function* () {
      const { ann, bob } = yield* annAndBob()
      const texts = Array.from({ length: 1000 }, (_, index) => `line ${index}`)
      yield* Effect.forkScoped(ann.say(`${texts.join("\n")}\n`))
      assert.deepStrictEqual(
        yield* bob.lines(1000),
        texts.map((text) => `ann: ${text}`)
      )
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("a reader who stops reading is dropped, and nobody waited for it", () =>
    Effect.gen(function* () {
      const { server, ann, bob } = yield* annAndBob({ maxWaiting: 16 })
      const dialer = yield* Dialer.Dialer
      // A transport is paused until it is resumed: this peer never reads.
      const slow = yield* dialer.dial(server.address)
      assert.strictEqual(yield* ann.line, "* guest-3 joined")
      assert.strictEqual(yield* bob.line, "* guest-3 joined")
      const text = "x".repeat(1000)
      let heard = `ann: ${text}`
      for (let index = 0; heard === `ann: ${text}`; index++) {
        assert.isBelow(index, 1000)
        yield* ann.say(`${text}\n`)
        heard = yield* bob.line
      }
      assert.strictEqual(heard, "* guest-3 was too slow, and is gone")
      yield* ann.say("/who\n")
      assert.strictEqual(yield* ann.line, "* guest-3 was too slow, and is gone")
      assert.strictEqual(yield* ann.line, "* here: ann, bob")
      // Its connection is not waited for longer than a connection may take to close.
      const { openCount } = yield* MemoryNetwork.MemoryNetwork
      assert.strictEqual(openCount(), 6)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(openCount(), 4)
      assert.strictEqual(slow.state, "closed")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("people are told farewell when the server drains, and nothing else", () =>
    Effect.gen(function* () {
      const { server, ann, bob } = yield* annAndBob()
      const closing = yield* Effect.forkScoped(server.close)
      for (const person of [ann, bob]) {
        assert.strictEqual(yield* person.line, "* the server is going down: farewell")
        assert.strictEqual((yield* Effect.flip(person.line))._tag, "Done")
        yield* person.connection.end
      }
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(Started.memory))
  )
})
