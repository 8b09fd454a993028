import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { identity } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { closed, listen, local, rawClient, take } from "../harness/NodeNet.ts"

leaveNoHandles()

const tls = { certificates: identity("a") }

describe("NodeAdmission", () => {
  it.live("one handshake above maxOpening is closed and reported", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({ ...local, tls, maxOpening: 1 })
      const first = yield* rawClient(listener)
      const second = yield* rawClient(listener)
      yield* closed(second)
      const { reason } = yield* Queue.take(refusals)
      assert.deepInclude(reason, { _tag: "TooManyConnections", limit: "opening", limitCount: 1 })
      first.destroy()
    }).pipe(Effect.scoped)
  )

  it.live("a handshake that is over frees its place", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({ ...local, tls, maxOpening: 1 })
      for (let round = 0; round < 3; round++) {
        const client = yield* rawClient(listener)
        client.write("no TLS")
        assert.strictEqual((yield* Queue.take(refusals)).reason._tag, "TlsHandshakeFailed")
        yield* closed(client)
      }
    }).pipe(Effect.scoped)
  )

  it.live("cleartext without PROXY passes nothing, and is not counted", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ ...local, maxOpening: 1 })
      const clients = [yield* rawClient(listener), yield* rawClient(listener)]
      yield* take(transports)
      yield* take(transports)
      for (const client of clients) client.destroy()
    }).pipe(Effect.scoped)
  )
})
