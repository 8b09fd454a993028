import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import type { GrpcCallRecord } from "@sluice/core/grpc/GrpcObserver"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcServerWorld.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"
import { turns } from "../../../harness/TransportContract.ts"

const Greetings = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => {
    if (name === "wait") return Effect.never
    return name === "nobody" ? GrpcError.notFound("nobody") : Effect.succeed({ message: name })
  },
  streamHellos: ({ name }) =>
    Stream.range(1, 5).pipe(
      Stream.rechunk(1),
      Stream.mapEffect((count) =>
        name === "fail" && count === 3 ? GrpcError.aborted("") : Effect.succeed({ message: "" })
      )
    ),
  collectHellos: (requests) => Effect.map(Stream.runCount(requests), (count) => ({ message: `${count}` })),
  chatHellos: (requests) => Stream.map(requests, ({ name }) => ({ message: name }))
})

/** A client whose calls are told of, and what was told. */
const watched = Effect.gen(function* () {
  const started: Array<string> = []
  const records: Array<GrpcCallRecord> = []
  const observer = Effect.succeed({
    onStart: ({ path }: { readonly path: string }) => void started.push(path),
    onEnd: (record: GrpcCallRecord) => void records.push(record)
  })
  const world = yield* World.make(Greetings)
  const channel = yield* Layer.build(
    GrpcChannel.layer(MemoryWorld.target, { observers: [observer] }).pipe(
      Layer.provide(MemoryNetwork.layerDialer),
      Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, world.network))
    )
  )
  const greeter = yield* Effect.provide(GrpcClient.make(Greeter), channel)
  const told = () =>
    records.map(({ code, method, replyCount, requestCount }) => [method?.name, code, requestCount, replyCount])
  return { greeter, started, records, told, world }
})

const names = Stream.make({ name: "A" }, { name: "B" }, { name: "C" })

describe("GrpcClientWatch", () => {
  it.effect("tells of each call once, with what was sent and what came", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const { greeter, started, told, world } = yield* watched
        keep(world)
        yield* greeter.sayHello({ name: "A" })
        yield* Effect.flip(greeter.sayHello({ name: "nobody" }))
        yield* Stream.runDrain(greeter.streamHellos({ name: "A" }))
        yield* Effect.flip(Stream.runDrain(greeter.streamHellos({ name: "fail" })))
        yield* greeter.collectHellos(names)
        yield* Stream.runDrain(greeter.chatHellos(names))
        assert.deepStrictEqual(told(), [
          ["SayHello", 0, 1, 1],
          ["SayHello", 5, 1, 0],
          ["StreamHellos", 0, 1, 5],
          ["StreamHellos", 10, 1, 2],
          ["CollectHellos", 0, 3, 1],
          ["ChatHellos", 0, 3, 3]
        ])
        assert.strictEqual(started.length, 6)
      })
    )
  )

  it.effect("tells of calls that are given up, and how long they took", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const { greeter, records, told, world } = yield* watched
        keep(world)
        const waiting = yield* Effect.forkChild(greeter.sayHello({ name: "wait" }), { startImmediately: true })
        yield* turns
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.interrupt(waiting)
        const late = yield* Effect.forkChild(Effect.flip(greeter.sayHello({ name: "wait" }, { timeout: "1 second" })), {
          startImmediately: true
        })
        yield* turns
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(late)
        yield* Stream.runDrain(Stream.take(greeter.streamHellos({ name: "A" }), 1))
        yield* Effect.flip(greeter.collectHellos(Stream.fail("own")))
        assert.deepStrictEqual(
          told().map(([name, code, requests]) => [name, code, requests]),
          [
            ["SayHello", 1, 1],
            ["SayHello", 4, 1],
            ["StreamHellos", 1, 1],
            ["CollectHellos", 1, 0]
          ]
        )
        assert.deepStrictEqual(
          records.map(({ durationMillis }) => durationMillis),
          [3_000, 1_000, 0, 0]
        )
      })
    )
  )
})
