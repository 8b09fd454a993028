import { assert, describe, it } from "@effect/vitest"
import type { Change, Member } from "@sluice/core/hub/Presence"
import { PresenceFeed } from "@sluice/core/hub/PresenceFeed"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"

const member = (id: number): Member<string> => ({ id, room: "lobby", presence: `${id}` })
const joined = (id: number): Change<string> => ({ _tag: "Joined", member: member(id) })
const snapshotOf = (members: ReadonlyArray<Member<string>>): Change<string> => ({
  _tag: "Snapshot",
  members: [...members]
})

/** A feed of a room whose members are those of `joined`. */
const open = (maxCount: number) => {
  const members: Array<Member<string>> = []
  const feed = new PresenceFeed<string>(maxCount, () => [...members])
  const join = (id: number) => {
    members.push(member(id))
    feed.offer(joined(id))
  }
  return { feed, members, join }
}

describe("PresenceFeed", () => {
  it.effect("begins with a snapshot, and tells what came after it", () =>
    Effect.gen(function* () {
      const { feed, join, members } = open(8)
      join(1)
      assert.deepStrictEqual(yield* feed.pull, [snapshotOf(members)])
      join(2)
      join(3)
      assert.deepStrictEqual(yield* feed.pull, [joined(2), joined(3)])
    })
  )

  it.effect("wakes a reader that waits", () =>
    Effect.gen(function* () {
      const { feed, join } = open(8)
      yield* feed.pull
      const reader = yield* Effect.forkChild(feed.pull, { startImmediately: true })
      assert.strictEqual(reader.pollUnsafe(), undefined)
      join(1)
      assert.deepStrictEqual(yield* Fiber.join(reader), [joined(1)])
    })
  )

  it.effect("one change more than may wait, and there is a snapshot in their place", () =>
    Effect.gen(function* () {
      const { feed, join, members } = open(2)
      yield* feed.pull
      join(1)
      join(2)
      assert.deepStrictEqual(yield* feed.pull, [joined(1), joined(2)])
      for (const id of [3, 4, 5, 6]) join(id)
      assert.deepStrictEqual(yield* feed.pull, [snapshotOf(members)])
      join(7)
      assert.deepStrictEqual(yield* feed.pull, [joined(7)])
    })
  )

  it.effect("an interrupted reader loses nothing", () =>
    Effect.gen(function* () {
      const { feed, join } = open(8)
      yield* feed.pull
      yield* Fiber.interrupt(yield* Effect.forkChild(feed.pull, { startImmediately: true }))
      join(1)
      assert.deepStrictEqual(yield* feed.pull, [joined(1)])
    })
  )

  it.effect("the end wakes a reader, and stays", () =>
    Effect.gen(function* () {
      const { feed, join } = open(8)
      yield* feed.pull
      const ended = Pull.catchDone(Effect.as(feed.pull, "more"), () => Effect.succeed("done"))
      const reader = yield* Effect.forkChild(ended, { startImmediately: true })
      feed.end()
      assert.strictEqual(yield* Fiber.join(reader), "done")
      join(1)
      assert.strictEqual(yield* ended, "done")
    })
  )
})
