import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"

describe("TcpServer.runTransports", () => {
  it.effect("serves by callbacks", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.make((server) =>
        server.runTransports((transport) => ({
          onBytes: (chunk) => void transport.write(chunk),
          onDrain: () => {},
          onEnd: () => transport.end(),
          onClose: () => {}
        }))
      )
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
      peer.transport.end()
      yield* peer.heard.saw("close")
      assert.deepStrictEqual((yield* world.server.stats).closed, { Finished: 1 })
    })
  )

  it.effect("a receiver that cannot be made costs its own connection", () =>
    Effect.gen(function* () {
      let opened = 0
      const world = yield* MemoryWorld.make((server) =>
        server.runTransports((transport) => {
          if (opened++ === 0) throw new Error("no receiver")
          return { onBytes: (chunk) => void transport.write(chunk), onDrain() {}, onEnd() {}, onClose() {} }
        })
      )
      const unlucky = yield* world.peer()
      yield* unlucky.heard.saw("close")
      const peer = yield* world.peer()
      peer.write("hello")
      yield* peer.heard.until((heard) => heard.text === "hello")
    })
  )

  it.effect("an idle transport is closed", () =>
    Effect.gen(function* () {
      const world = yield* MemoryWorld.make((server) =>
        server.runTransports(() => ({ onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} }))
      )
      const peer = yield* world.peer()
      yield* TestClock.adjust("5 minutes")
      yield* peer.heard.saw("close")
      assert.deepStrictEqual((yield* world.server.stats).closed, { IdleTimeout: 1 })
    })
  )
})
