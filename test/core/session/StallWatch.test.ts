import { assert, describe, it } from "@effect/vitest"
import { type Limits, StallWatch } from "@sluice/core/session/StallWatch"
import * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { StubTransport } from "../../harness/StubTransport.ts"

const none: Limits = {
  idleMillis: Number.POSITIVE_INFINITY,
  readMillis: Number.POSITIVE_INFINITY,
  writeMillis: Number.POSITIVE_INFINITY
}

const watching = (limits: Partial<Limits>) =>
  Effect.map(Timers.make, (timers) => {
    const transport = new StubTransport()
    const reading = { midFrame: false }
    const watch = new StallWatch(transport, timers, { ...none, ...limits }, reading)
    const received = (): void => void transport.receivedBytes++
    /** Another byte for the peer, who does not take it. */
    const sent = (): void => {
      transport.sentBytes++
      transport.bufferedBytes++
    }
    const taken = (): void => void transport.bufferedBytes--
    return { timers, transport, reading, watch, received, sent, taken }
  })

type Watching = Effect.Success<ReturnType<typeof watching>>

/** Lets time pass, until the transport is destroyed. How long that took; `undefined` when it was not. */
const lastsMillis = (transport: StubTransport, mostMillis: number, stepMillis = 1) =>
  Effect.gen(function* () {
    for (let passed = 0; passed <= mostMillis; passed += stepMillis) {
      if (transport.state === "closed") return passed
      yield* TestClock.adjust(stepMillis)
    }
    return undefined
  })

// The stall begins `afterMillis` after the watch: anywhere between two of its looks.
const stalls: ReadonlyArray<
  readonly [rule: string, limits: Partial<Limits>, limitMillis: number, tag: string, begin: (self: Watching) => void]
> = [
  ["nothing comes or goes", { idleMillis: 400 }, 400, "IdleTimeout", (self) => self.received()],
  ["the peer took the last byte", { idleMillis: 400 }, 400, "IdleTimeout", (self) => self.transport.sentBytes++],
  [
    "a frame is left unfinished",
    { readMillis: 400 },
    400,
    "ReadStalled",
    (self) => {
      self.received()
      self.reading.midFrame = true
    }
  ],
  ["the peer takes nothing", { writeMillis: 400 }, 400, "WriteStalled", (self) => self.sent()],
  [
    "the peer takes nothing more",
    { writeMillis: 400 },
    400,
    "WriteStalled",
    (self) => {
      self.sent()
      self.sent()
      self.taken()
    }
  ],
  [
    "the write limit is the nearest of all",
    { idleMillis: 4_000, readMillis: 4_000, writeMillis: 400 },
    400,
    "WriteStalled",
    (self) => self.sent()
  ],
  [
    "a limit that is no multiple of the shortest",
    { idleMillis: 430, readMillis: 400, writeMillis: 400 },
    430,
    "IdleTimeout",
    (self) => self.received()
  ]
]

describe("a stall ends the connection between 1 and 1.25 of its limit", () => {
  for (const [rule, limits, limitMillis, tag, begin] of stalls) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        for (const afterMillis of [0, 1, 50, 99, 100, 101, 149, 199]) {
          const self = yield* watching(limits)
          yield* TestClock.adjust(afterMillis)
          begin(self)
          const millis = (yield* lastsMillis(self.transport, 10_000)) ?? Number.POSITIVE_INFINITY
          const where = `after ${afterMillis} ms: ${millis} ms`
          assert.strictEqual(self.transport.destroyedBy?.reason._tag, tag, where)
          assert.isAtLeast(millis, limitMillis, where)
          assert.isAtMost(millis, limitMillis * 1.25, where)
          assert.deepStrictEqual(self.transport.calls, ["destroy"])
          self.watch.stop()
        }
      })
    )
  }
})

// What happens every 300 ms keeps a limit of 400 ms away.
const activities: ReadonlyArray<
  readonly [rule: string, limits: Partial<Limits>, begin: (self: Watching) => void, again: (self: Watching) => void]
> = [
  ["bytes that come", { idleMillis: 400 }, () => {}, (self) => self.received()],
  [
    "bytes that go",
    { idleMillis: 400 },
    (self) => {
      self.transport.sentBytes = 100
      self.transport.bufferedBytes = 100
    },
    (self) => self.taken()
  ],
  [
    "a frame that comes slowly",
    { readMillis: 400 },
    (self) => {
      self.reading.midFrame = true
    },
    (self) => self.received()
  ],
  [
    "a peer that reads slowly",
    { writeMillis: 400 },
    (self) => {
      self.transport.sentBytes = 100
      self.transport.bufferedBytes = 100
    },
    (self) => self.taken()
  ],
  ["nobody in the midst of a frame", { readMillis: 400 }, () => {}, () => {}],
  ["nothing to be taken", { writeMillis: 400 }, () => {}, () => {}],
  [
    "a frame that is finished and another begun",
    { readMillis: 400 },
    (self) => {
      self.reading.midFrame = true
    },
    (self) => {
      self.received()
      self.reading.midFrame = !self.reading.midFrame
    }
  ]
]

describe("what keeps a connection", () => {
  for (const [rule, limits, begin, again] of activities) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const self = yield* watching(limits)
        begin(self)
        for (let round = 0; round < 20; round++) {
          yield* TestClock.adjust(299)
          again(self)
          yield* TestClock.adjust(1)
        }
        assert.deepStrictEqual(self.transport.calls, [])
      })
    )
  }
})

describe("the timer", () => {
  it.effect("is not armed when nothing is limited", () =>
    Effect.gen(function* () {
      const { timers } = yield* watching({})
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("is one, however many limits there are; none after stop", () =>
    Effect.gen(function* () {
      const { timers, transport, watch } = yield* watching({ idleMillis: 400, readMillis: 400, writeMillis: 400 })
      assert.strictEqual(timers.size(), 1)
      watch.stop()
      watch.stop()
      assert.strictEqual(timers.size(), 0)
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(transport.calls, [])
    })
  )

  it.effect("is not armed again after a stall", () =>
    Effect.gen(function* () {
      const { timers, transport } = yield* watching({ idleMillis: 400 })
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(transport.calls, ["destroy"])
      assert.strictEqual(timers.size(), 0)
    })
  )
})
