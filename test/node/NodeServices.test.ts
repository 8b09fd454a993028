import { assert, describe, it } from "@effect/vitest"
import { Dialer } from "@sluice/core/transport/Dialer"
import * as NodeServices from "@sluice/node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { Dns } from "effect/net/Dns"

describe("NodeServices", () => {
  it.effect("has a dialer and name resolution beside the platform's own services", () =>
    Effect.gen(function* () {
      const dialer = yield* Dialer
      const files = yield* FileSystem.FileSystem
      const dns = yield* Dns
      assert.isFunction(dialer.dial)
      assert.isAbove((yield* dns.lookup("localhost")).length, 0)
      assert.isTrue(yield* files.exists(import.meta.filename))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
