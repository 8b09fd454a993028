import { assert, describe, it } from "@effect/vitest"
import { GrpcCompression } from "@sluice/core/grpc/GrpcCompression"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import { GrpcEncodings } from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../../harness/GrpcServerWorld.ts"
import { LogRecorder } from "../../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../../harness/MemoryWorld.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"
import { turns } from "../../../harness/TransportContract.ts"

const stream = "/hello.Greeter/StreamHellos"

describe("GrpcServedCall", () => {
  it.effect("takes from the handler's stream no faster than the client reads", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        let pulled = 0
        const Services = GrpcServer.layer(Greeter, {
          streamHellos: () =>
            Stream.range(1, 100_000).pipe(
              Stream.rechunk(1),
              Stream.map(() => {
                pulled++
                return { message: "x".repeat(1_000) }
              })
            )
        })
        const world = yield* World.make(Services)
        keep(world)
        const response = yield* world.session.request({
          method: "POST",
          path: stream,
          headers: { "content-type": "application/grpc" },
          body: World.text("A")
        })
        assert.strictEqual(response.status, 200)
        yield* turns
        const first = pulled
        assert.isBelow(first, 5_000)
        yield* turns
        assert.strictEqual(pulled, first)
        yield* Stream.runDrain(Stream.take(response.stream, 20))
        yield* turns
      }).pipe(Effect.scoped)
    )
  )

  it.effect("ends once: a handler that finishes behind the deadline is not heard", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const Services = GrpcServer.layer(Greeter, {
          sayHello: () => Effect.uninterruptible(Effect.as(Deferred.await(gate), { message: "late" }))
        })
        const world = yield* World.make(Services, { callTimeout: "1 millis" })
        keep(world)
        const calling = yield* Effect.forkChild(World.call(world, "/hello.Greeter/SayHello", World.text("A")), {
          startImmediately: true
        })
        yield* TestClock.adjust(1)
        const answer = yield* Fiber.join(calling)
        assert.deepStrictEqual([answer.code, answer.body.length], ["4", 0])
        yield* Deferred.succeed(gate, undefined)
        yield* turns
      })
    )
  )

  it.effect("answers before the request has ended, and does not wait for the rest of it", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const Services = GrpcServer.layer(Greeter, {
          collectHellos: (requests) =>
            Effect.map(Stream.runHead(requests), (first) => ({
              message: first._tag === "Some" ? first.value.name : ""
            }))
        })
        const world = yield* World.make(Services)
        keep(world)
        const endless = Stream.concat(Stream.succeed(World.text("first")), Stream.never)
        const answer = yield* World.call(world, "/hello.Greeter/CollectHellos", endless)
        assert.deepStrictEqual([answer.code, World.texts(answer.body)], ["0", ["first"]])
      })
    )
  )

  it.effect("ends with its status also where its metadata is more than the client takes", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        const large = GrpcMetadata.make({ "x-large": "x".repeat(20_000) })
        const Services = GrpcServer.layer(Greeter, {
          sayHello: ({ name }, call) =>
            Effect.gen(function* () {
              if (name === "front") yield* call.addMetadata(large)
              if (name === "behind") yield* call.addTrailers(large)
              if (name === "error") return yield* GrpcError.notFound("x".repeat(20_000))
              return { message: name }
            })
        })
        const world = yield* logs.listen(World.make(Services))
        keep(world)
        const codes: Array<unknown> = []
        for (const name of ["front", "behind", "error", "none"]) {
          const answer = yield* World.call(world, "/hello.Greeter/SayHello", World.text(name))
          codes.push([answer.status, answer.code, answer.message, World.texts(answer.body)])
        }
        assert.deepStrictEqual(codes, [
          [200, "13", "the metadata cannot be sent", []],
          [200, "0", undefined, ["behind"]],
          [200, "5", undefined, []],
          [200, "0", undefined, ["none"]]
        ])
        // The client could fill the log with it.
        assert.deepStrictEqual(logs.entries, [])
      })
    )
  )

  it.effect("outlives what throws: interceptors, compressors, and details that are none", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        const broken = (): never => {
          throw new Error("broken")
        }
        const Services = GrpcServer.layer(
          Greeter,
          {
            sayHello: ({ name }) =>
              name === "details"
                ? GrpcError.notFound("x", { details: [GrpcErrorDetails.BadRequest({} as never)] })
                : Effect.succeed({ message: name }),
            collectHellos: (requests) => Effect.as(Stream.runDrain(requests), { message: "" })
          },
          {
            interceptors: [(call, handled) => (call.metadata.has("x-throw") ? broken() : handled)]
          }
        )
        const encodings = new GrpcEncodings([{ name: "broken", compress: broken, decompress: broken }])
        const world = yield* logs
          .listen(World.make(Services, { compression: ["broken"], maxConcurrentCalls: 1 }))
          .pipe(Effect.provideService(GrpcCompression, encodings))
        keep(world)
        const code = (method: string, body: Uint8Array, headers: Readonly<Record<string, string>>) =>
          Effect.map(World.call(world, `/hello.Greeter/${method}`, body, headers), (answer) => answer.code)
        const compressed = { "grpc-encoding": "broken" }
        assert.strictEqual(yield* code("SayHello", World.text("A"), { "x-throw": "1" }), "2")
        assert.strictEqual(yield* code("CollectHellos", World.text("A"), { "x-throw": "1" }), "2")
        assert.strictEqual(yield* code("SayHello", World.text("A", 1), compressed), "13")
        assert.strictEqual(yield* code("CollectHellos", World.text("A", 1), compressed), "13")
        assert.strictEqual(yield* code("SayHello", World.text("A"), { "grpc-accept-encoding": "broken" }), "13")
        assert.strictEqual(yield* code("SayHello", World.text("details"), {}), "5")
        assert.strictEqual(yield* code("SayHello", World.text("A"), {}), "0")
        assert.strictEqual(logs.entries.length, 6)
      })
    )
  )

  it.effect("closes the scope of a call behind its reply, and is over then", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const closed: Array<string> = []
        const closing = (name: string) =>
          Effect.addFinalizer((exit) =>
            Effect.sync(() => {
              closed.push(`${name} ${exit._tag}`)
            })
          )
        const Services = GrpcServer.layer(Greeter, {
          sayHello: ({ name }) =>
            Effect.gen(function* () {
              yield* closing(name)
              if (name === "slow") yield* Effect.addFinalizer(() => Deferred.await(gate))
              if (name === "dies") yield* Effect.addFinalizer(() => Effect.die(new Error("a finalizer")))
              if (name === "later") yield* Effect.yieldNow
              if (name === "fails") return yield* GrpcError.notFound("")
              return { message: name }
            }),
          streamHellos: ({ name }) => Stream.fromEffect(Effect.as(closing(name), { message: name }))
        })
        const logs = new LogRecorder()
        const world = yield* logs.listen(World.make(Services, { maxConcurrentCalls: 1 }))
        keep(world)
        const code = (name: string, path = "/hello.Greeter/SayHello") =>
          Effect.map(World.call(world, path, World.text(name)), (answer) => answer.code)
        assert.deepStrictEqual(
          [yield* code("now"), yield* code("later"), yield* code("fails"), yield* code("stream", stream)],
          ["0", "0", "5", "0"]
        )
        assert.deepStrictEqual(closed, ["now Success", "later Success", "fails Failure", "stream Success"])
        assert.strictEqual(yield* code("dies"), "0")
        assert.strictEqual(logs.entries.length, 1)
        assert.strictEqual(yield* code("slow"), "0")
        // The call before is still at its end.
        assert.strictEqual(yield* code("now"), "8")
        yield* Deferred.succeed(gate, undefined)
        yield* turns
        assert.strictEqual(yield* code("now"), "0")
      })
    )
  )

  it.effect("answers one request with one reply, whatever its interceptors do", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const logs = new LogRecorder()
        const Services = GrpcServer.layer(
          Greeter,
          {
            sayHello: ({ name }) => Effect.succeed({ message: name }),
            streamHellos: ({ name }) => Stream.succeed({ message: name })
          },
          {
            interceptors: [
              (call, handled) =>
                call.metadata.get("x-runs") === "0"
                  ? Effect.void
                  : call.metadata.get("x-runs") === "2"
                    ? Effect.andThen(handled, handled)
                    : handled
            ]
          }
        )
        const world = yield* logs.listen(World.make(Services))
        keep(world)
        const answered = (path: string, runs: string) =>
          Effect.map(World.call(world, path, World.text("A"), { "x-runs": runs }), (answer) => [
            answer.code,
            World.texts(answer.body)
          ])
        const hello = "/hello.Greeter/SayHello"
        assert.deepStrictEqual(yield* answered(hello, "1"), ["0", ["A"]])
        assert.deepStrictEqual(yield* answered(hello, "0"), ["13", []])
        assert.deepStrictEqual(yield* answered(hello, "2"), ["13", ["A"]])
        assert.deepStrictEqual(yield* answered(stream, "0"), ["0", []])
        assert.deepStrictEqual(yield* answered(stream, "2"), ["0", ["A", "A"]])
        assert.strictEqual(logs.entries.length, 2)
      })
    )
  )

  it.effect("gives up a request that stops in its middle, and waits for the next one of a stream", () =>
    MemoryWorld.leavesNothing((keep) =>
      Effect.gen(function* () {
        const Services = GrpcServer.layer(Greeter, {
          sayHello: ({ name }) => Effect.succeed({ message: name }),
          collectHellos: (requests) => Effect.map(Stream.runCount(requests), (count) => ({ message: `${count}` }))
        })
        // Otherwise the client that waits would be the first to give up.
        const world = yield* World.make(Services, {}, { idleTimeout: "unbounded" })
        keep(world)
        const gate = yield* Deferred.make<void>()
        const pausing = (first: Uint8Array, next: Uint8Array) =>
          Stream.concat(Stream.succeed(first), Stream.fromEffect(Effect.as(Deferred.await(gate), next)))
        const start = (method: string, body: Stream.Stream<Uint8Array>) =>
          Effect.forkChild(World.call(world, `/hello.Greeter/${method}`, body), { startImmediately: true })
        const half = World.text("half")
        const stopped = yield* start("SayHello", pausing(half.subarray(0, 8), half.subarray(8)))
        const quiet = yield* start("CollectHellos", pausing(World.text("A"), World.text("B")))
        yield* turns
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual((yield* Fiber.join(stopped)).status, 408)
        assert.isUndefined(quiet.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        const counted = yield* Fiber.join(quiet)
        assert.deepStrictEqual([counted.code, World.texts(counted.body)], ["0", ["2"]])
      })
    )
  )
})
