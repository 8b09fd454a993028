import { assert, describe, it } from "@effect/vitest"
import * as SlowConsumer from "@sluice/core/hub/SlowConsumer"

describe("SlowConsumer", () => {
  it("has its defaults", () => {
    assert.deepStrictEqual(SlowConsumer.resolve(undefined), {
      policy: "close",
      maxQueuedCount: 64,
      maxQueuedBytes: 262_144
    })
    assert.deepStrictEqual(SlowConsumer.resolve({}), SlowConsumer.defaults)
  })

  it("what is not given is as the others have it", () => {
    const others = SlowConsumer.resolve({ policy: "drop oldest", maxQueuedMessages: 2, maxQueuedSize: "3 B" })
    assert.deepStrictEqual(others, { policy: "drop oldest", maxQueuedCount: 2, maxQueuedBytes: 3 })
    assert.deepStrictEqual(SlowConsumer.resolve({ policy: "close" }, others), { ...others, policy: "close" })
    assert.deepStrictEqual(SlowConsumer.resolve({ maxQueuedMessages: 5 }, others), { ...others, maxQueuedCount: 5 })
    assert.deepStrictEqual(SlowConsumer.resolve({ maxQueuedSize: "1 KiB" }, others), {
      ...others,
      maxQueuedBytes: 1024
    })
  })

  it("refuses limits that make no sense", () => {
    assert.throws(() => SlowConsumer.resolve({ maxQueuedMessages: 0 }), RangeError, "maxQueuedMessages")
    assert.throws(() => SlowConsumer.resolve({ maxQueuedSize: 0 }), RangeError, "maxQueuedSize")
  })
})
