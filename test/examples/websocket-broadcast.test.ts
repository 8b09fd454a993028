import { assert, describe, it } from "@effect/vitest"
import * as WebSocketBroadcast from "@sluice/examples/websocket-broadcast"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fetched from "./support/Fetched.ts"
import * as Program from "./support/Program.ts"
import * as WebSocketTalk from "./support/WebSocketTalk.ts"

const serve = Fetched.serve(WebSocketBroadcast.server)

/** So many members. Each has heard one more come in: nobody is missed because they were still joining. */
const join = Effect.fnUntraced(function* (where: string, count: number) {
  const talks: Array<WebSocketTalk.WebSocketTalk> = []
  for (let index = 0; index < count; index++) {
    const talk = yield* WebSocketTalk.open(`ws://${where}/path/${index}`)
    talks.push(talk)
    talk.send("here")
    for (const one of talks) assert.strictEqual(yield* one.receive, "here")
  }
  return talks
})

describe("websocket-broadcast", () => {
  it.live("every message goes to every connection, the sender too, in the sender's order", () =>
    Effect.gen(function* () {
      const talks = yield* join((yield* serve).where, 5)
      const bytes = new Uint8Array([1, 2, 3])
      talks[0]!.send("one")
      talks[0]!.send(bytes)
      talks[0]!.send("two")
      for (const talk of talks) {
        assert.deepStrictEqual([yield* talk.receive, yield* talk.receive, yield* talk.receive], ["one", bytes, "two"])
      }
    })
  )

  it.live("a burst of a thousand messages from each of eight reaches all eight", () =>
    Effect.gen(function* () {
      const talks = yield* join((yield* serve).where, 8)
      for (let index = 0; index < 1000; index++) for (const talk of talks) talk.send("x".repeat(64))
      for (const talk of talks) {
        for (let index = 0; index < 8000; index++) assert.strictEqual((yield* talk.receive).length, 64)
      }
    })
  )

  it.live("who has left is missed by nobody", () =>
    Effect.gen(function* () {
      const [ann, bob] = yield* join((yield* serve).where, 2)
      yield* ann!.close
      bob!.send("alone")
      assert.strictEqual(yield* bob!.receive, "alone")
    })
  )

  it.live("when the server drains, all are told to go away", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const talks = yield* join(server.where, 3)
      const closing = yield* Effect.forkScoped(server.close)
      for (const talk of talks) assert.deepStrictEqual(yield* talk.closed, { code: 1001, clean: true })
      yield* Fiber.join(closing)
    })
  )
})

describe("websocket-broadcast as a process", () => {
  it.live("says where it listens, serves, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("websocket-broadcast", ["websocket-broadcast", "--port", "0"])
      const [ann, bob] = yield* join(program.where, 2)
      ann!.send("x")
      assert.deepStrictEqual([yield* ann!.receive, yield* bob!.receive], ["x", "x"])
      yield* program.signal("SIGTERM")
      assert.deepStrictEqual(yield* bob!.closed, { code: 1001, clean: true })
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )
})
