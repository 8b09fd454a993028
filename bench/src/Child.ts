/**
 * A process of a benchmark: a server, a load generator or a micro benchmark.
 *
 * It talks in lines on stdin and stdout. Its last words on stderr are kept, to
 * be shown when it fails. Everything that asks it for something has a deadline.
 *
 * `stopAll` ends every child that still lives, by its process id.
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as Readline from "node:readline"
import * as Deadline from "./Deadline.ts"
import type { Pinning, Side } from "./Pinning.ts"

export interface Program {
  /** A file below `bench/src`, without its `.ts`. */
  readonly program: string
  readonly arguments?: ReadonlyArray<string> | undefined
  /** For Node, in front of the file. */
  readonly nodeArguments?: ReadonlyArray<string> | undefined
}

const stderrBytes = 4_096
const living = new Set<Child>()

export class Child {
  readonly name: string
  readonly pid: number
  /** Settles when the process has ended; never rejects. */
  readonly ended: Promise<string>
  private readonly process: ChildProcess.ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>
  private lastWords = ""

  private constructor(name: string, child: ChildProcess.ChildProcessWithoutNullStreams) {
    this.name = name
    this.process = child
    this.pid = child.pid ?? 0
    this.lines = Readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-stderrBytes)
    })
    // A child that is gone cannot be told anything: its end is what counts, and `ended` reports that.
    child.stdin.on("error", () => {})
    living.add(this)
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        living.delete(this)
        resolve(how)
      }
      child.once("error", (error) => end(error.message))
      child.once("close", (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
    })
  }

  /** Starts a program of this package in its own process, on the core of `side`. */
  static start(name: string, program: Program, side: Side, pinning: Pinning): Child {
    const file = Path.join(import.meta.dirname, `${program.program}.ts`)
    const node = [
      process.execPath,
      "--conditions=@sluice/source",
      "--disable-warning=ExperimentalWarning",
      "--expose-gc",
      ...(program.nodeArguments ?? [])
    ]
    const [command, ...rest] = [...pinning.prefix(side), ...node, file, ...(program.arguments ?? [])]
    return new Child(name, ChildProcess.spawn(command!, rest, { stdio: "pipe" }))
  }

  /** The next line that the child prints. Fails when it ends instead, with what it said on stderr. */
  line(deadlineMillis: number): Promise<string> {
    const next = this.lines.next().then(async (result) => {
      if (result.done !== true) return result.value
      const how = await this.ended
      throw new Error(`${this.name} ended (${how}): ${reason(this.lastWords)}`)
    })
    return Deadline.within(next, deadlineMillis, `a line from ${this.name}`)
  }

  send(line: string): void {
    this.process.stdin.write(`${line}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  /** Tells the child that the benchmark is over, and waits until it has ended by itself. */
  async finish(deadlineMillis: number): Promise<void> {
    this.process.stdin.end()
    await Deadline.within(this.ended, deadlineMillis, `the end of ${this.name}`)
  }

  /** Kills the child and waits until it is gone. */
  async stop(): Promise<void> {
    if (!living.has(this)) return
    this.signal("SIGKILL")
    await Deadline.within(this.ended, 5_000, `the end of ${this.name}`)
  }
}

/** The line of a stack trace that names the error; else the last line. */
const reason = (stderr: string): string => {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "")
  return (lines.find((line) => /^\s*\w*Error\b/.test(line)) ?? lines.at(-1) ?? "it said nothing").trim()
}

export const stopAll = async (): Promise<void> => {
  await Promise.allSettled(Array.from(living, (child) => child.stop()))
}
