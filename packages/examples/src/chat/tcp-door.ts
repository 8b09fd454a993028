/**
 * The door for terminals: `nc 127.0.0.1 4000`. A line is something said, or a
 * command when it begins with `/`.
 */
import * as Lines from "@sluice/core/codec/Lines"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Room from "./room.ts"

export const layer: Layer.Layer<never, never, Room.Room | TcpServer.TcpServer> = TcpServer.serve(
  (connection) =>
    Effect.gen(function* () {
      const room = yield* Room.Room
      const person = yield* room.join({ door: "tcp" })
      yield* welcome(connection, room, person)
      // Whichever ends first ends the others: the person leaves, cannot be reached, or is dropped.
      yield* Effect.raceAllFirst([listen(connection, room, person), deliver(connection, person), person.dropped])
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

const welcome = Effect.fnUntraced(function* (connection: Connection, room: Room.Room["Service"], person: Room.Person) {
  const history = yield* room.history
  const { length } = yield* room.people
  yield* sendLines(connection, [
    `* welcome, ${yield* person.name}: ${length === 1 ? "you are alone here" : `${length} people are here`}; /help helps`,
    ...history.slice(-shownHistory).map(format)
  ])
})

/** Hands on what the person says, until they leave. */
const listen = Effect.fnUntraced(function* (connection: Connection, room: Room.Room["Service"], person: Room.Person) {
  const lines = connection.framed(lineCodec)
  const next = Effect.catchReasons(lines.receive, "CodecError", {
    FrameTooLarge: () => Effect.as(connection.send("* that line was too long, and is lost: 1,024 bytes at most\n"), ""),
    InvalidUtf8: () => Effect.as(connection.send("* that line was not UTF-8, and is lost\n"), "")
  })
  while (true) {
    const line = yield* next
    if (line === "/quit") return yield* connection.send("* goodbye\n")
    if (line.startsWith("/")) yield* sendLines(connection, yield* obey(line, room, person))
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
const deliver = Effect.fnUntraced(function* (connection: Connection, person: Room.Person) {
  while (true) yield* sendLines(connection, (yield* Queue.takeAll(person.events)).map(format))
})

/** Not through the codec: its maximum holds both ways, and a line with a name in front may be longer. */
const sendLines = (connection: Connection, lines: ReadonlyArray<string>) =>
  connection.sendAll(lines.map((line) => `${line}\n`))

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
