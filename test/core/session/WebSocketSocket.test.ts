import { assert, describe, it } from "@effect/vitest"
import * as WebSocketSocket from "@sluice/core/session/WebSocketSocket"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import { turns } from "../../harness/TransportContract.ts"
import * as Connected from "../../harness/WebSocketConnected.ts"

const { binary, close, text } = Connected

/** The reader's failure: the code and reason of a close, else its kind. */
const endOf = <A, R>(effect: Effect.Effect<A, Socket.SocketError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) =>
    reason._tag === "SocketCloseError" ? `${reason.code} ${reason.closeReason ?? ""}`.trim() : reason._tag
  )

const make = (options?: Connected.Options) =>
  Effect.gen(function* () {
    const connected = yield* Connected.make(options)
    const opened = WebSocketSocket.make(connected.socket)
    const scope = yield* Scope.make()
    const { pull, upgrade } = yield* Scope.provide(opened.reader, scope)
    return { ...connected, scope, pull, upgrade, writer: opened.writer }
  })

describe("pull", () => {
  it.effect("hands out all messages that wait, and text as text", () =>
    Effect.gen(function* () {
      const { pull, say } = yield* make()
      say([text, "'a'"], [binary, "01"])
      yield* turns
      assert.deepStrictEqual(yield* pull, ["a", Uint8Array.of(1)])
      say([text, "'b'"])
      assert.deepStrictEqual(yield* pull, ["b"])
    })
  )

  it.effect("fails with the peer's code, behind what came before it", () =>
    Effect.gen(function* () {
      const { pull, say } = yield* make()
      say([text, "'a'"], [close, "0fa0 'bye'"])
      yield* turns
      assert.deepStrictEqual(yield* pull, ["a"])
      assert.strictEqual(yield* endOf(pull), "4000 bye")
      assert.strictEqual(yield* endOf(pull), "4000 bye")
    })
  )

  it.effect("fails with 1005 for a Close frame without a code", () =>
    Effect.gen(function* () {
      const { pull, say } = yield* make()
      say([close])
      assert.strictEqual(yield* endOf(pull), "1005")
    })
  )

  it.effect("fails with 1006 when the connection is lost, with what the peer was told, and with 1001 for a drain", () =>
    Effect.gen(function* () {
      const lost = yield* make()
      lost.peer.destroy()
      assert.match(yield* endOf(lost.pull), /^1006 /)
      const wrong = yield* make()
      wrong.say([text, "ff"])
      assert.match(yield* endOf(wrong.pull), /^1007 /)
      const draining = yield* make()
      const waiting = yield* Effect.forkChild(endOf(draining.pull), { startImmediately: true })
      draining.socket.drain()
      assert.strictEqual(yield* Fiber.join(waiting), "1001")
    })
  )

  it.effect("fails when the reader's scope closes, which closes the WebSocket", () =>
    Effect.gen(function* () {
      for (const [exit, code] of [
        [Exit.void, "e8"],
        [Exit.interrupt(1), "e9"],
        [Exit.fail("mine"), "f3"]
      ] as const) {
        const { pull, say, scope, takeWrites } = yield* make()
        const waiting = yield* Effect.forkChild(endOf(pull), { startImmediately: true })
        const closing = yield* Effect.forkChild(Scope.close(scope, exit), { startImmediately: true })
        assert.strictEqual(yield* Fiber.join(waiting), "1006")
        yield* turns
        assert.deepStrictEqual(takeWrites(), [`88 02 03 ${code}`])
        say([close])
        yield* Fiber.join(closing)
      }
    })
  )
})

describe("write", () => {
  it.effect("sends messages, one write for many", () =>
    Effect.gen(function* () {
      const { takeWrites, writer } = yield* make()
      yield* writer.write("a")
      yield* writer.writeAll(["b", Uint8Array.of(1)])
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["81 01 61 81 01 62 82 01 01"])
    })
  )

  it.effect("a close event closes; what may not be sent fails", () =>
    Effect.gen(function* () {
      const { pull, say, takeWrites, writer } = yield* make()
      assert.strictEqual(yield* endOf(writer.write(new Socket.CloseEvent(1006))), "SocketWriteError")
      yield* writer.write(new Socket.CloseEvent(4001, "x"))
      yield* turns
      assert.deepStrictEqual(takeWrites(), ["88 03 0f a1 78"])
      assert.strictEqual(yield* endOf(writer.write("late")), "SocketWriteError")
      say([close, "0fa1"])
      assert.strictEqual(yield* endOf(pull), "4001")
    })
  )

  it.effect("suspends while the peer is slow, and fails when it goes away meanwhile", () =>
    Effect.gen(function* () {
      const { peer, writer } = yield* make({ peerReads: "never", bufferBytes: 100, sendBuffer: 1000 })
      yield* writer.write("a".repeat(2000))
      const waiting = yield* Effect.forkChild(endOf(writer.write("b")), { startImmediately: true })
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      peer.destroy()
      assert.strictEqual(yield* Fiber.join(waiting), "SocketWriteError")
    })
  )

  it.effect("upgrade is refused", () =>
    Effect.gen(function* () {
      const { upgrade } = yield* make()
      assert.strictEqual(yield* endOf(upgrade()), "SocketUpgradeError")
    })
  )
})
