import { assert, describe, it } from "@effect/vitest"
import * as GrpcClient from "@sluice/examples/grpc-client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { tlsFile } from "../harness/NodeNet.ts"
import * as Program from "./support/Program.ts"

const ran = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(Program.start(["grpc-client", ...args]), (program) => program.ended)

describe("grpc-client", () => {
  it.live("calls grpc-greeter, which ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const server = yield* Program.serve("grpc-greeter", ["grpc-greeter", "--port", "0"])
      const one = yield* ran("--to", server.where, "--name", "Ada")
      assert.deepStrictEqual([one.code, one.stdout, one.stderr], [0, ["Hello Ada"], []])
      const many = yield* ran("--to", server.where, "--stream", "--timeout", "8s")
      const expected = ["Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"]
      assert.deepStrictEqual([many.code, many.stdout, many.stderr], [0, expected, []])
      yield* server.signal("SIGTERM")
      const ended = yield* server.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )

  it.live("speaks TLS to whom the authority vouches for", () =>
    Effect.gen(function* () {
      const files = ["--cert", tlsFile("a.pem"), "--key", tlsFile("a.key")]
      const server = yield* Program.serve("grpc-greeter", ["grpc-greeter", "--port", "0", ...files])
      const { code, stderr, stdout } = yield* ran("--to", server.where, "--ca", tlsFile("ca.pem"))
      assert.deepStrictEqual([code, stdout, stderr], [0, ["Hello world"], []])
    })
  )

  it.live("nobody at the other end is one line, and exit code 1", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* ran("--to", "127.0.0.1:1")
      assert.strictEqual(code, 1)
      assert.lengthOf(stderr, 1)
      assert.include(stderr[0]!, "UNAVAILABLE")
      assert.include(stderr[0]!, "127.0.0.1:1")
    })
  )

  it.live("a time that is none is told, and exit code 1", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* ran("--timeout", "soon")
      assert.strictEqual(code, 1)
      assert.include(stderr.join("\n"), "500ms")
    })
  )

  const durations: Readonly<Record<string, number | undefined>> = {
    "500ms": 500,
    "2s": 2_000,
    "1m": 60_000,
    "0s": undefined,
    "1.5s": undefined,
    "-1s": undefined,
    "2": undefined,
    s: undefined,
    "1h": undefined
  }
  for (const [input, millis] of Object.entries(durations)) {
    it(`--timeout ${input}`, () => {
      assert.deepStrictEqual(
        Option.getOrUndefined(Option.map(GrpcClient.parseDuration(input), Duration.toMillis)),
        millis
      )
    })
  }
})
