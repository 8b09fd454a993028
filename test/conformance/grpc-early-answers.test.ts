/**
 * Servers that answer before the request is whole, and clients that end before
 * the answer is: both are free to, and the other side stops what it was doing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { message } from "../harness/GrpcPeer.ts"
import * as Script from "../harness/GrpcScript.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

const kibibyte = { payload: { body: new Uint8Array(1024) } }

/** Requests that never end, and how they were ended. */
const endless = Effect.map(Deferred.make<Exit.Exit<unknown, unknown>>(), (over) => ({
  requests: Stream.onExit(Stream.forever(Stream.make(kibibyte)), (exit) => Deferred.succeed(over, exit)),
  over: Deferred.await(over)
}))

/** A reply of 1, as `StreamingInputCallResponse` has it, and as the other has not. */
const reply = message("0801")

describe("a server that does not wait for the end of the requests", () => {
  const answers: ReadonlyArray<
    readonly [what: string, frames: (id: number) => ReadonlyArray<Uint8Array>, tag: string]
  > = [
    ["a status alone", (id) => [Wire.headers(id, Wire.status(200, ...Script.grpc("5")), "END_STREAM")], "NotFound"],
    [
      "a status behind a head",
      (id) => [Script.head(id), Script.trailers(id, ["grpc-status", "9"])],
      "FailedPrecondition"
    ],
    ["a reply", (id) => [Script.head(id), Wire.data(id, reply), Script.ok(id)], "1"]
  ]
  const ends: ReadonlyArray<readonly [what: string, frames: (id: number) => ReadonlyArray<Uint8Array>]> = [
    ["and asks to stop", (id) => [Wire.rstStream(id, "NO_ERROR")]],
    ["and says nothing", () => []]
  ]
  for (const [what, frames, outcome] of answers) {
    for (const [end, more] of ends) {
      it.effect(`${what}, ${end}`, () =>
        MemoryWorld.leavesNothing((track) =>
          Effect.gen(function* () {
            const { over, requests } = yield* endless
            const servers = yield* Script.make({ onHead: ({ send }, id) => send(...frames(id), ...more(id)) })
            track(servers as never)
            yield* Effect.gen(function* () {
              const { streamingInputCall } = yield* GrpcClient.make(TestService)
              const called = yield* Effect.match(streamingInputCall(requests), {
                onSuccess: ({ aggregatedPayloadSize }) => String(aggregatedPayloadSize),
                onFailure: ({ reason }) => reason._tag as string
              })
              assert.strictEqual(called, outcome)
              assert.isTrue(Exit.hasInterrupts(yield* over))
            }).pipe(
              Effect.provide(Layer.provide(GrpcChannel.layer({ host: "server.test", port: 7 }), servers.dialer)),
              Effect.scoped
            )
          })
        )
      )
    }
  }
})

const Service = GrpcServer.layer(TestService, {
  streamingInputCall: (requests) =>
    Effect.map(Stream.runCount(Stream.take(requests, 3)), (aggregatedPayloadSize) => ({ aggregatedPayloadSize })),
  fullDuplexCall: (requests) =>
    Stream.concat(
      Stream.map(Stream.take(requests, 3), () => kibibyte),
      Stream.fail(GrpcError.outOfRange("three are enough"))
    ),
  streamingOutputCall: () => Stream.forever(Stream.make(kibibyte))
})

const channelOf = ({ network }: World.World) =>
  GrpcChannel.layer(MemoryWorld.target).pipe(
    Layer.provide(MemoryNetwork.layerDialer),
    Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
  )

describe("our server and our client", () => {
  const served = <A, E>(use: Effect.Effect<A, E, GrpcChannel.GrpcChannel>, service = Service) =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* World.make(service)
        track(world)
        return yield* Effect.scoped(Effect.provide(use, channelOf(world)))
      })
    )

  it.effect("a handler that has enough of an endless stream", () =>
    served(
      Effect.gen(function* () {
        const { over, requests } = yield* endless
        const { streamingInputCall } = yield* GrpcClient.make(TestService)
        assert.strictEqual((yield* streamingInputCall(requests)).aggregatedPayloadSize, 3)
        assert.isTrue(Exit.hasInterrupts(yield* over))
      })
    )
  )

  it.effect("a handler that fails in the middle of both", () =>
    served(
      Effect.gen(function* () {
        const { over, requests } = yield* endless
        const { fullDuplexCall } = yield* GrpcClient.make(TestService)
        let count = 0
        const error = yield* Effect.flip(
          Stream.runForEach(fullDuplexCall(requests), () => Effect.sync(() => void count++))
        )
        assert.deepStrictEqual([count, error.reason._tag, error.reason.message], [3, "OutOfRange", "three are enough"])
        assert.isTrue(Exit.hasInterrupts(yield* over))
      })
    )
  )

  it.effect("a client that takes three of an endless stream", () =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      const Endless = GrpcServer.layer(TestService, {
        streamingOutputCall: () =>
          Stream.onExit(Stream.forever(Stream.make(kibibyte)), (exit) => Deferred.succeed(over, exit))
      })
      yield* served(
        Effect.gen(function* () {
          const { streamingOutputCall } = yield* GrpcClient.make(TestService)
          assert.strictEqual(yield* Stream.runCount(Stream.take(streamingOutputCall({}), 3)), 3)
          assert.isTrue(Exit.hasInterrupts(yield* Deferred.await(over)))
        }),
        Endless
      )
    })
  )

  it.effect("requests that fail: the call fails with that, and the handler is told that it was cancelled", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      const Reading = GrpcServer.layer(TestService, {
        streamingInputCall: (requests) =>
          Stream.runForEach(requests, () => Deferred.succeed(began, undefined)).pipe(
            Effect.onExit((exit) => Deferred.succeed(over, exit)),
            Effect.as({})
          )
      })
      yield* served(
        Effect.gen(function* () {
          const { streamingInputCall } = yield* GrpcClient.make(TestService)
          const failing = Effect.andThen(Deferred.await(began), Effect.fail("no more" as const))
          const requests = Stream.concat(Stream.make(kibibyte), Stream.fromEffect(failing))
          assert.strictEqual(yield* Effect.flip(streamingInputCall(requests)), "no more")
          assert.isTrue(Exit.isFailure(yield* Deferred.await(over)))
        }),
        Reading
      )
    })
  )
})
