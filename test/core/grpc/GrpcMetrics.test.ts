import { assert, describe, it } from "@effect/vitest"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcMetrics from "@sluice/core/grpc/GrpcMetrics"
import type { GrpcCallRecord } from "@sluice/core/grpc/GrpcObserver"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as World from "../../harness/GrpcServerWorld.ts"
import { Greeter } from "../../harness/protobuf/hello_pb.ts"

const [sayHello, streamHellos] = GrpcMethod.of(Greeter) as [GrpcMethod.GrpcMethod, GrpcMethod.GrpcMethod]

const record = (method: GrpcMethod.GrpcMethod | undefined, rest: Partial<GrpcCallRecord> = {}): GrpcCallRecord => ({
  path: method?.path ?? "/nobody.Knows/This",
  method,
  code: GrpcStatus.Ok,
  durationMillis: 500,
  requestCount: 1,
  replyCount: 1,
  ...rest
})

/** Series by name and attributes, as text. */
const series = Effect.map(Metric.snapshot, (snapshots) =>
  snapshots
    .filter(({ id }) => id.startsWith("rpc."))
    .map(({ attributes, id, state }) => {
      const words = Object.entries(attributes ?? {}).flatMap(([name, value]) =>
        name === "rpc.system.name" && value === "grpc" ? [] : [`${name}=${value}`]
      )
      const value = "value" in state ? state.value : "sum" in state ? `${state.count} of ${state.sum}` : ""
      return `${id} ${words.sort().join(" ")}: ${value}`
    })
    .sort()
)

/** With a registry of its own. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

describe("GrpcMetrics", () => {
  it.effect("durations by method and code, in seconds, and what is in flight", () =>
    Effect.gen(function* () {
      const observer = yield* GrpcMetrics.server
      observer.onStart(record(sayHello))
      observer.onStart(record(sayHello))
      assert.deepStrictEqual(yield* series, ["rpc.server.active_calls rpc.method=hello.Greeter/SayHello: 2"])
      observer.onEnd(record(sayHello))
      observer.onEnd(record(sayHello, { code: GrpcStatus.NotFound, durationMillis: 250 }))
      const method = "rpc.method=hello.Greeter/SayHello"
      assert.deepStrictEqual(yield* series, [
        `rpc.server.active_calls ${method}: 0`,
        `rpc.server.call.duration ${method} rpc.response.status_code=NOT_FOUND: 1 of 0.25`,
        `rpc.server.call.duration ${method} rpc.response.status_code=OK: 1 of 0.5`
      ])
    }).pipe(alone)
  )
  it.effect("messages of methods that stream", () =>
    Effect.gen(function* () {
      const observer = yield* GrpcMetrics.client
      for (const replyCount of [3, 4]) {
        observer.onStart(record(streamHellos))
        observer.onEnd(record(streamHellos, { code: GrpcStatus.Cancelled, replyCount }))
      }
      const words = "error.type=CANCELLED rpc.method=hello.Greeter/StreamHellos rpc.response.status_code=CANCELLED"
      assert.deepStrictEqual(yield* series, [
        "rpc.client.active_calls rpc.method=hello.Greeter/StreamHellos: 0",
        `rpc.client.call.duration ${words}: 2 of 1`,
        `rpc.client.requests_per_rpc ${words}: 2 of 2`,
        `rpc.client.responses_per_rpc ${words}: 2 of 7`
      ])
    }).pipe(alone)
  )
  it.effect("methods that the server does not have are one series", () =>
    Effect.gen(function* () {
      const observer = yield* GrpcMetrics.server
      for (let count = 0; count < 100; count++) {
        const call = record(undefined, { path: `/nobody/${count}`, code: GrpcStatus.Unimplemented, durationMillis: 0 })
        observer.onStart(call)
        observer.onEnd(call)
      }
      assert.deepStrictEqual(yield* series, [
        "rpc.server.active_calls rpc.method=_OTHER: 0",
        "rpc.server.call.duration error.type=UNIMPLEMENTED rpc.method=_OTHER rpc.response.status_code=UNIMPLEMENTED: 100 of 0"
      ])
    }).pipe(alone)
  )
  it.effect("attributes that tell one channel from another", () =>
    Effect.gen(function* () {
      for (const address of ["a", "b"]) {
        const observer = yield* GrpcMetrics.make("client", { "server.address": address })
        observer.onStart(record(sayHello))
      }
      assert.deepStrictEqual(
        yield* series,
        ["a", "b"].map(
          (address) => `rpc.client.active_calls rpc.method=hello.Greeter/SayHello server.address=${address}: 1`
        )
      )
    }).pipe(alone)
  )
  it.effect("every series says that it is gRPC", () =>
    Effect.gen(function* () {
      const observer = yield* GrpcMetrics.server
      observer.onStart(record(sayHello))
      observer.onEnd(record(sayHello))
      const systems = (yield* Metric.snapshot).map(({ attributes }) => attributes?.["rpc.system.name"])
      assert.deepStrictEqual(systems, ["grpc", "grpc"])
    }).pipe(alone)
  )
  it.effect("of a server", () =>
    Effect.gen(function* () {
      const Services = GrpcServer.layer(Greeter, {
        sayHello: ({ name }) =>
          name === "x" ? Effect.fail(GrpcError.internal("x")) : Effect.delay(Effect.succeed({}), 2_000),
        streamHellos: () => Stream.make({}, {}, {})
      })
      const world = yield* World.make(Services, { observers: [GrpcMetrics.server] })
      const slow = yield* Effect.forkChild(World.call(world, sayHello.path, World.text("a")))
      yield* World.call(world, sayHello.path, World.text("x"))
      yield* World.call(world, streamHellos.path, World.text("x"))
      yield* World.call(world, "/hello.Greeter/Nothing", World.text("x"))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(slow)
      const name = "rpc.method=hello.Greeter"
      assert.deepStrictEqual(
        (yield* series).filter((one) => !one.includes("active_calls")),
        [
          `rpc.server.call.duration error.type=INTERNAL ${name}/SayHello rpc.response.status_code=INTERNAL: 1 of 0`,
          "rpc.server.call.duration error.type=UNIMPLEMENTED rpc.method=_OTHER rpc.response.status_code=UNIMPLEMENTED: 1 of 0",
          `rpc.server.call.duration ${name}/SayHello rpc.response.status_code=OK: 1 of 2`,
          `rpc.server.call.duration ${name}/StreamHellos rpc.response.status_code=OK: 1 of 0`,
          `rpc.server.requests_per_rpc ${name}/StreamHellos rpc.response.status_code=OK: 1 of 1`,
          `rpc.server.responses_per_rpc ${name}/StreamHellos rpc.response.status_code=OK: 1 of 3`
        ]
      )
    }).pipe(alone)
  )
})
