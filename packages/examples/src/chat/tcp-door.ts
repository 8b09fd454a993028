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
import * as Room from "./room.ts"

export const layer: Layer.Layer<never, never, Room.Room | TcpServer.TcpServer> = TcpServer.serve(
  (connection) =>
    Effect.gen(function* () {
      const room = yield* Room.Room
      const person = yield* room.join({ door: "tcp" })
      const lines = connection.framed(lineCodec)
      yield* welcome(lines, room, person)
      // Whichever ends first ends the others: the person leaves, cannot be reached, or is dropped.
      yield* Effect.raceAllFirst([listen(lines, room, person), deliver(lines, person), person.dropped])
    }).pipe(
      Effect.catchTags({
        RoomFull: (error) => connection.send(`* ${error.message}; try again later\n`),
        NameRefused: (error) => connection.send(`* ${error.message}\n`),
        TooSlow: () => Effect.void
      })
    ),
  { farewell: (connection) => connection.send("* the server is going down: farewell\n") }
)

const lineCodec = Lines.make({ maxLineSize: "1 KiB", tooLong: "discard" })

const shownHistory = 10

const help = [
  "* /nick name  call yourself something else",
  "* /who        see who is here",
  "* /quit       leave",
  "* /help       see this",
  "* anything else is said to everyone"
]

const welcome = Effect.fnUntraced(function* (lines: Framed<string>, room: Room.Room["Service"], person: Room.Person) {
  const history = yield* room.history
  const { length } = yield* room.people
  yield* lines.sendAll([
    `* welcome, ${yield* person.name}: ${length === 1 ? "you are alone here" : `${length} people are here`}; /help helps`,
    ...history.slice(-shownHistory).map(format)
  ])
})

/** Hands on what the person says, until they leave. */
const listen = Effect.fnUntraced(function* (lines: Framed<string>, room: Room.Room["Service"], person: Room.Person) {
  const next = Effect.catchReasons(lines.receive, "CodecError", {
    FrameTooLarge: () => Effect.as(lines.send("* that line was too long, and is lost: 1,024 bytes at most"), ""),
    InvalidUtf8: () => Effect.as(lines.send("* that line was not UTF-8, and is lost"), "")
  })
  while (true) {
    const line = yield* next
    if (line === "/quit") return yield* lines.send("* goodbye")
    if (line.startsWith("/")) yield* lines.sendAll(yield* obey(line, room, person))
    else yield* person.say(line)
    // A thousand lines may come in one chunk: without this, nobody gets a turn to read before all are said.
    yield* Effect.yieldNow
  }
})

const obey = Effect.fnUntraced(function* (line: string, room: Room.Room["Service"], person: Room.Person) {
  const [command, ...words] = line.trim().split(/\s+/)
  switch (command) {
    case "/nick":
      return yield* Effect.match(person.rename(words.join(" ")), {
        onFailure: (error) => [`* ${error.message}`],
        onSuccess: () => [`* you are ${words.join(" ")} now`]
      })
    case "/who":
      return [`* here: ${(yield* room.people).map((one) => one.name).join(", ")}`]
    case "/help":
      return help
    default:
      return ["* no such command; /help lists them"]
  }
})

/** Shows what happens: all that waits, in one write. */
const deliver = Effect.fnUntraced(function* (lines: Framed<string>, person: Room.Person) {
  while (true) yield* lines.sendAll((yield* Queue.takeAll(person.events)).map(format))
})

const format = (event: Room.Event): string => {
  switch (event._tag) {
    case "Said":
      return `${event.from}: ${event.text}`
    case "Joined":
      return `* ${event.name} joined`
    case "Left":
      return event.reason === "left" ? `* ${event.name} left` : `* ${event.name} was too slow, and is gone`
    case "Renamed":
      return `* ${event.before} is ${event.name} now`
  }
}
