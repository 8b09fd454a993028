/**
 * Measures what an idle connection costs in resident memory, and how long a
 * server with all of them open takes from SIGTERM to its exit.
 *
 * Resident memory is what the process has of its own: what the kernel keeps
 * for a socket is the same for every server and is not in it.
 */
import * as ChildProcess from "node:child_process"
import { Child } from "./Child.ts"
import * as Deadline from "./Deadline.ts"
import type { Conditions, Experiment } from "./Experiment.ts"
import type { IdleConversation, Order } from "./load/IdleLoad.ts"
import * as ProcessUsage from "./ProcessUsage.ts"

export interface IdleOptions {
  readonly connections: number
  /** Enough to see that the row works, for `--quick`. */
  readonly quickConnections: number
  /** What is said on each connection before it falls silent. */
  readonly conversation: IdleConversation
}

/**
 * Open before the first reading: they fill what the process has free from its
 * start, and load what serves a connection. What counts is what the rest adds.
 */
const firstShare = 0.2
/** Between a request for a collection and the reading. */
const settleMillis = 1_000
const openMillis = 60_000
/** Above the drain deadline of any server in use. */
const drainMillis = 45_000
/** Files that a process has open beside its connections. */
const spareFiles = 200

export const make = (options: IdleOptions): Experiment => ({
  unit: "bytes/connection",
  better: "lower",
  lifetime: "fresh",
  roundsAtMost: 3,
  measure: async (running, conditions) => {
    const wanted = conditions.settings.quick ? options.quickConnections : options.connections
    const count = Math.min(wanted, mostFiles() - spareFiles)
    if (count < wanted) console.log(`  only ${count} of ${wanted} connections: raise "ulimit -n"`)
    const hold = (connections: number) =>
      holdConnections({ port: running.port, count: connections, conversation: options.conversation }, conditions)
    const firstCount = Math.ceil(count * firstShare)
    const holders = [await hold(firstCount)]
    try {
      const before = await residentBytes(running.child)
      holders.push(await hold(count - firstCount))
      const after = await residentBytes(running.child)
      const value = (after - before) / (count - firstCount)
      return { value, residentBytes: after, drainMillis: await drain(running.child) }
    } finally {
      await Promise.all(holders.map((holder) => holder.stop()))
    }
  }
})

const holdConnections = async (order: Order, { pinning }: Conditions): Promise<Child> => {
  const program = { program: "load/idle-load", arguments: [JSON.stringify(order)] }
  const holder = Child.start("the connection holder", program, "load", pinning)
  await holder.line(openMillis)
  return holder
}

const residentBytes = async (server: Child): Promise<number> => {
  server.signal("SIGUSR2")
  await Deadline.pause(settleMillis)
  const usage = ProcessUsage.read(server.pid)
  if (usage === undefined) throw new Error("resident memory of another process is only read on Linux")
  return usage.residentBytes
}

/** `undefined` for a server that does not drain, but dies of the signal. */
const drain = async (server: Child): Promise<number | undefined> => {
  const begun = performance.now()
  server.signal("SIGTERM")
  const how = await Deadline.within(server.ended, drainMillis, `the drain of ${server.name}`)
  return how.startsWith("signal") ? undefined : performance.now() - begun
}

/** Node raises its own limit to the hard one when it starts, so the hard one is what counts. */
const mostFiles = (): number => {
  const limit = ChildProcess.spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8", timeout: 5_000 }).stdout?.trim()
  return limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit) || 1_024
}
