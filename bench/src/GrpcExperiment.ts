/**
 * Measures servers of gRPC: under bare HTTP/2, or under a client, which is then
 * measured with its server.
 */
import type { Experiment, Running, Sample } from "./Experiment.ts"
import * as LoadExperiment from "./LoadExperiment.ts"
import type { GrpcLoad, Order } from "./load/GrpcLoad.ts"
import type { CommonOrder, Report } from "./load/StreamLoad.ts"

/** How many calls a second, or, of those that stream, how many messages. */
export const throughput = (load: GrpcLoad): Experiment => ({
  unit: load.call.method === "Stream" ? "messages/s" : "calls/s",
  better: "higher",
  lifetime: "kept",
  measure: async (running, conditions) => {
    const report = await LoadExperiment.run(generatorOf(running), orderOf(load), running, conditions)
    return running.contestant.client === undefined ? LoadExperiment.sample(report) : withClient(report)
  }
})

/** The latency at a fixed rate that 99 % of the calls do not pass, in microseconds. */
export const latency = (load: GrpcLoad & { readonly callsPerSecond: number }): Experiment => ({
  unit: "µs (p99)",
  better: "lower",
  lifetime: "kept",
  measure: async (running, conditions) => {
    const report = await LoadExperiment.run(generatorOf(running), orderOf(load), running, conditions)
    const reached = report.replyCount / report.seconds
    if (reached < load.callsPerSecond * leastShare)
      throw new Error(`only ${Math.round(reached)} of ${load.callsPerSecond} calls a second were answered`)
    // The generator looks at the clock all the time: that its core is full says nothing.
    return { ...LoadExperiment.sample(report), value: report.latencyMicros.p99, loadCpuPercent: undefined }
  }
})

/** Of the rate, that a server must keep up with for its latencies to mean anything. */
const leastShare = 0.9

const generatorOf = ({ contestant }: Running): string => contestant.client ?? "load/grpc-load"

const orderOf =
  (load: GrpcLoad) =>
  (common: CommonOrder): Order => ({ ...common, load })

const withClient = (report: Report): Sample => {
  const sample = LoadExperiment.sample(report)
  return { ...sample, clientCpuMicros: (report.loadCpuPercent * 10_000) / sample.value }
}
