import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import type { GrpcCallOptions } from "@sluice/core/grpc/client/GrpcCallOptions"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcMessageWriter from "@sluice/core/protocol/grpc/GrpcMessageWriter"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FakeConnector from "../../../harness/FakeConnector.ts"
import { Greeter, HelloReplySchema } from "../../../harness/protobuf/hello_pb.ts"

const reply = (message: string) =>
  GrpcMessageWriter.join(toBinary(HelloReplySchema, create(HelloReplySchema, { message })), "plain")

const started = (options?: GrpcCallOptions, calls?: Partial<CallDefaults>) =>
  Effect.gen(function* () {
    const connector = yield* FakeConnector.make()
    const client = yield* Effect.provide(GrpcClient.make(Greeter), FakeConnector.channel(connector, calls))
    const fiber = yield* Effect.forkChild(client.sayHello({ name: "Ada" }, options))
    yield* Effect.yieldNow
    return { connector, fiber }
  })

describe("a method with one reply", () => {
  it.effect("goes well", () =>
    Effect.gen(function* () {
      const { connector, fiber } = yield* started({ timeout: "1 second" })
      const stream = connector.last
      assert.strictEqual(stream.attempt.path, "/hello.Greeter/SayHello")
      assert.deepStrictEqual(
        { ...stream.attempt.headers },
        {
          te: "trailers",
          "content-type": "application/grpc",
          "user-agent": "fake",
          "grpc-timeout": "1000m"
        }
      )
      stream.head()
      stream.data(reply("hello"))
      stream.finish()
      const answer = yield* Fiber.join(fiber)
      assert.strictEqual(answer.message, "hello")
      connector.assertNothingLeft()
    })
  )
})
