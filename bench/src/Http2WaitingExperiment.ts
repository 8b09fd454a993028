/**
 * Measures what a stream of HTTP/2 costs in resident memory while its handler
 * has no answer yet, with its share of its connection.
 *
 * Some streams are open before the first reading: they fill what the process
 * has free from its start, and load what serves a stream. What counts is what
 * the rest adds. There must be many: with a thousand, what a collection left
 * free of the heap is most of the figure.
 */
import { Child } from "./Child.ts"
import * as Deadline from "./Deadline.ts"
import type { Conditions, Experiment } from "./Experiment.ts"
import type { WaitingOrder } from "./load/Http2Load.ts"
import * as ProcessUsage from "./ProcessUsage.ts"

export interface WaitingOptions extends Omit<WaitingOrder, "port"> {
  /** Enough to see that the row works, for `--quick`. */
  readonly quickConnections: number
}

const firstShare = 0.2
/** Between a request for a collection and the reading. */
const settleMillis = 1_000
const openMillis = 30_000

export const make = ({ connections, quickConnections, streams, path }: WaitingOptions): Experiment => ({
  unit: "bytes/stream",
  better: "lower",
  lifetime: "fresh",
  roundsAtMost: 5,
  measure: async ({ child, port }, conditions) => {
    const count = conditions.settings.quick ? quickConnections : connections
    const firstCount = Math.ceil(count * firstShare)
    const holders = [await hold({ port, connections: firstCount, streams, path }, conditions)]
    try {
      const before = await residentBytes(child)
      holders.push(await hold({ port, connections: count - firstCount, streams, path }, conditions))
      const after = await residentBytes(child)
      return { value: (after - before) / ((count - firstCount) * streams), residentBytes: after }
    } finally {
      await Promise.all(holders.map((holder) => holder.stop()))
    }
  }
})

const hold = async (order: WaitingOrder, { pinning }: Conditions): Promise<Child> => {
  const program = { program: "load/http2-waiting-load", arguments: [JSON.stringify(order)] }
  const holder = Child.start("the stream holder", program, "load", pinning)
  try {
    await holder.line(openMillis)
    return holder
  } catch (error) {
    await holder.stop()
    throw error
  }
}

const residentBytes = async (server: Child): Promise<number> => {
  server.signal("SIGUSR2")
  await Deadline.pause(settleMillis)
  const usage = ProcessUsage.read(server.pid)
  if (usage === undefined) throw new Error("resident memory of another process is only read on Linux")
  return usage.residentBytes
}
