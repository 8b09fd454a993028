/**
 * Which core a process of a benchmark runs on: what is measured on one, what
 * drives it on another.
 *
 * Pinning takes Linux, `taskset` and two cores that this process may use.
 * Without them processes run where the system puts them, and the report says
 * so: figures of such a run scatter more.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"

/** The two sides of a measurement. */
export type Side = "server" | "load"

export interface Pinning {
  /** The cores in use; empty when nothing is pinned. */
  readonly cores: ReadonlyArray<number>
  /** The words that go in front of a command line. */
  readonly prefix: (side: Side) => ReadonlyArray<string>
  /** For the report: `server on core 0, load on core 1`, or why nothing is pinned. */
  readonly description: string
}

const unpinned = (why: string): Pinning => ({ cores: [], prefix: () => [], description: `not pinned: ${why}` })

/** Finds out what this machine can do. */
export const detect = (): Pinning => {
  if (process.platform !== "linux") return unpinned(`${process.platform} has no taskset`)
  const probe = ChildProcess.spawnSync("taskset", ["--version"], { stdio: "ignore", timeout: 5_000 })
  if (probe.error !== undefined || probe.status !== 0) return unpinned("taskset is not installed")
  const [server, load] = allowedCores(Fs.readFileSync("/proc/self/status", "utf8"))
  if (server === undefined || load === undefined) return unpinned("this process may use only one core")
  const cores = { server, load }
  return {
    cores: [server, load],
    prefix: (side) => ["taskset", "-c", String(cores[side])],
    description: `server on core ${server}, load on core ${load}`
  }
}

/** The cores of a line `Cpus_allowed_list: 0-1,4`. */
export const allowedCores = (status: string): ReadonlyArray<number> => {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? ""
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number)
    if (first === undefined || last === undefined || Number.isNaN(first) || range === "") return []
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
