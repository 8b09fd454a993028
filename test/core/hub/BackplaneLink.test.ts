import { assert, describe, it } from "@effect/vitest"
import * as Backplane from "@sluice/core/hub/Backplane"
import * as BackplaneLink from "@sluice/core/hub/BackplaneLink"
import * as BackplaneMessage from "@sluice/core/hub/BackplaneMessage"
import * as HubOptions from "@sluice/core/hub/HubOptions"
import { HubStats } from "@sluice/core/hub/HubStats"
import type * as SlowConsumer from "@sluice/core/hub/SlowConsumer"
import * as WebSocketPrepared from "@sluice/core/protocol/websocket/WebSocketPrepared"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { hex } from "../../harness/Hex.ts"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import { turns } from "../../harness/TransportContract.ts"

const down = Effect.fail(new Backplane.BackplaneError({ detail: "it is down" }))
const other = hex("0000000000000000")

const link = Effect.fnUntraced(function* (backplane: Partial<Backplane.Backplane>, queue?: SlowConsumer.Options) {
  const stats = new HubStats()
  const received: Array<string> = []
  const { offer } = yield* BackplaneLink.make({
    backplane: { publish: () => Effect.void, packets: Stream.never, ...backplane },
    queue: HubOptions.resolve({ backplaneQueue: queue }).backplaneQueue,
    stats,
    receive: (room, message) => received.push(`${room} ${new TextDecoder().decode(message.payload)}`)
  })
  const say = (text: string) => offer("lobby", WebSocketPrepared.make(text))
  const counts = () => [stats.backplaneSent, stats.backplaneLost]
  return { say, received, counts }
})

const packet = (text: string): Backplane.Packet => ({
  room: "lobby",
  bytes: BackplaneMessage.encode(other, WebSocketPrepared.make(text))
})

describe("the way out", () => {
  it.effect("publishes one after the other, and nobody waits for it", () =>
    Effect.gen(function* () {
      const gate = yield* Latch.make()
      const published: Array<number> = []
      const { counts, say } = yield* link({
        publish: ({ bytes }) =>
          Effect.andThen(
            gate.await,
            Effect.sync(() => published.push(bytes.length))
          )
      })
      for (const text of ["", "a", "bb"]) say(text)
      yield* turns
      assert.deepStrictEqual([published, counts()], [[], [0, 0]])
      yield* gate.open
      yield* turns
      assert.deepStrictEqual(
        [published, counts()],
        [
          [10, 11, 12],
          [3, 0]
        ]
      )
    })
  )

  it.effect("loses what is more than may wait, in messages and in bytes", () =>
    Effect.gen(function* () {
      for (const queue of [{ maxQueuedMessages: 2 }, { maxQueuedSize: 22 }]) {
        const gate = yield* Latch.make()
        const { counts, say } = yield* link({ publish: () => gate.await }, queue)
        say("0")
        yield* turns
        for (const text of ["1", "2", "3", "4"]) say(text)
        assert.deepStrictEqual(counts(), [0, 2])
        yield* gate.open
        yield* turns
        assert.deepStrictEqual(counts(), [3, 2])
      }
    })
  )

  it.effect("a failure loses its message, is told once, and the next one has its chance", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      let works = false
      yield* Effect.gen(function* () {
        const { counts, say } = yield* link({ publish: () => (works ? Effect.void : down) })
        for (const text of ["a", "b"]) say(text)
        yield* turns
        assert.deepStrictEqual(counts(), [0, 2])
        works = true
        say("c")
        yield* turns
        assert.deepStrictEqual(counts(), [1, 2])
        works = false
        say("d")
        yield* turns
      }).pipe(logs.listen)
      assert.deepStrictEqual(
        logs.entries.map(({ error, level, message }) => [level, message, String(error)]),
        Array(2).fill(["Warn", "The backplane does not take messages", "BackplaneError: it is down"])
      )
    })
  )

  it.effect("a defect is a failure too", () =>
    Effect.gen(function* () {
      let works = false
      const { counts, say } = yield* link({ publish: () => (works ? Effect.void : Effect.die("broken")) })
      say("a")
      yield* turns
      works = true
      say("b")
      yield* turns
      assert.deepStrictEqual(counts(), [1, 1])
    })
  )
})

describe("the way in", () => {
  it.effect("hands on what others wrote, and counts what it cannot read", () =>
    Effect.gen(function* () {
      const packets = Stream.concat(
        Stream.make(packet("a"), { room: "lobby", bytes: hex("ff") }, packet("b")),
        Stream.never
      )
      const { counts, received } = yield* link({ packets })
      yield* turns
      assert.deepStrictEqual(
        [received, counts()],
        [
          ["lobby a", "lobby b"],
          [0, 1]
        ]
      )
    })
  )

  it.effect("subscribes again after an end or a failure, ever more rarely, and anew once it has worked", () =>
    Effect.gen(function* () {
      const logs = new LogRecorder()
      let attempts = 0
      let next: Stream.Stream<Backplane.Packet, Backplane.BackplaneError> = Stream.fromEffect(down)
      const packets = Stream.suspend(() => {
        attempts++
        return next
      })
      yield* Effect.gen(function* () {
        const { received } = yield* link({ packets })
        yield* turns
        assert.strictEqual(attempts, 1)
        yield* TestClock.adjust("10 minutes")
        const inTenMinutes = attempts
        assert.isTrue(inTenMinutes > 15 && inTenMinutes < 45, `${inTenMinutes} attempts`)
        next = Stream.make(packet("back"))
        yield* TestClock.adjust("1 minute")
        assert.include(received, "lobby back")
        next = Stream.die("broken")
        const before = attempts
        yield* TestClock.adjust("1 second")
        assert.isAtLeast(attempts - before, 2)
      }).pipe(logs.listen)
      assert.isTrue(
        logs.entries.every(({ level, message }) => level === "Warn" && message === "The backplane has ended")
      )
      assert.include(
        logs.entries.map(({ error }) => String(error)),
        "BackplaneError: it is down"
      )
    })
  )

  it.effect("ends with its scope, whatever it waits for", () =>
    Effect.gen(function* () {
      let open = 0
      const counted = Effect.acquireRelease(
        Effect.sync(() => open++),
        () => Effect.sync(() => open--)
      )
      const scope = yield* Scope.make()
      const { say } = yield* Scope.provide(
        link({
          publish: () => Effect.scoped(Effect.andThen(counted, Effect.never)),
          packets: Stream.unwrap(Effect.as(counted, Stream.never))
        }),
        scope
      )
      say("a")
      yield* turns
      assert.strictEqual(open, 2)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(open, 0)
    })
  )
})
