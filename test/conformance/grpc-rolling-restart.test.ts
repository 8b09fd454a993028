/**
 * Servers that are restarted one after the other under load, over real sockets:
 * no call of their client fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as WebServer from "@sluice/core/server/WebServer"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Started from "../examples/support/Started.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"

leaveNoHandles()

/** A server on `port`, which counts its calls. Its handlers take a while, so that some are always under way. */
const start = Effect.fnUntraced(function* (port: number) {
  let callCount = 0
  const handled = Effect.suspend(() => {
    callCount++
    return Effect.yieldNow
  })
  const Service = GrpcServer.layer(TestService, {
    unaryCall: ({ payload }) => Effect.as(handled, payload === undefined ? {} : { payload }),
    streamingOutputCall: () => Stream.mapEffect(Stream.range(1, 3), () => Effect.as(handled, {}))
  })
  const server = GrpcServer.serve(Service).pipe(Layer.provide(WebServer.layer()))
  const { address, close } = yield* Started.onNode(server, { host: "127.0.0.1", port })
  assert(NetAddress.isInetAddress(address))
  return { port: address.port, close, callCount: () => callCount }
})

const until = (holds: () => boolean) => Effect.repeat(Effect.sleep("1 millis"), { until: () => Effect.sync(holds) })

const clientOf = (ports: ReadonlyArray<number>) =>
  Layer.provide(
    GrpcChannel.layer(
      ports.map((port) => ({ host: "127.0.0.1", port })),
      { balancing: "round_robin", backoff: Schedule.spaced("10 millis") }
    ),
    NodeTransport.layerDialer()
  )

describe("a rolling restart", () => {
  it.live(
    "two servers in turn, twice, and 20,000 calls: none fails",
    () =>
      Effect.gen(function* () {
        const servers = [yield* start(0), yield* start(0)]
        const ports = servers.map(({ port }) => port)
        let made = 0
        let isRolling = true
        const failures: Array<string> = []
        const roll = Effect.gen(function* () {
          for (let turn = 0; turn < 4; turn++) {
            const index = turn % 2
            const before = made
            yield* until(() => made >= before + 1_000)
            yield* servers[index]!.close
            const next = yield* start(ports[index]!)
            servers[index] = next
            yield* until(() => next.callCount() > 100)
          }
          isRolling = false
        })
        yield* Effect.gen(function* () {
          const { streamingOutputCall, unaryCall } = yield* GrpcClient.make(TestService)
          const one = Effect.suspend(() => {
            const payload = { body: Uint8Array.of(made & 255) }
            if (made++ % 10 > 0) {
              return Effect.map(unaryCall({ payload }), (reply) => assert.deepEqual(reply.payload?.body, payload.body))
            }
            return Effect.map(Stream.runCount(streamingOutputCall({})), (count) => assert.strictEqual(count, 3))
          })
          const worker = Effect.whileLoop({
            while: () => isRolling || made < 20_000,
            body: () => Effect.catch(one, (error) => Effect.sync(() => failures.push(error.message))),
            step: () => {}
          })
          const rolling = yield* Effect.forkChild(roll)
          yield* Effect.all(
            Array.from({ length: 32 }, () => worker),
            { concurrency: "unbounded", discard: true }
          )
          yield* Fiber.join(rolling)
        }).pipe(Effect.provide(clientOf(ports)), Effect.timeout("50 seconds"))
        assert.deepStrictEqual(failures, [])
        assert.isAtLeast(made, 20_000)
      }),
    60_000
  )
})
