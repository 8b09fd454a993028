/**
 * The door for programs: `chat.ChatRoom/Join`, a stream of what a person says
 * and does, and a stream of what happens in their room. On the port of the
 * page, which tells calls by their content type.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import { Draining } from "@sluice/core/server/Draining"
import type { WebServer } from "@sluice/core/server/WebServer"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { ChatRoom, type JoinRequest, Left_Reason, type RoomEventSchema } from "../generated/chat_pb.ts"
import type * as RoomEvent from "./room-event.ts"
import * as Rooms from "./rooms.ts"

/** Small: a request is a line that somebody says. */
const maxReceiveMessageSize = "8 KiB"

/** A program says `hello` at once. */
const helloTimeout = "10 seconds"

type Requests = Stream.Stream<JoinRequest, GrpcError.GrpcError>

const services = GrpcServer.layer(ChatRoom, { join: (requests) => Stream.unwrap(enter(requests)) })

export const layer: Layer.Layer<never, never, Rooms.Rooms | WebServer> = GrpcServer.mount(services, {
  maxReceiveMessageSize
})

/** Comes in, until the requests end, and gives the events as replies. */
const enter = (requests: Requests): Effect.Effect<Replies, GrpcError.GrpcError, Rooms.Rooms | Scope.Scope> =>
  Effect.gen(function* () {
    const rooms = yield* Rooms.Rooms
    const { begun } = yield* Draining
    const [first, rest] = yield* Stream.peel(requests, Sink.head<JoinRequest>()).pipe(
      Effect.timeoutOrElse({ duration: helloTimeout, orElse: () => GrpcError.invalidArgument("no hello came") })
    )
    const hello = Option.getOrUndefined(first)?.request
    if (hello?.case !== "hello") return yield* GrpcError.invalidArgument("the first request is hello")
    const { name, room } = hello.value
    const person = yield* rooms.join({
      door: "grpc",
      hearsSelf: true,
      ...(name === "" ? {} : { name }),
      ...(room === "" ? {} : { room })
    })
    const events = Stream.map(Stream.fromQueue(person.events), replyOf)
    return Stream.merge(events, obeyed(person, rest), { haltStrategy: "right" }).pipe(
      Stream.interruptWhen(person.dropped),
      Stream.interruptWhen(Effect.flatMap(begun, () => GrpcError.unavailable("the server is going down"))),
      Stream.catchTags({
        TooSlow: () => Stream.fail(GrpcError.resourceExhausted("too slow")),
        Replaced: () => Stream.fail(GrpcError.aborted("the person came in again by another connection"))
      })
    )
  }).pipe(
    Effect.catchTags({
      RoomFull: ({ message }) => GrpcError.resourceExhausted(message),
      RoomRefused: ({ message }) => GrpcError.invalidArgument(message),
      NameRefused: ({ message, reason }) =>
        reason === "taken" ? GrpcError.alreadyExists(message) : GrpcError.invalidArgument(message)
    })
  )

/** Does what is asked for, in order; what changed nothing is replied to. */
const obeyed = (person: Rooms.Person, requests: Requests): Replies =>
  requests.pipe(
    // A thousand requests may come in one chunk: without this, nobody gets a turn to read before all are said.
    Stream.rechunk(1),
    Stream.mapEffect((request) => Effect.andThen(Effect.yieldNow, obey(person, request))),
    Stream.filter((refusal) => refusal !== undefined),
    Stream.map((message) => ({ event: { case: "refused" as const, value: { message } } }))
  )

/** Why it changed nothing. */
const obey = (
  person: Rooms.Person,
  { request }: JoinRequest
): Effect.Effect<string | undefined, GrpcError.GrpcError> => {
  switch (request.case) {
    case "say":
      return refusalOf(person.say(request.value.text))
    case "rename":
      return refusalOf(person.rename(request.value.name))
    case "move":
      return refusalOf(person.move(request.value.room))
    case "hello":
      return GrpcError.invalidArgument("hello comes once")
    case undefined:
      return GrpcError.invalidArgument("a request that is none")
  }
}

const refusalOf = <E extends { readonly message: string }>(
  done: Effect.Effect<void, E>
): Effect.Effect<string | undefined> =>
  Effect.match(done, { onFailure: ({ message }) => message, onSuccess: () => undefined })

type Reply = MessageInitShape<typeof RoomEventSchema>
type Replies = Stream.Stream<Reply, GrpcError.GrpcError>

const replyOf = (event: RoomEvent.Event): Reply => {
  switch (event._tag) {
    case "Entered": {
      const { history, name, people, room } = event
      return { event: { case: "entered", value: { name, room, people: [...people], history: history.map(saidOf) } } }
    }
    case "Said":
      return { event: { case: "said", value: saidOf(event) } }
    case "Joined":
      return { event: { case: "joined", value: { name: event.name, door: event.door } } }
    case "Left":
      return { event: { case: "left", value: { name: event.name, reason: reasons[event.reason] } } }
    case "Renamed":
      return { event: { case: "renamed", value: { before: event.before, name: event.name } } }
  }
}

const saidOf = ({ atMillis, door, from, text }: RoomEvent.Said) => ({
  atMillis: BigInt(Math.round(atMillis)),
  door,
  from,
  text
})

const reasons = { left: Left_Reason.LEFT, moved: Left_Reason.MOVED, "too slow": Left_Reason.TOO_SLOW }
