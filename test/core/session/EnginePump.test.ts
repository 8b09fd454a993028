import { assert, describe, it } from "@effect/vitest"
import * as EnginePump from "@sluice/core/session/EnginePump"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { StubTransport } from "../../harness/StubTransport.ts"
import { ToyEngine } from "../../harness/ToyEngine.ts"
import { bytes, record, turns } from "../../harness/TransportContract.ts"

const lost = TransportError.make(new TransportError.ConnectionLost("ECONNRESET"))

/** A pump over a stub: every write is seen as it was made. */
const pumping = <E extends ToyEngine>(engine: E) =>
  Effect.map(Timers.make, (timers) => {
    const transport = new StubTransport()
    const heard: Array<string> = []
    const pump = EnginePump.makeUnsafe(transport, engine, timers, {
      onBlocked: () => heard.push("blocked"),
      onWritable: () => heard.push("writable"),
      onClose: (error) => heard.push(`close ${error?.reason._tag ?? "cleanly"}`)
    })
    return { engine, timers, transport, heard, pump, receiver: transport.receiver! }
  })

const toy = (): ToyEngine => new ToyEngine({ answers: true, idleMillis: 1_000 })

describe("makeUnsafe", () => {
  it.effect("starts reading, sends what the engine has to say already, and arms its deadline", () =>
    Effect.gen(function* () {
      const engine = toy()
      engine.sendLine("hello")
      const { timers, transport } = yield* pumping(engine)
      assert.deepStrictEqual(transport.calls, ["resume", "write hello\n"])
      assert.strictEqual(timers.size(), 1)
    })
  )
})

describe("a turn is one write", () => {
  it.effect("of all answers to one chunk", () =>
    Effect.gen(function* () {
      const { receiver, transport } = yield* pumping(toy())
      transport.takeCalls()
      receiver.onBytes(bytes("a\nb\nc"))
      assert.deepStrictEqual(transport.takeCalls(), ["write a\nb\n"])
      receiver.onBytes(bytes("\n"))
      assert.deepStrictEqual(transport.takeCalls(), ["write c\n"])
    })
  )

  it.effect("of commands, also in turns within turns", () =>
    Effect.gen(function* () {
      const { engine, pump, transport } = yield* pumping(toy())
      transport.takeCalls()
      pump.turn(() => {
        engine.sendLine("a")
        pump.turn(() => engine.sendLine("b"))
        assert.deepStrictEqual(transport.calls, [])
        pump.wake()
        engine.sendLine("c")
      })
      assert.deepStrictEqual(transport.takeCalls(), ["write a\nb\nc\n"])
      yield* turns
      assert.deepStrictEqual(transport.calls, [])
    })
  )

  it.effect("of commands that a handler runs while a chunk is received", () =>
    Effect.gen(function* () {
      class Chatty extends ToyEngine {
        turn: () => void = () => {}
        override receive(chunk: Uint8Array, nowMillis: number): void {
          super.receive(chunk, nowMillis)
          this.turn()
        }
      }
      const { engine, pump, receiver, transport } = yield* pumping(new Chatty({ answers: true, idleMillis: 1_000 }))
      engine.turn = () => pump.turn(() => engine.sendLine("more"))
      transport.takeCalls()
      receiver.onBytes(bytes("a\n"))
      assert.deepStrictEqual(transport.calls, ["write a\nmore\n"])
    })
  )

  it.effect("of much: handed over unjoined", () =>
    Effect.gen(function* () {
      const { engine, pump, transport } = yield* pumping(toy())
      transport.takeCalls()
      pump.turn(() => {
        engine.output.write(new Uint8Array(50_000).fill(0x61))
        engine.output.write(new Uint8Array(50_000).fill(0x62))
      })
      assert.match(transport.calls.join(), /^writeAll a{50000}\|b{50000}$/)
    })
  )

  it.effect("of very much: in parts, each when the one before was taken, and the end behind the last", () =>
    Effect.gen(function* () {
      const { engine, heard, pump, receiver, transport } = yield* pumping(toy())
      transport.network = "full"
      pump.turn(() => {
        engine.output.write(new Uint8Array(300_000))
        engine.output.end()
      })
      const steps = [[transport.sentBytes, pump.waitingBytes]]
      for (let part = 0; part < 2; part++) {
        transport.bufferedBytes = 0
        receiver.onDrain()
        steps.push([transport.sentBytes, pump.waitingBytes])
      }
      assert.deepStrictEqual(steps, [
        [131_072, 168_928],
        [262_144, 37_856],
        [300_000, 0]
      ])
      assert.strictEqual(transport.calls.at(-1), "end")
      assert.strictEqual(transport.calls.filter((call) => call === "end").length, 1)
      transport.bufferedBytes = 0
      receiver.onDrain()
      assert.deepStrictEqual(heard, ["blocked", "writable"])
    })
  )

  it.effect("and no write when there is nothing to say", () =>
    Effect.gen(function* () {
      const { pump, receiver, transport } = yield* pumping(toy())
      transport.takeCalls()
      receiver.onBytes(bytes("unfin"))
      pump.turn(() => {})
      pump.wake()
      yield* turns
      assert.deepStrictEqual(transport.calls, [])
    })
  )
})

describe("wakeSoon", () => {
  it.effect("sends in one write what fibers of the same moment have to say", () =>
    Effect.gen(function* () {
      const { engine, pump, transport } = yield* pumping(toy())
      transport.takeCalls()
      const say = (line: string) =>
        Effect.andThen(
          Effect.yieldNow,
          Effect.sync(() => {
            engine.sendLine(line)
            pump.wakeSoon()
          })
        )
      yield* Effect.all([say("a"), say("b"), say("c")], { concurrency: "unbounded" })
      yield* turns
      assert.deepStrictEqual(transport.takeCalls(), ["write a\nb\nc\n"])
      engine.sendLine("d")
      pump.wakeSoon()
      pump.wake()
      pump.turn(() => {})
      assert.deepStrictEqual(transport.takeCalls(), ["write d\n"])
      yield* turns
      assert.deepStrictEqual(transport.takeCalls(), [])
    })
  )
})

describe("wake", () => {
  it.effect("sends once at the end of the host's turn, however often it is called", () =>
    Effect.gen(function* () {
      const { engine, pump, transport } = yield* pumping(toy())
      transport.takeCalls()
      for (const line of ["a", "b", "c"]) {
        engine.sendLine(line)
        pump.wake()
      }
      assert.deepStrictEqual(transport.calls, [])
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(transport.takeCalls(), ["write a\nb\nc\n"])
      engine.sendLine("d")
      pump.wake()
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(transport.calls, ["write d\n"])
    })
  )

  it.effect("a turn before that takes its bytes with it", () =>
    Effect.gen(function* () {
      const { engine, pump, receiver, transport } = yield* pumping(toy())
      transport.takeCalls()
      engine.sendLine("a")
      pump.wake()
      receiver.onBytes(bytes("b\n"))
      yield* turns
      assert.deepStrictEqual(transport.calls, ["write a\nb\n"])
    })
  )
})

describe("a slow peer", () => {
  /** Holds lines back while the output is blocked, as an engine with a queue does. */
  class Queueing extends ToyEngine {
    readonly queued: Array<string> = []
    override resumeSending(): void {
      for (const line of this.queued.splice(0)) this.sendLine(line)
    }
  }

  it.effect("blocks the output until it drains; then the queue goes first, and the owner hears", () =>
    Effect.gen(function* () {
      const { engine, heard, pump, receiver, transport } = yield* pumping(
        new Queueing({ answers: true, idleMillis: 1_000 })
      )
      transport.takeCalls()
      assert.isTrue(pump.writable())
      transport.network = "full"
      pump.turn(() => engine.sendLine("a"))
      assert.isFalse(pump.writable())
      assert.isTrue(engine.output.blocked)
      engine.queued.push("b", "c")
      transport.network = "takes all"
      receiver.onDrain()
      assert.deepStrictEqual(transport.takeCalls(), ["write a\n", "write b\nc\n"])
      assert.isTrue(pump.writable())
      assert.deepStrictEqual(heard, ["blocked", "writable"])
    })
  )

  it.effect("a queue that fills the transport again blocks again; the owner hears once each time", () =>
    Effect.gen(function* () {
      const { engine, heard, pump, receiver, transport } = yield* pumping(
        new Queueing({ answers: true, idleMillis: 1_000 })
      )
      transport.network = "full"
      pump.turn(() => engine.sendLine("a"))
      pump.turn(() => engine.sendLine("a"))
      assert.deepStrictEqual(heard, ["blocked"])
      engine.queued.push("b")
      receiver.onDrain()
      assert.isFalse(pump.writable())
      assert.deepStrictEqual(heard, ["blocked", "writable", "blocked"])
    })
  )

  it.effect("what the owner says when it hears goes behind the queue, in the same write", () =>
    Effect.gen(function* () {
      const engine = new Queueing({ answers: true, idleMillis: 1_000 })
      const timers = yield* Timers.make
      const transport = new StubTransport()
      const pump = EnginePump.makeUnsafe(transport, engine, timers, {
        onWritable: () => pump.turn(() => engine.sendLine("owner")),
        onClose: () => {}
      })
      transport.network = "full"
      pump.turn(() => engine.sendLine("a"))
      engine.queued.push("b")
      transport.network = "takes all"
      transport.takeCalls()
      transport.receiver!.onDrain()
      assert.deepStrictEqual(transport.calls, ["write b\nowner\n"])
    })
  )
})

describe("deadlines", () => {
  it.effect("are served at their time, and move with what is received", () =>
    Effect.gen(function* () {
      const { receiver, transport } = yield* pumping(toy())
      transport.takeCalls()
      yield* TestClock.adjust(999)
      receiver.onBytes(bytes("x"))
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(transport.calls, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(transport.calls, ["destroy"])
    })
  )

  it.effect("move with commands, and are disarmed with Infinity", () =>
    Effect.gen(function* () {
      const { engine, pump, timers, transport } = yield* pumping(toy())
      pump.turn(() => {
        engine.deadlineMillis = 50
      })
      yield* TestClock.adjust(40)
      pump.turn(() => {
        engine.deadlineMillis = Number.POSITIVE_INFINITY
      })
      assert.strictEqual(timers.size(), 0)
      yield* TestClock.adjust(10_000)
      assert.notInclude(transport.calls, "destroy")
    })
  )

  it.effect("are armed anew by an engine that keeps on", () =>
    Effect.gen(function* () {
      class Ticking extends ToyEngine {
        override advance(nowMillis: number): void {
          this.sendLine(String(nowMillis))
          this.deadlineMillis = nowMillis + 100
        }
      }
      const { transport } = yield* pumping(new Ticking({ answers: true, idleMillis: 100 }))
      transport.takeCalls()
      yield* TestClock.adjust(350)
      assert.deepStrictEqual(transport.calls, ["write 100\n", "write 200\n", "write 300\n"])
    })
  )

  it.effect("of an engine that has aborted are not served again and again", () =>
    Effect.gen(function* () {
      class GivingUp extends ToyEngine {
        advances = 0
        override advance(): void {
          if (++this.advances > 100) throw new Error("served for ever")
          this.output.abort()
        }
      }
      const { engine, timers, transport } = yield* pumping(new GivingUp({ answers: true, idleMillis: 100 }))
      transport.takeCalls()
      yield* TestClock.adjust(1_000)
      assert.strictEqual(engine.advances, 1)
      assert.deepStrictEqual(transport.calls, ["destroy"])
      assert.strictEqual(timers.size(), 0)
    })
  )
})

describe("the end", () => {
  it.effect("follows the last bytes", () =>
    Effect.gen(function* () {
      const { receiver, transport } = yield* pumping(toy())
      transport.takeCalls()
      receiver.onBytes(bytes("quit\n"))
      assert.deepStrictEqual(transport.calls, ["write bye\n", "end"])
    })
  )

  it.effect("of the peer is handed to the engine, which may still speak", () =>
    Effect.gen(function* () {
      class Polite extends ToyEngine {
        override receiveEnd(): void {
          this.sendLine("bye")
          super.receiveEnd()
        }
      }
      const { receiver, transport } = yield* pumping(new Polite({ answers: true, idleMillis: 1_000 }))
      transport.takeCalls()
      receiver.onEnd()
      assert.deepStrictEqual(transport.calls, ["write bye\n", "end"])
    })
  )

  it.effect("an abort destroys, after the last bytes", () =>
    Effect.gen(function* () {
      const { engine, pump, transport } = yield* pumping(toy())
      transport.takeCalls()
      pump.turn(() => {
        engine.sendLine("a")
        engine.output.abort()
        engine.sendLine("b")
      })
      assert.deepStrictEqual(transport.calls, ["write a\n", "destroy"])
    })
  )

  it.effect("the owner may destroy, with its reason", () =>
    Effect.gen(function* () {
      const { pump, transport } = yield* pumping(toy())
      pump.destroy(lost)
      assert.strictEqual(transport.destroyedBy, lost)
    })
  )
})

describe("an owner that throws", () => {
  for (const [where, act] of [
    ["in commands", (pump: EnginePump.EnginePump) => pump.turn(() => assert.fail("boom"))],
    ["in turns within turns", (pump: EnginePump.EnginePump) => pump.turn(() => pump.turn(() => assert.fail("boom")))]
  ] as const) {
    it.effect(`${where} ends its connection, and keeps no later turn from being written`, () =>
      Effect.gen(function* () {
        const { engine, pump, timers, transport } = yield* pumping(toy())
        transport.takeCalls()
        assert.throws(() => act(pump), "boom")
        assert.deepStrictEqual(transport.takeCalls().at(-1), "destroy")
        assert.strictEqual(timers.size(), 0)
        pump.turn(() => engine.sendLine("a"))
        assert.include(transport.takeCalls(), "write a\n")
      })
    )
  }

  it.effect("for what came does so, too", () =>
    Effect.gen(function* () {
      const engine = toy()
      const { receiver, transport } = yield* pumping(engine)
      transport.takeCalls()
      engine.receive = () => assert.fail("boom")
      assert.throws(() => receiver.onBytes(bytes("a\n")), "boom")
      assert.deepStrictEqual(transport.takeCalls(), ["destroy"])
    })
  )
})

describe("the close", () => {
  it.effect("is told to the engine, then to the owner", () =>
    Effect.gen(function* () {
      const { engine, heard, receiver, timers } = yield* pumping(toy())
      receiver.onClose(lost)
      assert.deepStrictEqual(engine.calls, [["close"]])
      assert.deepStrictEqual(heard, ["close ConnectionLost"])
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("nothing is done after it", () =>
    Effect.gen(function* () {
      const { engine, heard, pump, receiver, timers, transport } = yield* pumping(toy())
      engine.sendLine("late")
      pump.wake()
      receiver.onClose(undefined)
      transport.takeCalls()
      let ran = 0
      pump.turn(() => ran++)
      pump.wake()
      receiver.onDrain()
      receiver.onEnd()
      yield* turns
      yield* TestClock.adjust(10_000)
      assert.strictEqual(ran, 0)
      assert.deepStrictEqual(transport.calls, [])
      assert.deepStrictEqual(engine.calls, [["close"]])
      assert.deepStrictEqual(heard, ["close cleanly"])
      assert.strictEqual(timers.size(), 0)
    })
  )
})

describe("over a network in memory", () => {
  it.effect("two engines talk, and part cleanly", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const [left, right] = MemoryTransport.pair()
      const server = toy()
      const client = new ToyEngine({ answers: false, idleMillis: 1_000 })
      const closed: Array<string> = []
      const owner = (name: string): EnginePump.PumpHandler => ({
        onWritable() {},
        onClose: (error) => closed.push(`${name} ${error?.reason._tag ?? "cleanly"}`)
      })
      EnginePump.makeUnsafe(right, server, timers, owner("server"))
      const pump = EnginePump.makeUnsafe(left, client, timers, owner("client"))
      pump.turn(() => client.sendLine("hello"))
      pump.turn(() => client.sendLine("quit"))
      yield* turns
      assert.deepStrictEqual(client.calls, [["line", "hello"], ["line", "bye"], ["end"], ["close"]])
      assert.deepStrictEqual(server.calls, [["line", "hello"], ["line", "quit"], ["end"], ["close"]])
      assert.deepStrictEqual(closed.sort(), ["client cleanly", "server cleanly"])
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("a paused pump receives nothing, and all of it when it is resumed", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const [left, right] = MemoryTransport.pair()
      const server = toy()
      const pump = EnginePump.makeUnsafe(right, server, timers, { onWritable() {}, onClose() {} })
      const peer = record(left)
      pump.pause()
      left.write(bytes("a\nb\n"))
      yield* turns
      assert.deepStrictEqual(server.calls, [])
      pump.resume()
      yield* turns
      assert.strictEqual(peer.text, "a\nb\n")
    })
  )
})
