import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const program = fileURLToPath(new URL("../harness/main-program.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

/** Runs a mode of the program; `onLine` is called for what it prints. */
const run = (mode: string, onLine: (line: string, child: ChildProcess.ChildProcess) => void = () => {}) =>
  Effect.callback<Ended>((resume) => {
    const child = ChildProcess.spawn(process.execPath, ["--conditions=@sluice/source", program, mode])
    let output = ""
    let errors = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      for (const line of text.trimEnd().split("\n")) onLine(line, child)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text
    })
    child.on("close", (code, signal) => resume(Effect.succeed({ code, signal, output, errors })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("run", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(`${signal}: drains, and exits with 0`, () =>
      Effect.gen(function* () {
        const ended = yield* run("drain", (line, child) => line === "ready" && child.kill(signal))
        assert.deepStrictEqual(ended, { code: 0, signal: null, output: "ready\ndraining\ndrained\n", errors: "" })
      })
    )
  }

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130]
  ] as const) {
    it.live(`a second ${signal} exits at once with ${code}`, () =>
      Effect.gen(function* () {
        const ended = yield* run("stuck", (line, child) => {
          if (line === "ready" || line === "draining") child.kill(signal)
        })
        assert.deepStrictEqual(ended, { code, signal: null, output: "ready\ndraining\n", errors: "" })
      })
    )
  }

  it.live("a failure is one line and exit code 1", () =>
    Effect.gen(function* () {
      const ended = yield* run("failure")
      assert.strictEqual(ended.code, 1)
      assert.match(ended.errors, /^127\.0\.0\.1:\d+ is in use by another listener\n$/)
    })
  )

  it.live("a defect is told with its place", () =>
    Effect.gen(function* () {
      const ended = yield* run("defect")
      assert.strictEqual(ended.code, 1)
      assert.match(ended.errors, /a bug[\s\S]*main-program\.ts/)
    })
  )

  it.live("a failure that is no error is one line all the same", () =>
    Effect.gen(function* () {
      const ended = yield* run("untagged")
      assert.strictEqual(ended.code, 1)
      assert.match(ended.errors, /^.*no error class.*\n$/)
    })
  )

  it.live("the end of a stream is a normal end", () =>
    Effect.gen(function* () {
      const ended = yield* run("ended")
      assert.deepStrictEqual(ended, { code: 0, signal: null, output: "last\n", errors: "" })
    })
  )

  it.live("an effect that ends, ends the process", () =>
    Effect.gen(function* () {
      const ended = yield* run("effect")
      assert.deepStrictEqual(ended, { code: 0, signal: null, output: "done\n", errors: "" })
    })
  )
})
