import { assert, describe, it } from "@effect/vitest"
import type { HubMember } from "@sluice/core/hub/HubMember"
import { HubRoom } from "@sluice/core/hub/HubRoom"
import type { Departure, Outcome } from "@sluice/core/hub/Presence"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"

const message = WebSocketPrepared.make("hello")

/** A member that only counts what it gets; `onDeliver` runs in the middle of it. */
interface Stub {
  readonly id: number
  isPresent: boolean
  index: number
  got: number
  outcome: Outcome
  onDeliver: (() => void) | undefined
}

const open = (count: number) => {
  const removed: Array<readonly [id: number, Departure]> = []
  const room = new HubRoom<string>("lobby", (member, departure) => removed.push([member.id, departure]))
  const join = (id: number): Stub & HubMember<string> => {
    const stub: Stub = { id, isPresent: true, index: -1, got: 0, outcome: "sent", onDeliver: undefined }
    const member = Object.assign(stub, {
      deliver: () => {
        stub.got++
        stub.onDeliver?.()
        return stub.outcome
      },
      snapshot: () => ({ id, room: "lobby", presence: "" })
    }) as unknown as Stub & HubMember<string>
    room.add(member)
    return member
  }
  const leave = (member: Stub & HubMember<string>, departure: Departure = "left") => {
    member.isPresent = false
    room.remove(member, departure)
  }
  const members = Array.from({ length: count }, (_, index) => join(index + 1))
  const ids = () => room.snapshot().map(({ id }) => id)
  const got = () => members.map((member) => member.got)
  return { room, removed, join, leave, members, ids, got }
}

describe("HubRoom", () => {
  it("the last takes the place of one who leaves", () => {
    const { ids, leave, members, removed, room } = open(4)
    leave(members[1]!)
    assert.deepStrictEqual(ids(), [1, 4, 3])
    leave(members[3]!)
    leave(members[2]!, "too slow")
    leave(members[0]!)
    assert.deepStrictEqual(ids(), [])
    assert.strictEqual(room.size, 0)
    assert.deepStrictEqual(removed, [
      [2, "left"],
      [4, "left"],
      [3, "too slow"],
      [1, "left"]
    ])
  })

  it("counts what became of a message", () => {
    const { members, room } = open(6)
    for (const [index, outcome] of (["sent", "sent", "queued", "dropped", "closed", "sent"] as const).entries()) {
      members[index]!.outcome = outcome
    }
    assert.deepStrictEqual(room.broadcast(message, undefined), { sent: 3, queued: 1, dropped: 1, closed: 1 })
    assert.deepStrictEqual(room.broadcast(message, 6), { sent: 2, queued: 1, dropped: 1, closed: 1 })
  })

  it("everybody gets a message once, whoever leaves meanwhile", () => {
    for (const [at, gone] of [0, 1, 2, 3].flatMap((at) => [0, 1, 2, 3].map((gone) => [at, gone] as const))) {
      const { got, leave, members, removed, room } = open(4)
      members[at]!.onDeliver = () => leave(members[gone]!)
      room.broadcast(message, undefined)
      const expected = [1, 1, 1, 1]
      if (gone > at) expected[gone] = 0
      assert.deepStrictEqual(got(), expected, `${gone} leaves while ${at} gets it`)
      assert.strictEqual(room.size, 3)
      assert.deepStrictEqual(removed, [[gone + 1, "left"]])
    }
  })

  it("who joins meanwhile gets the next one", () => {
    const { join, members, room } = open(2)
    let late: Stub | undefined
    members[0]!.onDeliver = () => {
      late ??= join(3)
    }
    assert.strictEqual(room.broadcast(message, undefined).sent, 2)
    assert.strictEqual(late!.got, 0)
    assert.strictEqual(room.broadcast(message, undefined).sent, 3)
    assert.strictEqual(late!.got, 1)
  })

  it("a broadcast within a broadcast reaches everybody, and members are taken out after both", () => {
    const { got, leave, members, removed, room } = open(3)
    let inner = false
    members[1]!.onDeliver = () => {
      if (inner) return
      inner = true
      leave(members[0]!)
      room.broadcast(message, undefined)
      assert.deepStrictEqual(removed, [])
    }
    room.broadcast(message, undefined)
    assert.deepStrictEqual(got(), [1, 2, 2])
    assert.deepStrictEqual(removed, [[1, "left"]])
  })

  it("whoever hears of a departure may send at once", () => {
    const removed: Array<number> = []
    const delivered: Array<number> = []
    const member = (id: number) =>
      ({
        id,
        isPresent: true,
        deliver: () => {
          delivered.push(id)
          return "sent"
        }
      }) as unknown as HubMember<string>
    const room: HubRoom<string> = new HubRoom("lobby", ({ id }) => {
      removed.push(id)
      room.broadcast(message, undefined)
    })
    const [first, second, third] = [member(1), member(2), member(3)]
    for (const one of [first, second, third]) room.add(one!)
    Object.assign(second!, {
      deliver: () => {
        for (const one of [first, second]) {
          one!.isPresent = false
          room.remove(one!, "disconnected")
        }
        return "closed"
      }
    })
    room.broadcast(message, undefined)
    assert.deepStrictEqual(removed, [1, 2])
    assert.deepStrictEqual(delivered, [1, 3, 3, 3])
    assert.strictEqual(room.size, 1)
  })
})
