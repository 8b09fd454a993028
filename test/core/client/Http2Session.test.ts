import { assert, describe, it } from "@effect/vitest"
import * as Http2Session from "@sluice/core/client/Http2Session"
import * as Effect from "effect/Effect"
import * as Http2ClientWorld from "../../harness/Http2ClientWorld.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"

const target = { host: "server.test", port: 8080 }

describe("Http2Session", () => {
  it.effect("asks, and is answered", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* Http2ClientWorld.make()
        track(world as never)
        const session = yield* Effect.provide(Http2Session.connect(target), world.dialer)
        const response = yield* session.request({ path: "/a" })
        assert.strictEqual(response.status, 200)
        assert.strictEqual(yield* response.text(), "hello /a")
      })
    )
  )
})
