import { assert, describe, it } from "@effect/vitest"
import { Dialer } from "@sluice/core/transport/Dialer"
import * as NodeServices from "@sluice/node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

describe("NodeServices", () => {
  it.effect("has a dialer beside the platform's own services", () =>
    Effect.gen(function* () {
      const dialer = yield* Dialer
      const files = yield* FileSystem.FileSystem
      assert.isFunction(dialer.dial)
      assert.isTrue(yield* files.exists(import.meta.filename))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
