import { assert, describe, it } from "@effect/vitest"
import { ConnectionLost, WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import * as WebSocketInbox from "@sluice/core/session/WebSocketInbox"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

/** An inbox of 100 bytes, whose owner writes down what it is told. */
const make = () => {
  const calls: Array<string> = []
  const inbox = new WebSocketInbox.WebSocketInbox(
    {
      pauseReceiving: () => calls.push("pause"),
      resumeReceiving: () => calls.push("resume"),
      onDrained: () => calls.push("drained")
    },
    100
  )
  return { inbox, calls }
}

const lost = new WebSocketError({ reason: new ConnectionLost() })

describe("what it holds", () => {
  it("is counted with 16 bytes for each message; the high water pauses, a reader resumes", () => {
    const { calls, inbox } = make()
    for (let count = 0; count < 6; count++) inbox.push("")
    assert.deepStrictEqual(calls, [])
    inbox.push("1234")
    assert.deepStrictEqual(calls, ["pause"])
    inbox.push("more")
    inbox.take()
    inbox.take()
    assert.deepStrictEqual(calls, ["pause"])
    inbox.take()
    assert.deepStrictEqual(calls, ["pause", "resume"])
    assert.deepStrictEqual(inbox.takeAll(), ["", "", "", "1234", "more"])
    assert.isTrue(inbox.isEmpty)
  })

  it("is all taken at once, and resumes", () => {
    const { calls, inbox } = make()
    inbox.push("a".repeat(84))
    assert.deepStrictEqual(inbox.takeAll(), ["a".repeat(84)])
    assert.deepStrictEqual(calls, ["pause", "resume"])
  })

  it("is in order, however messages come and go", () => {
    const { inbox } = make()
    const taken: Array<unknown> = []
    for (let count = 0; count < 200; count++) {
      inbox.push(`${2 * count}`)
      inbox.push(`${2 * count + 1}`)
      taken.push(inbox.take())
      if (count % 7 === 0) taken.push(...inbox.takeAll())
    }
    taken.push(...inbox.takeAll())
    assert.deepStrictEqual(
      taken,
      Array.from({ length: 400 }, (_, index) => `${index}`)
    )
  })

  it("stays bounded once this side has closed, without a pause", () => {
    const { calls, inbox } = make()
    inbox.push("a".repeat(84))
    inbox.beginClosing()
    inbox.push("b")
    assert.deepStrictEqual(calls, ["pause", "resume"])
    inbox.take()
    inbox.push("c")
    assert.deepStrictEqual(inbox.takeAll(), ["c"])
    assert.deepStrictEqual(calls, ["pause", "resume"])
  })

  it("is nothing once it is discarded", () => {
    const { calls, inbox } = make()
    inbox.push("a".repeat(84))
    inbox.discard()
    inbox.push("b")
    inbox.beginClosing()
    inbox.push("c")
    assert.isTrue(inbox.isEmpty)
    assert.deepStrictEqual(calls, ["pause", "resume"])
  })
})

describe("a reader", () => {
  it.effect("is woken when it is said, for all that is there", () =>
    Effect.gen(function* () {
      const { inbox } = make()
      const reader = yield* Effect.forkChild(inbox.read(WebSocketInbox.messagesStep), { startImmediately: true })
      inbox.push("a")
      inbox.push("b")
      assert.isUndefined(reader.pollUnsafe())
      inbox.wake()
      assert.deepStrictEqual(yield* Fiber.join(reader), ["a", "b"])
    })
  )

  it.effect("is told the end behind what waits; the first reason counts", () =>
    Effect.gen(function* () {
      const { inbox } = make()
      const read = inbox.read(WebSocketInbox.messageStep)
      inbox.push("a")
      inbox.close(lost)
      inbox.close("ended")
      assert.strictEqual(yield* read, "a")
      assert.strictEqual(yield* Effect.flip(read), lost)
      const other = make().inbox
      const waiting = yield* Effect.forkChild(other.read(WebSocketInbox.messageStep), { startImmediately: true })
      other.close("ended")
      assert.deepStrictEqual(waiting.pollUnsafe(), WebSocketInbox.done)
    })
  )

  it.effect("of readiness takes nothing", () =>
    Effect.gen(function* () {
      const { inbox } = make()
      const ready = yield* Effect.forkChild(inbox.read(WebSocketInbox.readyStep), { startImmediately: true })
      inbox.push("a")
      inbox.wake()
      assert.deepStrictEqual(ready.pollUnsafe(), Exit.void)
      assert.strictEqual(inbox.take(), "a")
    })
  )
})

describe("drain", () => {
  it.effect("a reader that waits is in the midst of nothing", () =>
    Effect.gen(function* () {
      const { calls, inbox } = make()
      const reader = yield* Effect.forkChild(inbox.read(WebSocketInbox.messageStep), { startImmediately: true })
      inbox.drain()
      assert.deepStrictEqual(reader.pollUnsafe(), WebSocketInbox.done)
      assert.deepStrictEqual(calls, ["drained"])
    })
  )

  it.effect("one that has taken a message is busy until it asks for the next", () =>
    Effect.gen(function* () {
      const { calls, inbox } = make()
      inbox.push("a")
      inbox.push("b")
      const read = inbox.read(WebSocketInbox.messageStep)
      yield* read
      inbox.drain()
      assert.deepStrictEqual(calls, [])
      assert.strictEqual(yield* read, "b")
      assert.deepStrictEqual(calls, [])
      yield* Effect.flip(read)
      assert.deepStrictEqual(calls, ["drained"])
    })
  )

  it("where nobody has ever read, what waits is in flight, and nothing is not", () => {
    const waiting = make()
    waiting.inbox.push("a")
    waiting.inbox.drain()
    assert.deepStrictEqual(waiting.calls, [])
    const idle = make()
    idle.inbox.drain()
    assert.deepStrictEqual(idle.calls, ["drained"])
  })
})
