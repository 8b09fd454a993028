import { assert, describe, it } from "@effect/vitest"
import * as HubOptions from "@sluice/core/hub/HubOptions"

describe("HubOptions", () => {
  it("has its defaults", () => {
    assert.deepStrictEqual(HubOptions.resolve(), {
      name: "hub",
      maxRoomCount: 10_000,
      maxMemberCount: 10_000,
      maxNameLength: 256,
      maxChangeCount: 256,
      slowConsumer: { policy: "close", maxQueuedCount: 64, maxQueuedBytes: 256 * 1024 },
      backplaneQueue: { policy: "drop newest", maxQueuedCount: 1024, maxQueuedBytes: 4 * 1024 * 1024 }
    })
  })

  it("takes what is given", () => {
    assert.deepStrictEqual(
      HubOptions.resolve({
        name: "games",
        maxRooms: 1,
        maxMembersPerRoom: 2,
        maxRoomNameLength: 3,
        maxQueuedChanges: 4,
        slowConsumer: { policy: "drop newest" },
        backplaneQueue: { maxQueuedMessages: 5, maxQueuedSize: 6 }
      }),
      {
        name: "games",
        maxRoomCount: 1,
        maxMemberCount: 2,
        maxNameLength: 3,
        maxChangeCount: 4,
        slowConsumer: { policy: "drop newest", maxQueuedCount: 64, maxQueuedBytes: 256 * 1024 },
        backplaneQueue: { policy: "drop newest", maxQueuedCount: 5, maxQueuedBytes: 6 }
      }
    )
  })

  for (const option of ["maxRooms", "maxMembersPerRoom", "maxRoomNameLength", "maxQueuedChanges"] as const) {
    it(`names ${option} when it makes no sense`, () => {
      for (const value of [0, -1, 1.5, Number.POSITIVE_INFINITY, Number.NaN]) {
        assert.throws(() => HubOptions.resolve({ [option]: value }), RangeError, option)
      }
    })
  }
})
