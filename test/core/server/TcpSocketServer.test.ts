import { assert, describe, it } from "@effect/vitest"
import * as TcpSocketServer from "@sluice/core/server/TcpSocketServer"
import * as Effect from "effect/Effect"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"

describe("TcpSocketServer", () => {
  it.effect("serves Effect's sockets, whose clean end is no noise", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.make((server) =>
        TcpSocketServer.make(server).run((socket) =>
          Effect.gen(function* () {
            const { pull } = yield* socket.reader
            const { writeAll } = yield* socket.writer
            while (true) yield* writeAll(yield* pull)
          }).pipe(
            Effect.scoped,
            Effect.catchReason("SocketError", "SocketCloseError", () => Effect.void)
          )
        )
      )
      assert.strictEqual(TcpSocketServer.make(world.server).address, world.server.address)
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
      peer.transport.end()
      yield* peer.heard.saw("close")
      assert.deepStrictEqual((yield* world.server.stats).closed, { Finished: 1 })
    })
  )
})
