import { assert, describe, it } from "@effect/vitest"
import { CodecError } from "@sluice/core/codec/CodecError"
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as HandlerSession from "@sluice/core/server/HandlerSession"
import type { Connection } from "@sluice/core/session/Connection"
import * as ConnectionOptions from "@sluice/core/session/ConnectionOptions"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../../harness/LogRecorder.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import { type Recorder, record, turns } from "../../harness/TransportContract.ts"

type Handler = (connection: Connection) => Effect.Effect<unknown, unknown, Scope.Scope>

/** One session over a pair in memory. */
interface Bench {
  readonly member: ReturnType<typeof HandlerSession.startUnsafe>
  readonly peer: Transport
  readonly heard: Recorder
  /** The reasons that `finished` was called with. */
  readonly finished: ReadonlyArray<string>
  readonly logs: LogRecorder
}

const start = (
  handler: Handler,
  prepare: (transport: Transport) => Transport = (transport) => transport
): Effect.Effect<Bench, never, Scope.Scope> =>
  Effect.suspend(() => {
    const logs = new LogRecorder()
    return Effect.gen(function* () {
      const [peer, transport] = MemoryTransport.pair()
      const finished: Array<string> = []
      const environment: HandlerSession.Environment = {
        handler: handler as HandlerSession.Environment["handler"],
        context: yield* Effect.context<never>(),
        timers: yield* Timers.make,
        limits: ConnectionOptions.resolve()
      }
      const heard = record(peer)
      const member = HandlerSession.startUnsafe(environment, prepare(transport), (reason) => finished.push(reason))
      return { member, peer, heard, finished, logs }
    }).pipe(logs.listen)
  })

const echo: Handler = (connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })

/** Has closed already, and says so at once to whoever asks: so a platform's transport may be when it is accepted. */
const closedBefore = (transport: Transport): Transport => {
  const late: Transport = Object.create(transport)
  return Object.assign(late, {
    observeClose: (observer: (error: TransportError.TransportError | undefined) => void) => observer(undefined),
    attach: (receiver: Parameters<Transport["attach"]>[0]) => queueMicrotask(() => receiver.onClose(undefined))
  })
}

describe("HandlerSession: who ends first", () => {
  it.effect("the handler: what it sent is delivered, then the end; finished when the peer has ended too", () =>
    Effect.gen(function* () {
      const { heard, peer, finished } = yield* start((connection) => connection.send("x".repeat(200_000)))
      yield* heard.saw("end")
      assert.strictEqual(heard.receivedBytes, 200_000)
      assert.deepStrictEqual(finished, [])
      peer.end()
      yield* heard.saw("close")
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
      assert.isUndefined(heard.closeError)
    })
  )

  it.effect("the transport: the handler is told, and finishes when it likes", () =>
    Effect.gen(function* () {
      const mayEnd = yield* Deferred.make<void>()
      const { peer, finished } = yield* start((connection) =>
        Effect.andThen(Effect.exit(connection.receive), Deferred.await(mayEnd))
      )
      peer.destroy()
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(finished, [])
      yield* Deferred.succeed(mayEnd, undefined)
      yield* turns
      assert.deepStrictEqual(finished, ["ConnectionLost"])
    })
  )

  it.effect("the transport, and the handler ends by it in the same moment: finished is said once", () =>
    Effect.gen(function* () {
      const { peer, finished } = yield* start(echo)
      peer.destroy()
      yield* turns
      assert.deepStrictEqual(finished, ["ConnectionLost"])
    })
  )

  it.effect("both sides end at once", () =>
    Effect.gen(function* () {
      const { peer, finished, logs } = yield* start(echo)
      peer.end()
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
      assert.deepStrictEqual(logs.ofConnections, [])
    })
  )

  it.effect("the transport before the session began, and the handler at once", () =>
    Effect.gen(function* () {
      const { finished } = yield* start(() => Effect.void, closedBefore)
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
    })
  )

  it.effect("the transport before the session began, and the handler when it reads", () =>
    Effect.gen(function* () {
      const { finished } = yield* start(echo, closedBefore)
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
    })
  )

  it.effect("a handler that does not notice the loss is interrupted after `closeTimeout`", () =>
    Effect.gen(function* () {
      const { peer, finished, logs } = yield* start(() => Effect.never)
      peer.destroy()
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(finished, [])
      yield* TestClock.adjust(1)
      yield* turns
      assert.deepStrictEqual(finished, ["ConnectionLost"])
      assert.deepStrictEqual(logs.ofConnections, [])
    })
  )

  it.effect("an interrupted handler counts as such", () =>
    Effect.gen(function* () {
      const { member, peer, heard, finished } = yield* start(() => Effect.never)
      member.interrupt()
      yield* heard.saw("end")
      peer.end()
      yield* turns
      assert.deepStrictEqual(finished, ["Interrupted"])
    })
  )

  it.effect("`cut` destroys the transport at once", () =>
    Effect.gen(function* () {
      const { member, heard } = yield* start(() => Effect.uninterruptible(Effect.never))
      member.cut()
      yield* heard.saw("close")
      assert.strictEqual(heard.closeError?.reason._tag, "ConnectionLost")
    })
  )
})

describe("HandlerSession: what is logged", () => {
  const fail = (reason: TransportError.Reason) => Effect.fail(TransportError.make(reason))
  const ours = "Error: Unhandled error in a connection handler"
  const peers = "Debug: Connection ended by its peer's fault"
  const cases: ReadonlyArray<readonly [rule: string, handler: Handler, logged: ReadonlyArray<string>, reason: string]> =
    [
      ["success", () => Effect.void, [], "Finished"],
      ["the end of the stream", () => Cause.done(), [], "Finished"],
      ["an interruption from within", () => Effect.interrupt, [], "Interrupted"],
      ["an error of its own", () => Effect.fail("oops"), [ours], "Failed"],
      ["a defect", () => Effect.die(new Error("oops")), [ours], "Failed"],
      [
        "an exception",
        () => {
          throw new Error("oops")
        },
        [ours],
        "Failed"
      ],
      ["the peer's fault", () => fail(new TransportError.TlsHandshakeFailed("x", "y")), [peers], "TlsHandshakeFailed"],
      ["a lost transport", () => fail(new TransportError.ConnectionLost("ECONNRESET")), [peers], "ConnectionLost"],
      ["a limit", () => fail(new TransportError.IdleTimeout(1)), [peers], "IdleTimeout"],
      ["our own misuse", () => fail(new TransportError.Closed()), [ours], "Closed"],
      [
        "the peer's fault, and a defect in cleaning up",
        () => Effect.ensuring(fail(new TransportError.IdleTimeout(1)), Effect.die(new Error("oops"))),
        [ours],
        "Failed"
      ],
      [
        "a lost transport made a defect",
        () => Effect.orDie(fail(new TransportError.ConnectionLost("ECONNRESET"))),
        [peers],
        "ConnectionLost"
      ],
      [
        "an error of its own, and a defect in a finalizer",
        () =>
          Effect.andThen(
            Effect.addFinalizer(() => Effect.die(new Error("oops"))),
            Effect.fail("oops")
          ),
        [ours],
        "Failed"
      ],
      [
        "the end of the stream, and a defect in cleaning up",
        () => Effect.ensuring(Cause.done(), Effect.die(new Error("oops"))),
        [ours],
        "Failed"
      ],
      [
        "a defect in a finalizer of the scope",
        () => Effect.addFinalizer(() => Effect.die(new Error("oops"))),
        [ours],
        "Failed"
      ]
    ]
  for (const [rule, handler, logged, reason] of cases) {
    it.effect(`${rule}: ${logged[0] ?? "nothing"}`, () =>
      Effect.gen(function* () {
        const { heard, peer, finished, logs } = yield* start(handler)
        yield* heard.saw("end")
        peer.end()
        yield* turns
        assert.deepStrictEqual(logs.ofConnections, logged)
        assert.deepStrictEqual(finished, [reason])
      })
    )
  }

  it.effect("bad bytes are the peer's fault", () =>
    Effect.gen(function* () {
      const { heard, peer, finished, logs } = yield* start(
        (connection) => connection.framed(LengthDelimited.make({ maxFrameSize: 16 })).receive
      )
      peer.write(Uint8Array.of(0, 0, 1, 0))
      yield* heard.saw("end")
      peer.end()
      yield* turns
      assert.deepStrictEqual(logs.ofConnections, [peers])
      assert.instanceOf(logs.entries.at(-1)?.error, CodecError)
      assert.deepStrictEqual(finished, ["FrameTooLarge"])
    })
  )

  it.effect("the error itself and the peer's address are in the log", () =>
    Effect.gen(function* () {
      const { logs } = yield* start(() => Effect.fail("oops"))
      yield* turns
      const entry = logs.entries.at(-1)
      assert.strictEqual(entry?.error, "oops")
      assert.deepStrictEqual(entry?.annotations, { peer: "127.0.0.1:1" })
    })
  )

  it.effect("a handler that fails after the loss of its transport counts by the loss", () =>
    Effect.gen(function* () {
      const { peer, finished, logs } = yield* start((connection) =>
        Effect.andThen(Effect.exit(connection.receive), Effect.fail("oops"))
      )
      peer.destroy()
      yield* turns
      assert.deepStrictEqual(finished, ["ConnectionLost"])
      assert.deepStrictEqual(logs.ofConnections, [ours])
    })
  )
})

describe("HandlerSession: its scope and fibers", () => {
  it.effect("finalizers run before the connection closes, in reverse order, and can still send", () =>
    Effect.gen(function* () {
      const { heard, peer, finished } = yield* start((connection) =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => Effect.ignore(connection.send("first in, last out")))
          yield* Effect.addFinalizer(() => Effect.andThen(Effect.yieldNow, Effect.ignore(connection.send("then "))))
          yield* connection.send("handler ")
        })
      )
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "handler then first in, last out")
      peer.end()
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
    })
  )

  it.effect("finalizers hear how the handler ended", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      yield* start(() =>
        Effect.andThen(
          Effect.addFinalizer((exit) => Effect.sync(() => heard.push(exit._tag))),
          Effect.fail("oops")
        )
      )
      yield* turns
      assert.deepStrictEqual(heard, ["Failure"])
    })
  )

  it.effect("the session is not finished while a finalizer works, also when the transport is gone", () =>
    Effect.gen(function* () {
      const clean = yield* Deferred.make<void>()
      const { peer, finished } = yield* start(() => Effect.addFinalizer(() => Deferred.await(clean)))
      yield* turns
      peer.destroy()
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(finished, [])
      yield* Deferred.succeed(clean, undefined)
      yield* turns
      assert.deepStrictEqual(finished, ["ConnectionLost"])
    })
  )

  it.effect("fibers that the handler forked end with it: its children, and those of its scope", () =>
    Effect.gen(function* () {
      const interrupted: Array<string> = []
      const endless = (name: string) =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push(name)))
      const { heard } = yield* start(() =>
        Effect.gen(function* () {
          yield* Effect.forkChild(endless("child"), { startImmediately: true })
          yield* Effect.forkScoped(endless("scoped"), { startImmediately: true })
        })
      )
      yield* heard.saw("end")
      assert.deepStrictEqual(interrupted, ["child", "scoped"])
    })
  )

  it.effect("a defect costs only its own connection", () =>
    Effect.gen(function* () {
      let count = 0
      const world = yield* MemoryWorld.serving((connection) => {
        if (count++ === 0) throw new Error("oops")
        return echo(connection)
      })
      const bad = yield* world.peer()
      const good = yield* world.peer()
      yield* bad.heard.saw("end")
      bad.transport.end()
      good.write("hello")
      yield* good.heard.until((heard) => heard.text === "hello")
      yield* turns
      assert.deepInclude(yield* world.server.stats, { open: 1, closed: { Failed: 1 } })
    }).pipe(new LogRecorder().listen)
  )

  it.effect("in every order of ends nothing is left, and each connection is counted once", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* MemoryWorld.serving(echo)
        track(world)
        const ends: ReadonlyArray<(peer: MemoryWorld.RawPeer) => void> = [
          (peer) => peer.transport.end(),
          (peer) => peer.transport.destroy(),
          (peer) => {
            peer.transport.end()
            peer.transport.destroy()
          },
          (peer) => {
            peer.write("x")
            peer.transport.destroy()
          },
          (peer) => {
            peer.write("x")
            peer.transport.end()
          }
        ]
        for (const end of ends) {
          for (const settled of [true, false]) {
            const peer = yield* world.peer()
            if (settled) yield* turns
            end(peer)
            yield* turns
          }
        }
        const { open, accepted, closed } = yield* world.server.stats
        assert.strictEqual(open, 0)
        assert.strictEqual(accepted, 10)
        assert.strictEqual((closed.Finished ?? 0) + (closed.ConnectionLost ?? 0), 10)
        assert.deepStrictEqual(yield* world.server.drain, { finished: 0, interrupted: 0, cut: 0 })
      })
    )
  )

  it.effect("while draining, a handler that waits for its next message is told the end", () =>
    Effect.gen(function* () {
      const { member, heard, peer, finished, logs } = yield* start(echo)
      peer.write(Buffer.from("hello"))
      yield* heard.saw("bytes")
      member.drain()
      yield* heard.saw("end")
      peer.end()
      yield* turns
      assert.deepStrictEqual(finished, ["Finished"])
      assert.deepStrictEqual(logs.ofConnections, [])
    })
  )

  it.effect("`Fiber.interruptAll` of the handler's own choosing does not reach its session", () =>
    Effect.gen(function* () {
      const { heard, peer, finished } = yield* start((connection) =>
        Effect.gen(function* () {
          const child = yield* Effect.forkChild(Effect.never)
          yield* Fiber.interrupt(child)
          yield* connection.send("still here")
        })
      )
      yield* heard.saw("end")
      peer.end()
      yield* turns
      assert.strictEqual(heard.text, "still here")
      assert.deepStrictEqual(finished, ["Finished"])
    })
  )
})
