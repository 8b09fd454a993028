/**
 * Measures how many replies a second a server gives to a load generator.
 *
 * Each sample is a new generator process with new connections, so no sample
 * inherits what the one before left in it.
 */
import { Child } from "./Child.ts"
import type { Conditions, Experiment, Running, Sample } from "./Experiment.ts"
import type { BroadcastLoad, Order as BroadcastOrder } from "./load/BroadcastLoad.ts"
import type { CommonOrder, Order, Report, StreamLoad } from "./load/StreamLoad.ts"

/** Time for what a generator does beside measuring: start, connect, first reply. */
const marginMillis = 20_000

/** Request/reply over a byte stream, with `load/stream-load.ts`. */
export const stream = (load: StreamLoad): Experiment =>
  make("replies/s", "load/stream-load", (order) => ({ ...order, load }) satisfies Order)

/** One client's messages to all clients, with `load/broadcast-load.ts`. */
export const broadcast = (load: BroadcastLoad): Experiment =>
  make("deliveries/s", "load/broadcast-load", (order) => ({ ...order, load }) satisfies BroadcastOrder)

/**
 * With any generator that takes its order as JSON in its first argument and
 * prints a `Report` as one line of JSON.
 */
export const make = (unit: string, generator: string, order: (common: CommonOrder) => CommonOrder): Experiment => ({
  unit,
  better: "higher",
  lifetime: "kept",
  measure: async (running, conditions) => sample(await run(generator, order, running, conditions))
})

/** Runs a generator once, for as long as a sample takes. */
export const run = async (
  generator: string,
  order: (common: CommonOrder) => CommonOrder,
  { child, port }: Running,
  { settings, pinning, loadArguments: nodeArguments = [] }: Conditions
): Promise<Report> => {
  const measureMillis = settings.secondsPerSample * 1_000
  // The generator is a new process: its own code has to be compiled before it counts.
  const warmUpMillis = Math.min(1_000, measureMillis / 2)
  const argument = JSON.stringify(
    order({ port, warmUpMillis, measureMillis, serverPid: child.pid, cores: pinning.cores })
  )
  const program = { program: generator, arguments: [argument], nodeArguments }
  const load = Child.start("the load generator", program, "load", pinning)
  try {
    const report: Report = JSON.parse(await load.line(warmUpMillis + measureMillis + marginMillis))
    // What a profile has is written on the way out.
    if (nodeArguments.length > 0) await load.finish(marginMillis)
    if (report.replyCount > 0) return report
    throw new Error(`no reply was counted: ${report.firstError ?? "the server is silent"}`)
  } finally {
    await load.stop()
  }
}

export const sample = (report: Report): Sample => {
  const value = report.replyCount / report.seconds
  const { serverCpuPercent } = report
  return {
    value,
    p50Micros: report.latencyMicros.p50,
    p99Micros: report.latencyMicros.p99,
    serverCpuPercent,
    serverCpuMicros: serverCpuPercent === undefined ? undefined : (serverCpuPercent * 10_000) / value,
    loadCpuPercent: report.loadCpuPercent,
    otherCpuPercent: report.otherCpuPercent,
    residentBytes: report.serverResidentBytes,
    errorCount: report.errorCount
  }
}
