/** Programs of others, which tests ask for what they see of a server. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"

/** Why there is no such program to test with, where there is none. */
export const missing = (name: string): string | undefined => {
  const places = (process.env.PATH ?? "").split(Path.delimiter)
  return places.some((place) => Fs.existsSync(Path.join(place, name))) ? undefined : `there is no ${name}`
}

/** For the name of what is skipped then. */
export const skipped = (why: string | undefined): string => (why === undefined ? "" : ` (skipped: ${why})`)

export interface Ran {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs it to its end; it is killed where the test is over before that. */
export const run = (name: string, args: ReadonlyArray<string>, stdin?: Uint8Array): Effect.Effect<Ran> =>
  Effect.callback((resume) => {
    const child = ChildProcess.spawn(name, args, { stdio: "pipe" })
    const stdout: Array<Buffer> = []
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout: Buffer.concat(stdout), stderr })))
    // It may end before it has read all.
    child.stdin.on("error", () => {})
    child.stdin.end(stdin)
    return Effect.sync(() => child.kill("SIGKILL"))
  })
