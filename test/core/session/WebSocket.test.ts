import { assert, describe, it } from "@effect/vitest"
import { WebSocket } from "@sluice/core/session/WebSocket"
import * as Effect from "effect/Effect"
import * as Connected from "../../harness/WebSocketConnected.ts"

describe("WebSocket", () => {
  it.effect("is a service, which a handler finds", () =>
    Effect.gen(function* () {
      const { socket } = yield* Connected.make()
      const found = yield* Effect.provideService(Effect.service(WebSocket), WebSocket, socket)
      assert.strictEqual(found, socket)
    })
  )

  it.effect("its functions can be handed around", () =>
    Effect.gen(function* () {
      const { say, socket, takeWrites } = yield* Connected.make()
      const reading = yield* Effect.forkChild(socket.runForEach(socket.send), { startImmediately: true })
      say([Connected.text, "'a'"], [Connected.close])
      yield* socket.closed
      assert.isDefined(reading.pollUnsafe())
      assert.deepStrictEqual(takeWrites(), ["81 01 61 88 00"])
    })
  )
})
