import { assert, describe, it } from "@effect/vitest"
import * as LineServer from "@sluice/examples/line-server"
import * as Effect from "effect/Effect"
import * as Started from "./support/Started.ts"

const serve = Effect.flatMap(Started.inMemory(LineServer.server), ({ address }) => Started.talk(address))

const longest = "x".repeat(64 * 1024)

describe("line-server", () => {
  const cases: ReadonlyArray<readonly [rule: string, sent: string | Uint8Array, answers: ReadonlyArray<string>]> = [
    ["HELLO", "HELLO\n", ["WORLD"]],
    ["any other line", "hello\n", ["ECHO: hello"]],
    ["an empty line", "\n", ["ECHO: "]],
    ["CR LF", "HELLO\r\nx\r\n", ["WORLD", "ECHO: x"]],
    ["a CR in front of CR LF, and the next line", "x\r\r\nb\n", ["ERROR CR before the line ending", "ECHO: b"]],
    ["several at a time", "a\nHELLO\nb\n", ["ECHO: a", "WORLD", "ECHO: b"]],
    ["the longest line", `${longest}\n`, [`ECHO: ${longest}`]],
    ["a line above it, and the next one", `${longest}x\nHELLO\n`, ["ERROR line too long", "WORLD"]],
    ["a line of a megabyte is told once", `${"x".repeat(1_000_000)}\nHELLO\n`, ["ERROR line too long", "WORLD"]],
    [
      "a line that is not UTF-8, and the next one",
      Uint8Array.of(0x61, 0xff, 0x0a, 0x62, 0x0a),
      ["ERROR not UTF-8", "ECHO: b"]
    ]
  ]
  for (const [rule, sent, answers] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        const client = yield* serve
        yield* Effect.forkScoped(client.connection.send(sent))
        assert.deepStrictEqual(yield* client.lines(answers.length), answers)
      }).pipe(Effect.provide(Started.memory))
    )
  }

  it.effect("QUIT is answered, and ends the connection", () =>
    Effect.gen(function* () {
      const client = yield* serve
      yield* client.say("QUIT\nHELLO\n")
      assert.strictEqual(yield* client.line, "BYE")
      assert.strictEqual((yield* Effect.flip(client.line))._tag, "Done")
    }).pipe(Effect.provide(Started.memory))
  )

  it.effect("the last line needs no ending", () =>
    Effect.gen(function* () {
      const client = yield* serve
      yield* client.say("HELLO")
      yield* client.connection.end
      assert.strictEqual(yield* client.line, "WORLD")
      assert.strictEqual((yield* Effect.flip(client.line))._tag, "Done")
    }).pipe(Effect.provide(Started.memory))
  )
})
