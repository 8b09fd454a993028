import { assert, describe, it } from "@effect/vitest"
import * as TcpEcho from "@sluice/examples/tcp-echo"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Started from "./support/Started.ts"

describe("tcp-echo", () => {
  it.live("echoes every byte, also those that came just before the half-close", () =>
    Effect.gen(function* () {
      const { address } = yield* Started.onNode(TcpEcho.server)
      const { connection } = yield* Started.talk(address)
      const sent = new Uint8Array(300_000).map((_, index) => index % 251)
      yield* Effect.forkScoped(Effect.andThen(connection.send(sent), connection.end))
      const echoed = yield* Stream.runCollect(connection.stream)
      assert.deepStrictEqual(Buffer.concat(echoed), Buffer.from(sent))
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.effect("a connection on which nothing is under way ends when the server drains", () =>
    Effect.gen(function* () {
      const { address, close } = yield* Started.inMemory(TcpEcho.server)
      const { connection } = yield* Started.talk(address)
      yield* connection.send("x")
      yield* connection.receive
      const closing = yield* Effect.forkScoped(close)
      assert.strictEqual((yield* Effect.flip(connection.receive))._tag, "Done")
      yield* connection.end
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(Started.memory))
  )
})
