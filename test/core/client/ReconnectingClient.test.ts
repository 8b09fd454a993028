import { assert, describe, it } from "@effect/vitest"
import * as ReconnectingClient from "@sluice/core/client/ReconnectingClient"
import type { Connection } from "@sluice/core/session/Connection"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { type Answer, FakeDialer } from "../../harness/FakeDialer.ts"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

const target = { host: "server.test", port: 7 }
const now = { startImmediately: true }

/** 1 s, 2 s, 4 s … for ever. */
const doubling = Schedule.exponential("1 second")

interface Bench {
  readonly client: ReconnectingClient.ReconnectingClient
  readonly dialer: FakeDialer
  /** Every state so far, in short. */
  readonly states: ReadonlyArray<string>
  readonly watching: Fiber.Fiber<void>
  readonly close: (exit?: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** A client in a scope of its own, which the test closes. */
const start = (
  answers: ReadonlyArray<Answer>,
  options?: ReconnectingClient.Options
): Effect.Effect<Bench, never, Scope.Scope> =>
  Effect.gen(function* () {
    const dialer = new FakeDialer(...answers)
    const scope = yield* Scope.make()
    const client = yield* ReconnectingClient.make(target, { schedule: doubling, ...options }).pipe(
      Scope.provide(scope),
      Effect.provide(dialer.layer)
    )
    const states: Array<string> = []
    const watching = yield* Effect.forkChild(
      Stream.runForEach(client.states, (state) => Effect.sync(() => states.push(show(state)))),
      now
    )
    yield* turns
    return { client, dialer, states, watching, close: (exit = Exit.void) => Scope.close(scope, exit) }
  })

const show = (state: ReconnectingClient.State): string =>
  "error" in state ? `${state._tag} ${state.error.reason._tag}` : state._tag

const isDone = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

const tagOf = <A, R>(effect: Effect.Effect<A, TransportError.TransportError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

describe("ReconnectingClient: its states", () => {
  it.effect("from connecting to connected, by waiting when it is lost, and again", () =>
    Effect.gen(function* () {
      const { dialer, states, client } = yield* start(["connect", "refuse", "connect"])
      assert.deepStrictEqual(states, ["Connecting", "Connected"])
      dialer.last.transport.destroy()
      yield* turns
      assert.deepStrictEqual(states.slice(2), ["Waiting ConnectionLost"])
      yield* TestClock.adjust("1 second")
      yield* turns
      assert.deepStrictEqual(states.slice(3), ["Connecting", "Waiting ConnectionRefused"])
      yield* TestClock.adjust("2 seconds")
      yield* turns
      assert.deepStrictEqual(states.slice(5), ["Connecting", "Connected"])
      assert.strictEqual((yield* client.state)._tag, "Connected")
      assert.strictEqual(dialer.open, 1)
    })
  )

  it.effect("who begins to watch later sees the state as it is", () =>
    Effect.gen(function* () {
      const { client } = yield* start(["connect"])
      const seen = yield* Stream.runCollect(Stream.take(client.states, 1))
      assert.deepStrictEqual(seen.map(show), ["Connected"])
    })
  )

  it.effect("the peer's end is a loss, and the old connection is closed in good order", () =>
    Effect.gen(function* () {
      const { dialer, states } = yield* start([])
      const { heard, transport } = dialer.last
      transport.end()
      yield* heard.saw("close")
      assert.isUndefined(heard.closeError)
      assert.deepStrictEqual(heard.events, ["end", "close"])
      yield* turns
      assert.deepStrictEqual(states.at(-1), "Waiting ConnectionLost")
    })
  )
})

describe("ReconnectingClient: its schedule", () => {
  it.effect("says when to try again, to the millisecond", () =>
    Effect.gen(function* () {
      const { dialer } = yield* start(["refuse", "refuse", "refuse", "refuse"])
      let attempts = 1
      for (const delayMillis of [1_000, 2_000, 4_000]) {
        yield* TestClock.adjust(delayMillis - 1)
        assert.strictEqual(dialer.attempts.length, attempts)
        yield* TestClock.adjust(1)
        assert.strictEqual(dialer.attempts.length, ++attempts)
      }
    })
  )

  it.effect("begins anew after a connection that came about", () =>
    Effect.gen(function* () {
      const { dialer } = yield* start(["refuse", "refuse", "connect", "refuse", "connect"])
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(dialer.attempts.length, 3)
      dialer.last.transport.destroy()
      yield* turns
      yield* TestClock.adjust(999)
      assert.strictEqual(dialer.attempts.length, 3)
      yield* TestClock.adjust(1)
      assert.strictEqual(dialer.attempts.length, 4)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(dialer.attempts.length, 5)
    })
  )

  it.effect("its end is the end: who waits and who comes later fails with the last error", () =>
    Effect.gen(function* () {
      const { client, dialer, states, watching } = yield* start(["refuse", "refuse", "hang"], {
        schedule: Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(2)])
      })
      const waiting = yield* Effect.forkChild(tagOf(client.connection), now)
      const using = yield* Effect.forkChild(tagOf(client.use(() => Effect.void)), now)
      yield* TestClock.adjust("2 seconds")
      assert.isFalse(isDone(waiting))
      yield* TestClock.adjust("10 seconds")
      yield* turns
      assert.strictEqual(states.at(-1), "Failed ConnectTimeout")
      assert.strictEqual(dialer.attempts.length, 3)
      assert.strictEqual(yield* Fiber.join(waiting), "ConnectTimeout")
      assert.strictEqual(yield* Fiber.join(using), "ConnectTimeout")
      assert.strictEqual(yield* tagOf(client.connection), "ConnectTimeout")
      assert.strictEqual(yield* tagOf(client.use(() => Effect.void)), "ConnectTimeout")
      yield* Fiber.join(watching)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(dialer.attempts.length, 3)
    })
  )

  it.effect("by default it tries within a second, and goes on for hours", () =>
    Effect.gen(function* () {
      const { dialer } = yield* start(
        Array.from({ length: 10_000 }, () => "refuse" as const),
        { schedule: undefined }
      )
      yield* TestClock.adjust("1 second")
      assert.isAbove(dialer.attempts.length, 1)
      yield* TestClock.adjust("2 hours")
      const before = dialer.attempts.length
      yield* TestClock.adjust("1 minute")
      assert.isAbove(dialer.attempts.length, before)
    })
  )
})

describe("ReconnectingClient: its session", () => {
  it.effect("runs on each connection before anyone else gets it", () =>
    Effect.gen(function* () {
      const login = yield* Deferred.make<void>()
      let logins = 0
      const { client, dialer, states } = yield* start([], {
        session: (connection) =>
          Effect.andThen(connection.send(`login ${++logins};`), logins === 1 ? Effect.void : Deferred.await(login))
      })
      yield* client.use((connection) => connection.send("work;"))
      yield* dialer.last.heard.until((heard) => heard.text === "login 1;work;")
      dialer.last.transport.destroy()
      yield* turns
      const using = yield* Effect.forkChild(
        client.use((connection) => connection.send("more;")),
        now
      )
      yield* TestClock.adjust("1 second")
      yield* turns
      assert.strictEqual(dialer.last.heard.text, "login 2;")
      assert.isFalse(isDone(using))
      assert.strictEqual(states.at(-1), "Connecting")
      yield* Deferred.succeed(login, undefined)
      yield* Fiber.join(using)
      yield* dialer.last.heard.until((heard) => heard.text === "login 2;more;")
    })
  )

  it.effect("its failure closes the connection, and counts as one: the schedule goes on", () =>
    Effect.gen(function* () {
      const { dialer, states } = yield* start([], {
        session: () => Effect.fail(TransportError.make(new TransportError.IdleTimeout(1)))
      })
      assert.deepStrictEqual(states, ["Connecting", "Waiting IdleTimeout"])
      assert.strictEqual(dialer.open, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(dialer.attempts.length, 2)
      yield* TestClock.adjust(1_999)
      assert.strictEqual(dialer.attempts.length, 2)
      yield* TestClock.adjust(1)
      assert.strictEqual(dialer.attempts.length, 3)
      yield* turns
      assert.strictEqual(dialer.open, 0)
    })
  )

  it.effect("one that takes too long has failed", () =>
    Effect.gen(function* () {
      const { states } = yield* start([], { session: () => Effect.never, sessionTimeout: "3 seconds" })
      yield* TestClock.adjust(2_999)
      assert.deepStrictEqual(states, ["Connecting"])
      yield* TestClock.adjust(1)
      yield* turns
      assert.deepStrictEqual(states.slice(0, 2), ["Connecting", "Waiting ConnectTimeout"])
    })
  )

  it.effect("one that waits for something else hears of the loss of its connection", () =>
    Effect.gen(function* () {
      const { dialer, states } = yield* start([], { session: () => Effect.never })
      dialer.last.transport.destroy()
      yield* turns
      assert.deepStrictEqual(states, ["Connecting", "Waiting ConnectionLost"])
    })
  )

  it.effect("a connection that is lost while it runs fails it by its own receive", () =>
    Effect.gen(function* () {
      const { dialer, states } = yield* start([], {
        session: (connection) => Effect.catchTag(Effect.asVoid(connection.receive), "Done", () => Effect.void)
      })
      assert.deepStrictEqual(states, ["Connecting"])
      dialer.last.transport.destroy()
      yield* turns
      assert.deepStrictEqual(states, ["Connecting", "Waiting ConnectionLost"])
    })
  )
})

describe("ReconnectingClient: a defect", () => {
  const broken: ReadonlyArray<readonly [string, ReadonlyArray<Answer>, ReconnectingClient.Options]> = [
    ["of the session", [], { session: () => Effect.die(new Error("a broken session")) }],
    ["of the dialer", ["die"], {}]
  ]
  for (const [name, answers, options] of broken) {
    it.effect(`${name} is logged, and leaves nobody waiting for ever`, () =>
      Effect.suspend(() => {
        const logs = new LogRecorder()
        return Effect.gen(function* () {
          const { client, dialer, states } = yield* start(answers, options)
          assert.strictEqual(yield* tagOf(client.connection), "Closed")
          assert.deepStrictEqual(states, ["Connecting", "Failed Closed"])
          assert.strictEqual(dialer.open, 0)
          assert.deepStrictEqual(
            logs.entries.map((entry) => entry.level),
            ["Error"]
          )
        }).pipe(logs.listen)
      })
    )
  }
})

describe("ReconnectingClient.use", () => {
  it.effect("waits for the connection, and gives what `f` gives", () =>
    Effect.gen(function* () {
      const { client } = yield* start(["refuse", "connect"])
      const using = yield* Effect.forkChild(
        client.use((connection) => Effect.succeed(connection.role)),
        now
      )
      yield* turns
      assert.isFalse(isDone(using))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(using), "client")
    })
  )

  it.effect("fails as `f` fails, and the connection lives on", () =>
    Effect.gen(function* () {
      const { client, dialer } = yield* start([])
      assert.strictEqual(yield* Effect.flip(client.use(() => Effect.fail("oops"))), "oops")
      assert.strictEqual(dialer.open, 1)
      assert.strictEqual(yield* client.use(() => Effect.succeed("fine")), "fine")
    })
  )

  it.effect("fails with the loss of the connection, whatever `f` waits for, and interrupts `f`", () =>
    Effect.gen(function* () {
      const { client, dialer } = yield* start([])
      let interrupted = false
      const using = yield* Effect.forkChild(
        Effect.flip(
          client.use(() =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.sync(() => {
                interrupted = true
              })
            )
          )
        ),
        now
      )
      dialer.last.transport.destroy()
      const error = yield* Fiber.join(using)
      assert.deepStrictEqual(error.reason, new TransportError.ConnectionLost("ECONNRESET"))
      assert.isTrue(interrupted)
    })
  )

  it.effect("fails with the limit that the connection was closed by", () =>
    Effect.gen(function* () {
      const { client } = yield* start([], { idleTimeout: "1 minute" })
      const using = yield* Effect.forkChild(tagOf(client.use(() => Effect.never)), now)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Fiber.join(using), "IdleTimeout")
    })
  )

  it.effect("fails with the end of the peer", () =>
    Effect.gen(function* () {
      const { client, dialer } = yield* start([])
      const using = yield* Effect.forkChild(Effect.flip(client.use(() => Effect.never)), now)
      dialer.last.transport.end()
      assert.deepStrictEqual((yield* Fiber.join(using)).reason, new TransportError.ConnectionLost("EOF"))
    })
  )

  it.effect("gets the reply that came before the peer's end", () =>
    Effect.gen(function* () {
      const { client, dialer } = yield* start([])
      const using = yield* Effect.forkChild(
        client.use((connection) => connection.receive),
        now
      )
      dialer.last.transport.write(Buffer.from("reply"))
      dialer.last.transport.end()
      assert.strictEqual(new TextDecoder().decode(yield* Fiber.join(using)), "reply")
    })
  )

  it.effect("a retry gets the next connection", () =>
    Effect.gen(function* () {
      const { client, dialer } = yield* start([])
      const seen: Array<Connection> = []
      const using = yield* Effect.forkChild(
        Effect.retry(
          client.use((connection) => {
            seen.push(connection)
            return seen.length === 1 ? Effect.never : Effect.succeed("done")
          }),
          { times: 3 }
        ),
        now
      )
      dialer.last.transport.destroy()
      yield* turns
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(using), "done")
      assert.strictEqual(seen.length, 2)
      assert.notStrictEqual(seen[0], seen[1])
    })
  )
})

describe("the end of a ReconnectingClient's scope", () => {
  it.effect("success: what was sent is delivered, then the end", () =>
    Effect.gen(function* () {
      const { client, close, dialer } = yield* start([])
      const { heard, transport } = dialer.last
      yield* client.use((connection) => connection.send("last words"))
      const closing = yield* Effect.forkChild(close(), now)
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "last words")
      transport.end()
      yield* Fiber.join(closing)
      assert.strictEqual(dialer.open, 0)
      assert.strictEqual(dialer.attempts.length, 1)
    })
  )

  it.effect("failure: destroys the connection at once", () =>
    Effect.gen(function* () {
      const { close, dialer } = yield* start([])
      yield* close(Exit.fail("oops"))
      assert.strictEqual(dialer.open, 0)
      yield* dialer.last.heard.saw("close")
      assert.notInclude(dialer.last.heard.events, "end")
    })
  )

  const moments: ReadonlyArray<readonly [when: string, answers: ReadonlyArray<Answer>]> = [
    ["while it dials", ["hang"]],
    ["while it waits", ["refuse"]],
    ["while it is connected", ["connect"]]
  ]
  for (const [when, answers] of moments) {
    it.effect(`${when}: whoever waits is told, and nothing is left`, () =>
      MemoryWorld.leavesNothing(() =>
        Effect.gen(function* () {
          const { client, close, dialer, states, watching } = yield* start(answers, { closeTimeout: "1 second" })
          const using = yield* Effect.forkChild(tagOf(client.use(() => Effect.never)), now)
          const closing = yield* Effect.forkChild(close(), now)
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(closing)
          yield* turns
          assert.strictEqual(dialer.open, 0)
          assert.strictEqual(dialer.dialing, 0)
          assert.strictEqual(states.at(-1), "Failed Closed")
          assert.include(["Closed", "CloseTimeout"], yield* Fiber.join(using))
          assert.strictEqual(yield* tagOf(client.connection), "Closed")
          yield* Fiber.join(watching)
          yield* TestClock.adjust("1 hour")
          assert.strictEqual(dialer.attempts.length, 1)
        })
      )
    )
  }

  it.effect("after the schedule's end its error stays", () =>
    Effect.gen(function* () {
      const { client, close } = yield* start(["refuse"], { schedule: Schedule.recurs(0) })
      yield* close()
      assert.strictEqual(yield* tagOf(client.connection), "ConnectionRefused")
    })
  )
})

describe("laws", () => {
  it.effect("a client and a server that goes and comes leave nothing", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving((connection) =>
          Effect.gen(function* () {
            while (true) yield* connection.send(yield* connection.receive)
          })
        )
        track(world)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = yield* ReconnectingClient.make(MemoryWorld.target, { schedule: doubling }).pipe(
              Effect.provide(world.dialer)
            )
            const reply = yield* client.use((connection) =>
              Effect.andThen(connection.send("hello"), connection.receive)
            )
            assert.strictEqual(new TextDecoder().decode(reply), "hello")
            const stopping = yield* Effect.forkChild(world.stop, now)
            yield* TestClock.adjust("30 seconds")
            yield* Fiber.join(stopping)
            assert.strictEqual(show(yield* client.state), "Waiting ConnectionRefused")
          })
        )
      })
    )
  )
})
