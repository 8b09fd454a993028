import { assert, describe, it } from "@effect/vitest"
import { Dialer } from "@sluice/core/transport/Dialer"
import { Listener } from "@sluice/core/transport/Listener"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { accept, local } from "../harness/NodeNet.ts"
import { echo, record } from "../harness/TransportContract.ts"

leaveNoHandles()

describe("NodeTransport", () => {
  it.live("its two layers find each other", () =>
    Effect.gen(function* () {
      const listener = yield* Listener
      const { transports } = yield* accept(listener)
      const client = yield* Effect.flatMap(Dialer, (dialer) => dialer.dial(listener.address))
      echo(yield* Queue.take(transports))
      const received = record(client)
      client.write(Buffer.from("hello"))
      yield* received.until(() => received.text === "hello")
      client.end()
      yield* received.saw("close")
      assert.isUndefined(received.closeError)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeTransport.layerListener(local), NodeTransport.layerDialer())))
  )
})
