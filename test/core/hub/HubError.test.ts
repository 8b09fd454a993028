import { assert, describe, it } from "@effect/vitest"
import * as HubError from "@sluice/core/hub/HubError"
import * as Effect from "effect/Effect"

/** Each reason, who is at fault, and the close code for a peer that has no other use for its WebSocket. */
const reasons: ReadonlyArray<readonly [HubError.Reason, fault: string, closeCode: number, message: string]> = [
  [new HubError.RoomFull("lobby", 2), "limit", 1013, "the room is full: 2 members are there"],
  [new HubError.TooManyRooms(3), "limit", 1013, "there are 3 rooms, and no further one may begin"],
  [new HubError.RoomNameTooLong(9, 8), "limit", 1008, "the room's name has 9 characters, 8 are allowed"],
  [new HubError.SocketClosed(), "transport", 1000, "the WebSocket is closed"],
  [new HubError.HubClosed(), "caller", 1001, "the hub is closed"]
]

describe("HubError", () => {
  for (const [reason, fault, closeCode, message] of reasons) {
    it(`${reason._tag} says who is at fault, and what to say to the peer`, () => {
      assert.deepStrictEqual([reason.fault, reason.closeCode], [fault, closeCode])
      assert.strictEqual(HubError.make(reason).message, message)
    })
  }

  it.effect("its reasons can be caught by name", () =>
    Effect.gen(function* () {
      const fails: Effect.Effect<string, HubError.HubError> = Effect.fail(HubError.make(new HubError.RoomFull("a", 1)))
      const room = yield* fails.pipe(
        Effect.catchReason("HubError", "RoomFull", (reason) => Effect.succeed(reason.room))
      )
      assert.strictEqual(room, "a")
    })
  )
})
