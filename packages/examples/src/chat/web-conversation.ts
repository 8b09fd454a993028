/**
 * One page in a room: what the browser's WebSocket says is done, and what
 * happens is shown to it. A mistake costs the page its own connection.
 */
import type { WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Rooms from "./rooms.ts"
import * as WebMessage from "./web-message.ts"

/** Comes in, talks, and closes the WebSocket with a code that the page understands. */
export const converse = (socket: WebSocket): Effect.Effect<void, never, Rooms.Rooms | Scope.Scope> =>
  Effect.gen(function* () {
    const rooms = yield* Rooms.Rooms
    const hello = yield* greeting(socket)
    const person = yield* rooms.join({ ...hello, door: "web", hearsSelf: true })
    // Whichever ends first ends the others: the page is closed, cannot be reached, or is dropped.
    yield* Effect.raceAllFirst([listen(socket, person), deliver(socket, person), survey(socket, rooms), person.dropped])
  }).pipe(
    Effect.catchTags({
      Broken: (error) => socket.close(codes.broken, error.message),
      RoomFull: (error) => socket.close(codes.refused, error.message),
      RoomRefused: (error) => socket.close(codes.refused, error.message),
      NameRefused: (error) => socket.close(codes.refused, error.message),
      TooSlow: () => socket.close(codes.tooSlow, "too slow"),
      Replaced: () => socket.close(codes.replaced, "replaced"),
      // The page is gone, or was told why by the WebSocket itself.
      WebSocketError: () => Effect.void
    }),
    // The page has closed, or the server drains.
    Pull.catchDone(() => Effect.void)
  )

const codes = WebMessage.closeCodes

/** A page says `Hello` at once: people type their name before it connects. */
const helloTimeout = "10 seconds"

const surveyInterval = "1 second"

/** Surveys without news before one is sent all the same: by its absence the page finds that the server is gone. */
const quietSurveys = 15

/** The page did not keep to the protocol. */
class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

type Receiving<A> = Effect.Effect<A, Broken | WebSocketError | Cause.Done>

const receive = (socket: WebSocket): Receiving<WebMessage.Request> =>
  Effect.flatMap(socket.receive, (message) =>
    Effect.mapError(decode(message), () => new Broken({ message: "this is no request" }))
  )

const greeting = (socket: WebSocket): Receiving<WebMessage.Hello> =>
  receive(socket).pipe(
    Effect.timeoutOrElse({
      duration: helloTimeout,
      orElse: () => Effect.fail(new Broken({ message: "no Hello came" }))
    }),
    Effect.filterOrFail(
      (request) => request._tag === "Hello",
      () => new Broken({ message: "the first request is Hello" })
    )
  )

/** Does what the page asks for, until it closes. */
const listen = Effect.fnUntraced(function* (socket: WebSocket, person: Rooms.Person) {
  while (true) {
    const request = yield* receive(socket)
    if (request._tag === "Hello") return yield* new Broken({ message: "Hello comes once" })
    yield* Effect.catch(obey(person, request), ({ message }) =>
      send(socket, { _tag: "Refused", request: request._tag, message })
    )
    // A thousand messages may come in one chunk: without this, nobody gets a turn to read before all are said.
    yield* Effect.yieldNow
  }
})

const obey = (
  person: Rooms.Person,
  request: Exclude<WebMessage.Request, WebMessage.Hello>
): Effect.Effect<void, Rooms.TextRefused | Rooms.NameRefused | Rooms.RoomFull | Rooms.RoomRefused> => {
  switch (request._tag) {
    case "Say":
      return person.say(request.text)
    case "Rename":
      return person.rename(request.name)
    case "Move":
      return person.move(request.room)
  }
}

/** Shows what happens. A slow page holds only this fiber; the room drops it when too much waits. */
const deliver = Effect.fnUntraced(function* (socket: WebSocket, person: Rooms.Person) {
  while (true) for (const event of yield* Queue.takeAll(person.events)) yield* send(socket, event)
})

/** Shows what is true of the whole chat. A slow page gets fewer of these, and the newest. */
const survey = Effect.fnUntraced(function* (socket: WebSocket, rooms: Rooms.Rooms["Service"]) {
  let shown = ""
  let quiet = 0
  while (true) {
    const overview = encode({ _tag: "Overview", rooms: yield* rooms.list, doors: yield* rooms.doors })
    quiet++
    if (overview !== shown || quiet >= quietSurveys) {
      yield* socket.send(overview)
      shown = overview
      quiet = 0
    }
    yield* Effect.sleep(surveyInterval)
  }
})

const send = (socket: WebSocket, reply: WebMessage.Reply) => Effect.suspend(() => socket.send(prepare(reply)))

/** A room gives all its people the same event: it is encoded once for all of them. */
const prepare = (reply: WebMessage.Reply): WebSocketPrepared.PreparedMessage => {
  const message = prepared.get(reply) ?? WebSocketPrepared.make(encode(reply))
  prepared.set(reply, message)
  return message
}
const prepared = new WeakMap<WebMessage.Reply, WebSocketPrepared.PreparedMessage>()

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(WebMessage.Request))
const encode = Schema.encodeSync(Schema.fromJsonString(WebMessage.Reply))
