import { assert, describe, it } from "@effect/vitest"
import * as OpeningSocket from "@sluice/core/session/OpeningSocket"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"

/** A socket that opens as said, and what was done with it. */
const make = (times: "once" | "again", answers: ReadonlyArray<"open" | "fail"> = []) => {
  const calls: Array<string> = []
  const left = [...answers]
  const refused = new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Timeout", cause: "refused" }) })
  const open = Effect.suspend(() => {
    if (left.shift() === "fail") return Effect.fail(refused)
    calls.push("open")
    const opened: OpeningSocket.Opened = {
      reader: Effect.as(
        Effect.addFinalizer(() => Effect.sync(() => calls.push("close"))),
        { pull: Effect.never, upgrade: () => Effect.never }
      ),
      writer: {
        write: (chunk) => Effect.sync(() => calls.push(`write ${chunk}`)),
        writeAll: (chunks) => Effect.sync(() => calls.push(`writeAll ${chunks.join()}`))
      },
      end: Effect.sync(() => calls.push("end"))
    }
    return Effect.succeed(opened)
  })
  return { calls, socket: OpeningSocket.make(open, times) }
}

const reasonOf = <A, R>(effect: Effect.Effect<A, Socket.SocketError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

describe("a socket that opens again", () => {
  it.effect("opens with each reader, and closes with its scope", () =>
    Effect.gen(function* () {
      const { calls, socket } = make("again")
      yield* Effect.scoped(socket.reader)
      yield* Effect.scoped(socket.reader)
      assert.deepStrictEqual(calls, ["open", "close", "open", "close"])
    })
  )

  it.effect("has writers wait for it, the next one too", () =>
    Effect.gen(function* () {
      const { calls, socket } = make("again")
      const writer = yield* socket.writer
      for (const text of ["a", "b"]) {
        const writing = yield* Effect.forkChild(writer.write(text), { startImmediately: true })
        assert.isUndefined(writing.pollUnsafe())
        yield* Effect.scoped(Effect.andThen(socket.reader, Fiber.join(writing)))
      }
      assert.deepStrictEqual(calls, ["open", "write a", "close", "open", "write b", "close"])
    })
  )

  it.effect("may fail to open, and open later", () =>
    Effect.gen(function* () {
      const { socket } = make("again", ["fail"])
      assert.strictEqual(yield* reasonOf(Effect.scoped(socket.reader)), "SocketOpenError")
      yield* Effect.scoped(socket.reader)
    })
  )

  it.effect("ends its side when a writer is released, where there is one", () =>
    Effect.gen(function* () {
      const { calls, socket } = make("again")
      yield* Effect.scoped(socket.writer)
      yield* socket.reader
      const writer = yield* Scope.make()
      const { writeAll } = yield* Scope.provide(socket.writer, writer)
      yield* writeAll(["a", "b"])
      yield* Scope.close(writer, Exit.void)
      assert.deepStrictEqual(calls, ["open", "writeAll a,b", "end"])
    })
  )
})

describe("a socket that opens once", () => {
  it.effect("fails whoever reads or writes after it", () =>
    Effect.gen(function* () {
      const { calls, socket } = make("once")
      const writer = yield* socket.writer
      yield* Effect.scoped(socket.reader)
      assert.strictEqual(yield* reasonOf(Effect.scoped(socket.reader)), "SocketOpenError")
      assert.strictEqual(yield* reasonOf(writer.write("a")), "SocketWriteError")
      assert.deepStrictEqual(calls, ["open", "close"])
    })
  )

  it.effect("fails writers that wait when it cannot be opened", () =>
    Effect.gen(function* () {
      const { socket } = make("once", ["fail"])
      const writer = yield* socket.writer
      const writing = yield* Effect.forkChild(reasonOf(writer.write("a")), { startImmediately: true })
      yield* reasonOf(Effect.scoped(socket.reader))
      assert.strictEqual(yield* Fiber.join(writing), "SocketWriteError")
    })
  )
})

describe("a second reader beside the first", () => {
  it.effect("does not end the first one's connection for writers", () =>
    Effect.gen(function* () {
      const { calls, socket } = make("once", ["open", "fail"])
      const writer = yield* socket.writer
      const first = yield* Scope.make()
      yield* Scope.provide(socket.reader, first)
      assert.strictEqual(yield* reasonOf(Effect.scoped(socket.reader)), "SocketOpenError")
      yield* writer.write("still here")
      yield* Scope.close(first, Exit.void)
      assert.strictEqual(yield* reasonOf(writer.write("late")), "SocketWriteError")
      assert.deepStrictEqual(calls, ["open", "write still here", "close"])
    })
  )
})
