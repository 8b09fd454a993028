import { assert, describe, it } from "@effect/vitest"
import * as PoolConnection from "@sluice/core/pool/PoolConnection"
import type { PoolCore } from "@sluice/core/pool/PoolCore"
import { finalizer, PoolLease } from "@sluice/core/pool/PoolLease"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

describe("PoolLease", () => {
  it("gives back once, whoever ends it first", () => {
    const given: Array<Exit.Exit<unknown, unknown> | undefined> = []
    const core = { giveBack: (_: unknown, exit: Exit.Exit<unknown, unknown> | undefined) => given.push(exit) }
    const lease = new PoolLease(core as unknown as PoolCore<string, never>)
    lease.giveBack(Exit.void)
    assert.deepStrictEqual(given, [])
    lease.connection = new PoolConnection.PoolConnection<string>(PoolConnection.makeCounts())
    Effect.runSync(finalizer(lease)(Exit.fail("no")))
    lease.giveBackUnused()
    assert.deepStrictEqual(given, [Exit.fail("no")])
  })
})
