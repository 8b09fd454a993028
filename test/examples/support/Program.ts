/** A program of the examples as a process of its own, as its users start it. */
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import type * as Dialer from "@sluice/core/transport/Dialer"
import * as CommandLine from "@sluice/examples/command-line"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: ReadonlyArray<string>
  readonly stderr: ReadonlyArray<string>
}

export interface Program {
  /** The next line of its standard output. */
  readonly line: Effect.Effect<string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

export const main = fileURLToPath(new URL("../../../packages/examples/src/main.ts", import.meta.url))

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Starts it with the Node that runs the tests; it is killed with the scope at the latest. */
export const start = Effect.fnUntraced(function* (args: ReadonlyArray<string>, entry = main) {
  const lines = yield* Queue.unbounded<string>()
  const ended = yield* Deferred.make<Ended>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, ["--conditions=@sluice/source", entry, ...args], {
        cwd: root,
        env: { ...process.env, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const stdout: Array<string> = []
  const stderr: Array<string> = []
  Readline.createInterface({ input: child.stdout }).on("line", (line) => {
    stdout.push(line)
    Queue.offerUnsafe(lines, line)
  })
  Readline.createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line))
  child.on("close", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed({ code, signal, stdout, stderr })))
  const program: Program = {
    line: Queue.take(lines),
    signal: (signal) => Effect.sync(() => assert.isTrue(child.kill(signal))),
    ended: Deferred.await(ended)
  }
  return program
})

/** Starts a server, and waits for the one line that says where it listens. */
export const serve = Effect.fnUntraced(function* (name: string, args: ReadonlyArray<string>, entry?: string) {
  const program = yield* start(args, entry)
  const line = yield* Effect.raceFirst(
    program.line,
    Effect.flatMap(program.ended, (ended) => Effect.die(new Error(`${name} ended: ${ended.stderr.join("\n")}`)))
  )
  const match = /^(\S+) listening on (\S+)$/.exec(line)
  assert.strictEqual(match?.[1], name, line)
  const address: Dialer.Target = Option.getOrThrow(CommandLine.parseTarget(match![2]!))
  return { ...program, address, where: match![2]! }
})
