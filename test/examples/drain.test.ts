import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as SlowReply from "./fixtures/SlowReply.ts"
import * as Program from "./support/Program.ts"
import * as Started from "./support/Started.ts"

const entry = fileURLToPath(new URL("./fixtures/slow-reply.ts", import.meta.url))

const serve = (drainMillis: number) => Program.serve("slow-reply", [`${drainMillis}`], entry)

describe("SIGTERM", () => {
  it.live("every reply that is being written arrives whole, to a hundred clients; the process exits with 0", () =>
    Effect.gen(function* () {
      const program = yield* serve(20_000)
      const clients = yield* Effect.forEach(Array.from({ length: 100 }), () => Started.talk(program.address), {
        concurrency: "unbounded"
      })
      const first = yield* Effect.forEach(clients, (client) => Effect.andThen(client.say("GO\n"), client.line), {
        concurrency: "unbounded"
      })
      yield* program.signal("SIGTERM")
      const rest = yield* Effect.forEach(clients, (client) => client.lines(SlowReply.lineCount - 1), {
        concurrency: "unbounded"
      })
      for (let index = 0; index < clients.length; index++) {
        assert.strictEqual(`${[first[index]!, ...rest[index]!].join("\n")}\n`, SlowReply.text)
      }
      for (const client of clients) {
        assert.strictEqual((yield* Effect.flip(client.line))._tag, "Done")
        yield* client.connection.end
      }
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("a handler that never ends is interrupted at the deadline, and the process exits with 0", () =>
    Effect.gen(function* () {
      const program = yield* serve(100)
      const client = yield* Started.talk(program.address)
      yield* client.say("HANG\n")
      assert.strictEqual(yield* client.line, "hanging")
      yield* program.signal("SIGTERM")
      assert.strictEqual(yield* program.line, "interrupted")
      yield* client.connection.ended
      const ended = yield* program.ended
      assert.strictEqual(ended.code, 0)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("a second signal does not wait for it", () =>
    Effect.gen(function* () {
      const program = yield* serve(20_000)
      const hanging = yield* Started.talk(program.address)
      yield* hanging.say("HANG\n")
      assert.strictEqual(yield* hanging.line, "hanging")
      // An idle connection ends when the drain begins: the first signal has been taken.
      const idle = yield* Started.talk(program.address)
      yield* program.signal("SIGTERM")
      yield* idle.connection.ended
      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.ended).code, 143)
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )
})
