/**
 * Whoever does not read stops whoever sends, through all of it: the handler's
 * stream, its queue, HTTP/2's windows, and the other side's stream.
 */
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Peer from "../harness/GrpcPeer.ts"
import * as World from "../harness/GrpcServerWorld.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"

const outputs = "/grpc.testing.TestService/StreamingOutputCall"
const inputs = "/grpc.testing.TestService/StreamingInputCall"

const kibibyte = { payload: { body: new Uint8Array(1024) } }

/** Turns enough for all that does not wait. */
const settle = Effect.forEach(Array.from({ length: 500 }), () => Effect.yieldNow, { discard: true })

describe("a server that streams to a client that does not read", () => {
  const sources: ReadonlyArray<readonly [what: string, source: () => Stream.Stream<number>]> = [
    ["one by one", () => Stream.rechunk(Stream.range(1, 10_000), 1)],
    ["a hundred at a time", () => Stream.rechunk(Stream.range(1, 10_000), 100)],
    ["all at once", () => Stream.rechunk(Stream.range(1, 10_000), 10_000)]
  ]
  for (const [what, source] of sources) {
    it.effect(`takes what fits, goes on when there is room, and ends with its client: ${what}`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          let taken = 0
          const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
          const Service = GrpcServer.layer(TestService, {
            streamingOutputCall: () =>
              source().pipe(
                Stream.mapEffect((count) =>
                  Effect.sync(() => {
                    taken = count
                    return kibibyte
                  })
                ),
                Stream.onExit((exit) => Deferred.succeed(over, exit))
              )
          })
          const world = yield* World.make(Service)
          track(world)
          const peer = yield* Peer.connect(world, { INITIAL_WINDOW_SIZE: 16_384 })
          peer.send(Wire.headers(1, Peer.head(outputs)), Wire.data(1, Peer.message(""), "END_STREAM"))
          yield* settle
          const first = taken
          // The window, and the 128 KiB that the stream may queue behind it.
          assert.isTrue(first >= 16 && first <= 16 + 128, String(first))
          yield* settle
          assert.strictEqual(taken, first)
          peer.send(Wire.windowUpdate(1, 16_384))
          yield* settle
          const second = taken
          assert.isTrue(second >= first + 8 && second <= first + 32, `${first}, ${second}`)
          peer.send(Wire.rstStream(1, "CANCEL"))
          assert.isTrue(Exit.hasInterrupts(yield* Deferred.await(over)))
          assert.strictEqual(taken, second)
        })
      )
    )
  }
})

describe("a client that streams to a handler that does not read", () => {
  it.effect("gets no window, until the handler reads", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const Service = GrpcServer.layer(TestService, {
          streamingInputCall: (requests) =>
            Deferred.await(gate).pipe(
              Effect.andThen(Stream.runCount(requests)),
              Effect.map((aggregatedPayloadSize) => ({ aggregatedPayloadSize }))
            )
        })
        const world = yield* World.make(Service)
        track(world)
        const peer = yield* Peer.connect(world)
        yield* peer.saw("SETTINGS")
        const text = /INITIAL_WINDOW_SIZE=(\d+)/.exec(peer.allLines().join("\n"))?.[1]
        const windowBytes = Number(text ?? 65_535)
        const updates = () => peer.lines().filter((line) => line.startsWith("WINDOW_UPDATE 1 "))
        peer.send(Wire.headers(1, Peer.head(inputs)))
        // Messages of 16,379 bytes and their prefixes fill the window.
        const frames = Math.floor(windowBytes / 16_384)
        for (let count = 0; count < frames; count++) peer.send(Wire.data(1, Peer.message(body(16_379))))
        yield* settle
        assert.deepStrictEqual(updates(), [])
        yield* Deferred.succeed(gate, undefined)
        yield* settle
        assert.isNotEmpty(updates())
        peer.send(Wire.data(1, "", "END_STREAM"))
        const { grpc, lines } = yield* Peer.ended(peer, 1)
        assert.strictEqual(grpc, "0", lines.join("\n"))
      })
    )
  )
})

const channelOf = ({ network }: World.World) =>
  GrpcChannel.layer(MemoryWorld.target).pipe(
    Layer.provide(MemoryNetwork.layerDialer),
    Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
  )

const messageCount = 10_000

/** So many messages of 100 bytes whose first says which it is; `taken` hears of each. */
const numbered = (taken: (count: number) => void) =>
  Stream.map(Stream.rechunk(Stream.range(1, messageCount), 10), (count) => {
    taken(count)
    const body = new Uint8Array(100)
    new DataView(body.buffer).setUint32(0, count)
    return { payload: { body } }
  })

const numberOf = (message: { readonly payload?: { readonly body: Uint8Array } | undefined }): number => {
  const { buffer, byteOffset } = message.payload!.body
  return new DataView(buffer, byteOffset).getUint32(0)
}

/** Takes all of them, in their order; behind the first it waits for the gate. */
const takeBehind =
  (gate: Deferred.Deferred<void>) =>
  <E, R>(messages: Stream.Stream<Parameters<typeof numberOf>[0], E, R>): Effect.Effect<number, E, R> =>
    Stream.runFoldEffect(
      messages,
      () => 0,
      (before, message) => {
        assert.strictEqual(numberOf(message), before + 1)
        return before === 0 ? Effect.as(Deferred.await(gate), 1) : Effect.succeed(before + 1)
      }
    )

describe("10,000 messages of our server, and our client", () => {
  /** Runs `run` twice as long as nobody reads: the source may not go on. */
  const held = (taken: () => number, gate: Deferred.Deferred<void>) =>
    Effect.gen(function* () {
      yield* settle
      const first = taken()
      assert.isTrue(first > 0 && first < messageCount, String(first))
      yield* settle
      assert.strictEqual(taken(), first)
      yield* Deferred.succeed(gate, undefined)
    })

  const kinds = ["replies", "requests", "both ways"] as const
  for (const kind of kinds) {
    it.effect(`${kind}: who does not read stops the source, and nothing is lost`, () =>
      MemoryWorld.leavesNothing((track) =>
        Effect.gen(function* () {
          let taken = 0
          const gate = yield* Deferred.make<void>()
          const source = numbered((count) => {
            taken = count
          })
          const Service = GrpcServer.layer(TestService, {
            streamingOutputCall: () => source,
            streamingInputCall: (requests) =>
              Effect.map(takeBehind(gate)(requests), (aggregatedPayloadSize) => ({ aggregatedPayloadSize })),
            fullDuplexCall: (requests) => Stream.map(requests, ({ payload }) => (payload ? { payload } : {}))
          })
          const world = yield* World.make(Service)
          track(world)
          yield* Effect.gen(function* () {
            const client = yield* GrpcClient.make(TestService)
            const count = {
              replies: takeBehind(gate)(client.streamingOutputCall({})),
              requests: Effect.map(client.streamingInputCall(source), (reply) => reply.aggregatedPayloadSize),
              "both ways": takeBehind(gate)(client.fullDuplexCall(source))
            }[kind]
            const fiber = yield* Effect.forkChild(count)
            yield* held(() => taken, gate)
            assert.strictEqual(yield* Fiber.join(fiber), messageCount)
          }).pipe(Effect.provide(channelOf(world)), Effect.scoped)
        })
      )
    )
  }
})

/** A `StreamingInputCallRequest` of so many bytes. */
const body = (byteCount: number): Uint8Array => {
  const bytes = new Uint8Array(byteCount)
  const varint = (value: number) => [(value & 127) | 128, (value >> 7) | 128, value >> 14]
  bytes.set([0x0a, ...varint(byteCount - 4), 0x12, ...varint(byteCount - 8)])
  return bytes
}
