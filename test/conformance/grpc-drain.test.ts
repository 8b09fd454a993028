/**
 * The end of a server, as clients of other implementations see it: calls on
 * their way are finished, and those that take too long hear UNAVAILABLE.
 */
import { assert, describe, it } from "@effect/vitest"
import * as GrpcJs from "@grpc/grpc-js"
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import * as WebServer from "@sluice/core/server/WebServer"
import { TestService } from "@sluice/examples/generated/grpc/testing/test_pb"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"
import * as Started from "../examples/support/Started.ts"
import * as Js from "../harness/GrpcJs.ts"
import { LogRecorder } from "../harness/LogRecorder.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"

leaveNoHandles()

const { method: methods } = TestService

/** A server whose handlers begin, and answer when they are told to. */
const gated = Effect.fnUntraced(function* (options?: WebServer.Options) {
  const began = yield* Deferred.make<void>()
  const gate = yield* Deferred.make<void>()
  const over = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
  const waited = Deferred.succeed(began, undefined).pipe(
    Effect.andThen(Deferred.await(gate)),
    Effect.onExit((exit) => Deferred.succeed(over, exit)),
    Effect.as({})
  )
  const Service = GrpcServer.layer(TestService, {
    unaryCall: () => waited,
    streamingOutputCall: () => Stream.concat(Stream.make({}), Stream.fromEffect(waited)),
    fullDuplexCall: (requests) => Stream.mapEffect(requests, () => waited)
  })
  const server = GrpcServer.serve(Service).pipe(Layer.provide(WebServer.layer(options)))
  const { address, close } = yield* Started.onNode(server)
  assert(NetAddress.isInetAddress(address))
  return { began, close, gate, over: Deferred.await(over), port: address.port }
})

const kinds = {
  unary: [methods.unaryCall, {}],
  "server streaming": [methods.streamingOutputCall, {}],
  "both ways": [methods.fullDuplexCall, { rest: "open" }]
} as const

describe("a server that drains, and a client of grpc-js", () => {
  for (const [kind, [method, options]] of Object.entries(kinds)) {
    it.live(`${kind}: a call on its way is answered`, () =>
      Effect.gen(function* () {
        const { began, close, gate, port } = yield* gated()
        const client = yield* Js.client(port)
        const onReply = kind === "both ways" ? () => "end" as const : undefined
        const call = yield* Effect.forkChild(Js.call(client, method, [{}], { ...options, onReply }))
        yield* Deferred.await(began)
        const closing = yield* Effect.forkChild(close, { startImmediately: true })
        yield* Deferred.succeed(gate, undefined)
        const { code, details, replies } = yield* Fiber.join(call)
        assert.deepStrictEqual([code, replies.length], [GrpcJs.status.OK, kind === "server streaming" ? 2 : 1], details)
        yield* Fiber.join(closing)
      })
    )

    it.live(`${kind}: a call that takes too long ends with UNAVAILABLE, and its handler with it`, () =>
      Effect.gen(function* () {
        const { began, close, over, port } = yield* gated({ drainTimeout: "20 millis" })
        const client = yield* Js.client(port)
        const call = yield* Effect.forkChild(Js.call(client, method, [{}], options))
        yield* Deferred.await(began)
        yield* close
        const { code, details } = yield* Fiber.join(call)
        assert.strictEqual(code, GrpcJs.status.UNAVAILABLE, details)
        assert.isTrue(Exit.hasInterrupts(yield* over))
        // The server warns of it.
      }).pipe(new LogRecorder().listen)
    )
  }
})
