/**
 * The official interop cases of gRPC with Python's grpcio, which stands on
 * gRPC's C core: its client against our server, and our client against its
 * server, over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as GrpcInterop from "../harness/GrpcInterop.ts"
import * as GrpcPython from "../harness/GrpcPython.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import * as Tool from "../harness/Tool.ts"

leaveNoHandles()

const missing = GrpcPython.missing()

describe.skipIf(missing !== undefined)(`a client of grpcio, our server${Tool.skipped(missing)}`, () => {
  it.live("all cases", () =>
    Effect.gen(function* () {
      const outcomes = yield* GrpcPython.runCases(yield* GrpcInterop.serve())
      assert.deepStrictEqual(outcomes, Object.fromEntries(GrpcInterop.caseNames.map((name) => [name, "passed"])))
    }).pipe(Effect.timeout("15 seconds"))
  )
})

/** A handler of grpcio does not see whether a request was compressed. */
const withoutPeer: ReadonlyArray<GrpcInterop.CaseName> = ["client_compressed_unary", "client_compressed_streaming"]

describe.skipIf(missing !== undefined)(`our client, a server of grpcio${Tool.skipped(missing)}`, () => {
  for (const name of withoutPeer) {
    it.skip(`${name} (skipped: grpcio tells no handler that a request was not compressed)`, () => {})
  }

  it.live("all other cases", () =>
    Effect.gen(function* () {
      const port = yield* GrpcPython.serve
      for (const name of GrpcInterop.caseNames) {
        if (withoutPeer.includes(name)) continue
        yield* Effect.catch(GrpcInterop.runCase(name, port), (error) =>
          Effect.sync(() => assert.fail(`${name}: ${error.message}`))
        )
      }
    }).pipe(Effect.timeout("15 seconds"))
  )
})
