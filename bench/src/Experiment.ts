/**
 * How a row is measured: the contract between the rounds (`Rounds.ts`) and the
 * kinds of measurement (`LoadExperiment`, `IdleExperiment`, `MicroExperiment`).
 */
import type { Child } from "./Child.ts"
import type { Pinning } from "./Pinning.ts"
import type { Contestant } from "./Row.ts"
import type { Settings } from "./Settings.ts"

/** One measurement of one contestant. What a kind of experiment does not know stays out. */
export interface Sample {
  /** In the experiment's unit: the number that ratios are made of. */
  readonly value: number
  readonly p50Micros?: number | undefined
  readonly p99Micros?: number | undefined
  readonly serverCpuPercent?: number | undefined
  /** CPU time of the server for one reply. */
  readonly serverCpuMicros?: number | undefined
  readonly loadCpuPercent?: number | undefined
  /** CPU time of the client for one reply, where that is measured too. */
  readonly clientCpuMicros?: number | undefined
  /** Of the measurement's cores, by programs that have no part in it. */
  readonly otherCpuPercent?: number | undefined
  readonly residentBytes?: number | undefined
  readonly drainMillis?: number | undefined
  readonly errorCount?: number | undefined
}

/** A contestant that is up. `port` is 0 for programs that do not listen. */
export interface Running {
  readonly contestant: Contestant
  readonly child: Child
  readonly port: number
}

export interface Conditions {
  readonly settings: Settings
  readonly pinning: Pinning
  /** For the Node of the load generator. Default none. */
  readonly loadArguments?: ReadonlyArray<string> | undefined
  /** Aborted when the benchmark is to end. */
  readonly stop: AbortSignal
}

export interface Experiment {
  readonly unit: string
  readonly better: "higher" | "lower"
  /**
   * `kept`: all contestants run side by side for the whole row, and the idle
   * ones wait. `fresh`: each sample starts its contestant anew, alone.
   */
  readonly lifetime: "kept" | "fresh"
  /** Most rounds that are worth their time. Default: as many as were asked for. */
  readonly roundsAtMost?: number | undefined
  /** One measurement, which is thrown away for contestants that are `kept` and measured for the first time. */
  readonly measure: (running: Running, conditions: Conditions) => Promise<Sample>
}
