/**
 * The door for terminals: `nc 127.0.0.1 4000`. A line is something said, or a
 * command when it begins with `/`.
 */
import * as Lines from "@sluice/core/codec/Lines"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Framed } from "@sluice/core/session/Framed"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as RoomEvent from "./room-event.ts"
import * as Rooms from "./rooms.ts"

export const layer: Layer.Layer<never, never, Rooms.Rooms | TcpServer.TcpServer> = TcpServer.serve(
  (connection) =>
    Effect.gen(function* () {
      const rooms = yield* Rooms.Rooms
      const person = yield* rooms.join({ door: "tcp" })
      const lines = connection.framed(lineCodec)
      yield* welcome(lines, person)
      // Whichever ends first ends the others: the person leaves, cannot be reached, or is dropped.
      yield* Effect.raceAllFirst([listen(lines, rooms, person), deliver(lines, person), person.dropped])
    }).pipe(
      Effect.catchTags({
        RoomFull: (error) => connection.send(`* ${error.message}; try again later\n`),
        RoomRefused: (error) => connection.send(`* ${error.message}\n`),
        NameRefused: (error) => connection.send(`* ${error.message}\n`),
        TooSlow: () => Effect.void,
        Replaced: () => Effect.void
      })
    ),
  { farewell: (connection) => connection.send("* the server is going down: farewell\n") }
)

const lineCodec = Lines.make({ maxLineSize: "1 KiB", tooLong: "discard" })

const shownHistory = 10

const help = [
  "* /nick name  call yourself something else",
  "* /who        see who is here",
  "* /rooms      see which rooms there are",
  "* /join room  go to a room; a new name makes one",
  "* /quit       leave",
  "* /help       see this",
  "* anything else is said to everyone here"
]

/** Before anything else is said or asked. */
const welcome = Effect.fnUntraced(function* (lines: Framed<string>, person: Rooms.Person) {
  const first = yield* Queue.take(person.events)
  if (first._tag !== "Entered") return
  yield* lines.sendAll([`* welcome, ${first.name}: ${formatPeople(first)}; /help helps`, ...formatHistory(first)])
})

/** Hands on what the person says, until they leave. */
const listen = Effect.fnUntraced(function* (
  lines: Framed<string>,
  rooms: Rooms.Rooms["Service"],
  person: Rooms.Person
) {
  const next = Effect.catchReasons(lines.receive, "CodecError", {
    FrameTooLarge: () => Effect.as(lines.send("* that line was too long, and is lost: 1,024 bytes at most"), ""),
    InvalidUtf8: () => Effect.as(lines.send("* that line was not UTF-8, and is lost"), "")
  })
  while (true) {
    const line = yield* next
    if (line === "/quit") return yield* lines.send("* goodbye")
    if (line.startsWith("/")) yield* lines.sendAll(yield* obey(line, rooms, person))
    // A line of 1,024 bytes has no more characters than that: it can only be empty, and then nothing is said.
    else yield* Effect.ignore(person.say(line))
    // A thousand lines may come in one chunk: without this, nobody gets a turn to read before all are said.
    yield* Effect.yieldNow
  }
})

const obey = Effect.fnUntraced(function* (line: string, rooms: Rooms.Rooms["Service"], person: Rooms.Person) {
  const [command, ...words] = line.trim().split(/\s+/)
  const argument = words.join(" ")
  switch (command) {
    case "/nick":
      return yield* Effect.match(person.rename(argument), {
        onFailure: (error) => [`* ${error.message}`],
        onSuccess: () => [`* you are ${argument} now`]
      })
    case "/who":
      return [`* here: ${(yield* rooms.people(yield* person.room)).map((one) => one.name).join(", ")}`]
    case "/rooms":
      return [`* rooms: ${(yield* rooms.list).map((room) => `${room.name} (${room.people})`).join(", ")}`]
    case "/join":
      // Where the person is then comes as an event, after what was said before they went.
      return yield* Effect.match(person.move(argument.replace(/^#/, "")), {
        onFailure: (error) => [`* ${error.message}`],
        onSuccess: () => []
      })
    case "/help":
      return help
    default:
      return ["* no such command; /help lists them"]
  }
})

/** Shows what happens: all that waits, in one write. */
const deliver = Effect.fnUntraced(function* (lines: Framed<string>, person: Rooms.Person) {
  while (true) yield* lines.sendAll((yield* Queue.takeAll(person.events)).flatMap(format))
})

const format = (event: RoomEvent.Event): ReadonlyArray<string> => {
  switch (event._tag) {
    case "Entered":
      return [`* this is ${event.room}: ${formatPeople(event)}`, ...formatHistory(event)]
    case "Said":
      return [`${event.from}: ${event.text}`]
    case "Joined":
      return [`* ${event.name} joined`]
    case "Left":
      return [`* ${event.name} ${departures[event.reason]}`]
    case "Renamed":
      return [`* ${event.before} is ${event.name} now`]
  }
}

const formatPeople = ({ people }: RoomEvent.Entered): string =>
  people.length === 1 ? "you are alone here" : `${people.length} people are here`

const formatHistory = ({ history }: RoomEvent.Entered): ReadonlyArray<string> =>
  history.slice(-shownHistory).flatMap(format)

const departures = { left: "left", moved: "went to another room", "too slow": "was too slow, and is gone" }
