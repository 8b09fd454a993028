import { assert, describe, it } from "@effect/vitest"
import { HubMember } from "@sluice/core/hub/HubMember"
import { HubRoom } from "@sluice/core/hub/HubRoom"
import { HubStats } from "@sluice/core/hub/HubStats"
import type { Departure, Outcome } from "@sluice/core/hub/Presence"
import * as SlowConsumer from "@sluice/core/hub/SlowConsumer"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as Scope from "effect/Scope"
import { FakeWebSocket } from "../../harness/FakeWebSocket.ts"
import { SeededRandom } from "../../harness/SeededRandom.ts"

const join = (slowConsumer?: SlowConsumer.Options) => {
  const counts = new HubStats()
  const departures: Array<Departure> = []
  const room = new HubRoom<string>("lobby", () => {})
  const owner = {
    counts,
    updated: () => {},
    departed: (_: unknown, departure: Departure) => departures.push(departure)
  }
  const socket = new FakeWebSocket()
  const scope = Scope.makeUnsafe()
  const member = new HubMember(1, room, socket, scope, "ann", owner, SlowConsumer.resolve(slowConsumer))
  member.watch()
  const send = (text: string): Outcome => member.deliver(WebSocketPrepared.make(text))
  const queued = () => [counts.slowMembers, counts.queuedMessages, counts.queuedBytes]
  return { member, socket, scope, counts, departures, send, queued }
}

const nothing = [0, 0, 0]

describe("HubMember", () => {
  it("a member that keeps up has no queue, and is not waited for", () => {
    const { queued, send, socket } = join()
    for (const text of ["a", "b", "c"]) assert.strictEqual(send(text), "sent")
    assert.deepStrictEqual(socket.texts, ["a", "b", "c"])
    assert.deepStrictEqual(queued(), nothing)
    assert.strictEqual(socket.waiterCount, 0)
  })

  it("what a full WebSocket does not take waits, and leaves in order", () => {
    const { counts, queued, send, socket } = join()
    socket.allow(1)
    assert.deepStrictEqual(["aa", "bb", "cc", "dd"].map(send), ["sent", "queued", "queued", "queued"])
    assert.deepStrictEqual(queued(), [1, 3, 6])
    assert.strictEqual(socket.offers, 2, "a message behind others is not offered")
    assert.strictEqual(socket.waiterCount, 1)
    socket.allow(2)
    assert.deepStrictEqual(socket.texts, ["aa", "bb", "cc"])
    assert.deepStrictEqual(queued(), [1, 1, 2])
    assert.strictEqual(socket.waiterCount, 1)
    assert.strictEqual(send("ee"), "queued", "it does not overtake")
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["aa", "bb", "cc", "dd", "ee"])
    assert.deepStrictEqual(queued(), nothing)
    assert.strictEqual(socket.waiterCount, 0)
    assert.strictEqual(send("ff"), "sent")
    assert.strictEqual(counts.deliveries, 4, "those that waited; the others are counted by who sent them")
  })

  it("a message that comes while the queue empties goes behind it", () => {
    const { send, socket } = join()
    socket.allow(0)
    for (const text of ["a", "b"]) send(text)
    socket.onTaken = () => {
      socket.onTaken = undefined
      assert.strictEqual(send("c"), "queued")
    }
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["a", "b", "c"])
  })

  it("drop oldest: the last ones stay", () => {
    const { counts, queued, send, socket } = join({ policy: "drop oldest", maxQueuedMessages: 2 })
    socket.allow(0)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(send), ["queued", "queued", "queued", "queued"])
    assert.deepStrictEqual(queued(), [1, 2, 2])
    assert.strictEqual(counts.dropped, 2)
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["c", "d"])
  })

  it("drop oldest: as many give way as a large one needs", () => {
    const { counts, queued, send, socket } = join({ policy: "drop oldest", maxQueuedSize: 6 })
    socket.allow(0)
    assert.deepStrictEqual(["aa", "bb", "cc", "dddd"].map(send), ["queued", "queued", "queued", "queued"])
    assert.deepStrictEqual(queued(), [1, 2, 6])
    assert.strictEqual(counts.dropped, 2)
    assert.strictEqual(send("e".repeat(7)), "dropped", "for one that could never wait, nobody gives way")
    assert.strictEqual(counts.dropped, 3)
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["cc", "dddd"])
  })

  it("drop newest: the first ones stay", () => {
    const { counts, queued, send, socket } = join({ policy: "drop newest", maxQueuedMessages: 2 })
    socket.allow(0)
    assert.deepStrictEqual(["a", "b", "c", "d"].map(send), ["queued", "queued", "dropped", "dropped"])
    assert.deepStrictEqual(queued(), [1, 2, 2])
    assert.strictEqual(counts.dropped, 2)
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["a", "b"])
  })

  it("close: one too many, and the member is gone with its queue", () => {
    const { counts, departures, member, queued, scope, send, socket } = join({ policy: "close", maxQueuedSize: 3 })
    socket.allow(0)
    assert.deepStrictEqual(["aa", "b", "c"].map(send), ["queued", "queued", "closed"])
    assert.deepStrictEqual(departures, ["too slow"])
    assert.deepStrictEqual(queued(), nothing)
    assert.deepStrictEqual([counts.closedSlow, counts.dropped], [1, 0])
    assert.isFalse(member.isPresent)
    assert.deepStrictEqual([socket.waiterCount, socket.observerCount], [0, 0])
    assert.strictEqual(scope.state._tag, "Closed")
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, [])
  })

  for (const [policy, outcome] of [
    ["close", "closed"],
    ["drop oldest", "dropped"],
    ["drop newest", "dropped"]
  ] as const) {
    it(`${policy}: a message that could never wait begins no queue`, () => {
      const { queued, send, socket } = join({ policy, maxQueuedSize: 3 })
      socket.allow(0)
      assert.strictEqual(send("aaaa"), outcome)
      assert.deepStrictEqual(queued(), nothing)
      assert.strictEqual(socket.waiterCount, 0)
    })
  }

  it("leaves when its WebSocket says that it is closing", () => {
    const { departures, send, socket } = join()
    socket.beginClosing()
    assert.strictEqual(send("a"), "closed")
    assert.deepStrictEqual(departures, ["disconnected"])
    assert.strictEqual(socket.observerCount, 0)
  })

  it("leaves when its WebSocket is over, and forgets what waits", () => {
    const { departures, queued, send, socket } = join()
    socket.allow(0)
    send("a")
    socket.finish()
    assert.deepStrictEqual(departures, ["disconnected"])
    assert.deepStrictEqual(queued(), nothing)
  })

  it("leaves at once when its WebSocket was over before", () => {
    const { departures, member, socket } = join()
    socket.finish()
    member.watch()
    assert.deepStrictEqual(departures, ["disconnected"])
    assert.strictEqual(socket.observerCount, 0)
  })

  it("leaves when its queue meets a closing WebSocket", () => {
    const { departures, queued, send, socket } = join()
    socket.allow(0)
    send("a")
    socket.beginClosing()
    socket.allow(9)
    assert.deepStrictEqual(departures, ["disconnected"])
    assert.deepStrictEqual(queued(), nothing)
  })

  it("may leave while its queue empties", () => {
    const { departures, member, queued, send, socket } = join()
    socket.allow(0)
    for (const text of ["a", "b"]) send(text)
    socket.onTaken = () => member.depart("left")
    socket.allow(9)
    assert.deepStrictEqual(socket.texts, ["a"])
    assert.deepStrictEqual(departures, ["left"])
    assert.deepStrictEqual(queued(), nothing)
    assert.strictEqual(socket.waiterCount, 0)
  })

  it("leaves once", () => {
    const { departures, member, socket } = join()
    member.depart("left")
    member.depart("too slow")
    socket.finish()
    assert.deepStrictEqual(departures, ["left"])
  })

  for (const policy of ["drop oldest", "drop newest"] as const) {
    it(`${policy}: whatever the peer does, order is kept and the counts are true`, () => {
      for (let seed = 1; seed <= 30; seed++) {
        const random = new SeededRandom(seed)
        const { counts, queued, send, socket } = join({ policy, maxQueuedMessages: 5, maxQueuedSize: 20 })
        let notDropped = 0
        for (let step = 0; step < 200; step++) {
          if (random.below(4) === 0) socket.allow(random.below(6))
          else if (send(`${step} `.padEnd(4 + random.below(6))) !== "dropped") notDropped++
          assert.isAtMost(counts.queuedMessages, 5)
          assert.isAtMost(counts.queuedBytes, 20)
        }
        socket.allow(Number.POSITIVE_INFINITY)
        assert.deepStrictEqual(queued(), nothing, `seed ${seed}`)
        const numbers = socket.texts.map(Number)
        assert.deepStrictEqual(
          numbers,
          [...new Set(numbers)].sort((a, b) => a - b),
          `seed ${seed}`
        )
        assert.strictEqual(numbers.length, policy === "drop newest" ? notDropped : notDropped - counts.dropped)
      }
    })
  }
})
