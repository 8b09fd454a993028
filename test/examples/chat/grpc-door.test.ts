/** The door in memory, beside the door for terminals of the same rooms. */
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as WebServer from "@sluice/core/server/WebServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as GrpcDoor from "@sluice/examples/chat/grpc-door"
import * as Rooms from "@sluice/examples/chat/rooms"
import { ChatRoom, type RoomEvent } from "@sluice/examples/generated/chat_pb"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

type Request =
  | { readonly case: "hello"; readonly value: { readonly name?: string; readonly room?: string } }
  | { readonly case: "say"; readonly value: { readonly text: string } }
  | { readonly case: "rename"; readonly value: { readonly name: string } }
  | { readonly case: "move"; readonly value: { readonly room: string } }

const start = Effect.gen(function* () {
  const rooms = yield* Rooms.make()
  const network = MemoryNetwork.make()
  const inNetwork = Layer.succeed(MemoryNetwork.MemoryNetwork, network)
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const server = GrpcServer.serve(Layer.empty).pipe(
    Layer.provide(GrpcDoor.layer),
    Layer.provide(WebServer.layer()),
    Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
    Layer.provide(inNetwork),
    Layer.provide(Layer.succeed(Rooms.Rooms, rooms))
  )
  yield* Layer.buildWithScope(server, scope)
  const channel = yield* Layer.build(
    GrpcChannel.layer(MemoryWorld.target).pipe(Layer.provide(MemoryNetwork.layerDialer), Layer.provide(inNetwork))
  )
  const client = yield* Effect.provide(GrpcClient.make(ChatRoom), channel)
  /** Somebody who joins: says what is offered, and keeps what comes. */
  const person = Effect.gen(function* () {
    const says = yield* Queue.unbounded<{ readonly request: Request }>()
    const heard: Array<RoomEvent["event"]> = []
    const joined = client.join(Stream.fromQueue(says)) as Stream.Stream<RoomEvent, GrpcError.GrpcError>
    const listening = yield* Effect.forkChild(
      Stream.runForEach(joined, ({ event }) => Effect.sync(() => heard.push(event))),
      { startImmediately: true }
    )
    const say = (request: Request) => Effect.andThen(Queue.offer(says, { request }), Effect.andThen(turns, turns))
    return { says, say, heard, listening }
  })
  return { rooms, person, stop: Scope.close(scope, Exit.void) }
})

const cases = (events: ReadonlyArray<RoomEvent["event"]>): ReadonlyArray<string | undefined> =>
  events.map((event) => event.case)

describe("the gRPC door", () => {
  it.effect("what enters by it leaves by all doors, and the other way", () =>
    Effect.gen(function* () {
      const { person, rooms } = yield* start
      const other = yield* rooms.join({ door: "tcp", name: "Bob" })
      const ada = yield* person
      yield* ada.say({ case: "hello", value: { name: "Ada" } })
      yield* other.say("hello Ada")
      yield* ada.say({ case: "say", value: { text: "hello Bob" } })
      yield* ada.say({ case: "rename", value: { name: "Bob" } })
      yield* ada.say({ case: "rename", value: { name: "Lovelace" } })
      yield* ada.say({ case: "move", value: { room: "engines" } })
      const [entered, , said] = ada.heard
      assert.deepStrictEqual(cases(ada.heard), [
        "entered",
        "joined",
        "said",
        "said",
        "refused",
        "renamed",
        "entered",
        "joined"
      ])
      if (entered?.case === "entered") {
        assert.deepStrictEqual(
          [entered.value.room, entered.value.name, entered.value.people.length],
          ["lobby", "Ada", 2]
        )
      }
      if (said?.case === "said") assert.deepStrictEqual([said.value.from, said.value.text], ["Bob", "hello Ada"])
      const events = yield* Queue.takeAll(other.events)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["Entered", "Joined", "Said", "Renamed", "Left"]
      )
      yield* Queue.end(ada.says as never)
      yield* Fiber.join(ada.listening)
      assert.deepStrictEqual(
        (yield* rooms.list).map(({ people }) => people),
        [1]
      )
    })
  )

  const wrong: ReadonlyArray<readonly [what: string, requests: ReadonlyArray<Request>, tag: string]> = [
    ["somebody who does not say hello", [{ case: "say", value: { text: "a" } }], "InvalidArgument"],
    [
      "hello twice",
      [
        { case: "hello", value: {} },
        { case: "hello", value: {} }
      ],
      "InvalidArgument"
    ],
    ["a name that is taken", [{ case: "hello", value: { name: "Bob" } }], "AlreadyExists"],
    ["a name that is none", [{ case: "hello", value: { name: "a\u0000b" } }], "InvalidArgument"]
  ]
  for (const [what, requests, tag] of wrong) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const { person, rooms } = yield* start
        yield* rooms.join({ door: "tcp", name: "Bob" })
        const somebody = yield* person
        for (const request of requests) yield* somebody.say(request)
        const error = yield* Effect.flip(Fiber.join(somebody.listening))
        assert.strictEqual(error.reason._tag, tag)
      })
    )
  }

  it.effect("waits 10 seconds for hello", () =>
    Effect.gen(function* () {
      const { person } = yield* start
      const { listening } = yield* person
      yield* turns
      yield* TestClock.adjust("10 seconds")
      const error = yield* Effect.flip(Fiber.join(listening))
      assert.deepStrictEqual([error.reason._tag, error.reason.message], ["InvalidArgument", "no hello came"])
    })
  )

  it.effect("tells everybody when the server goes down", () =>
    Effect.gen(function* () {
      const { person, stop } = yield* start
      const { listening, say } = yield* person
      yield* say({ case: "hello", value: {} })
      yield* stop
      const error = yield* Effect.flip(Fiber.join(listening))
      assert.deepStrictEqual([error.reason._tag, error.reason.message], ["Unavailable", "the server is going down"])
    })
  )
})
