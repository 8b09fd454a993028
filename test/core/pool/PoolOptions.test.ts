import { assert, describe, it } from "@effect/vitest"
import * as PoolOptions from "@sluice/core/pool/PoolOptions"
import * as Effect from "effect/Effect"

type All = PoolOptions.Options<string, never> & PoolOptions.Size

const wrong: ReadonlyArray<readonly [option: keyof All, options: All]> = [
  ["minConnections", { minConnections: -1 }],
  ["minConnections", { minConnections: 11 }],
  ["maxConnections", { maxConnections: 0 }],
  ["maxConnections", { maxConnections: 1.5 }],
  ["idleTimeout", { idleTimeout: 0 }],
  ["maxLifetime", { maxLifetime: "-1 seconds" }],
  ["lifetimeJitter", { lifetimeJitter: 2 }],
  ["lifetimeJitter", { lifetimeJitter: Number.NaN }],
  ["acquireTimeout", { acquireTimeout: Number.POSITIVE_INFINITY }],
  ["maxWaiters", { maxWaiters: -1 }],
  ["connectTimeout", { connectTimeout: 0 }],
  ["testOnCheckout", { test: () => Effect.void, testOnCheckout: 0 }],
  ["testOnReturn", { testOnReturn: "sometimes" as "always" }],
  ["testTimeout", { testTimeout: 0 }],
  ["order", { order: "any" as "newest first" }],
  ["upkeepInterval", { upkeepInterval: 0 }],
  ["drainTimeout", { drainTimeout: -1 }],
  ["closeTimeout", { closeTimeout: 0 }]
]

describe("PoolOptions", () => {
  for (const [option, options] of wrong) {
    it(`${JSON.stringify(options)} names ${option}`, () => {
      assert.throws(() => PoolOptions.resolve(options), new RegExp(`^${option} must be`))
    })
  }

  it("fills in defaults", () => {
    const resolved = PoolOptions.resolve<string, never>({})
    assert.deepInclude(resolved, { minCount: 0, maxCount: 10, idleMillis: 600_000, lifetimeMillis: 1_800_000 })
    assert.deepInclude(resolved, { acquireMillis: 30_000, connectMillis: 10_000, maxWaiterCount: 1000 })
    assert.deepInclude(resolved, { testAfterMillis: Number.POSITIVE_INFINITY, afterReturn: undefined })
  })

  it("tests before lending if there is a test, after return only if told so", () => {
    const test = () => Effect.void
    assert.deepInclude(PoolOptions.resolve<string, never>({ test }), { testAfterMillis: 0, afterReturn: undefined })
    assert.strictEqual(PoolOptions.resolve<string, never>({ test, testOnReturn: "always" }).afterReturn, test)
    assert.strictEqual(PoolOptions.resolve<string, never>({ test, testOnCheckout: "1 second" }).testAfterMillis, 1000)
  })
})
