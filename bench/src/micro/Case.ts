/**
 * A case of a micro benchmark, and how one sample of it is taken.
 */

export interface Case {
  /** Operations (frames, header fields …) of one call of `run`. */
  readonly operationsPerRun: number
  /** Does the work. What it returns depends on the work, so that the engine cannot leave it out. */
  readonly run: () => number
}

/** What a file of cases exports as `cases`, by name. */
export type Cases = Readonly<Record<string, Case>>

export interface Timing {
  readonly nanosPerOperation: number
  /** The sum of what `run` returned. */
  readonly sink: number
}

/** The clock is read once for so many runs, or it would be measured too. */
const runsPerReading = 64

/**
 * Runs the case until it has had about `millis` of CPU time. That is what
 * counts: what others take of the core meanwhile is not in it.
 */
export const sample = ({ run, operationsPerRun }: Case, millis: number): Timing => {
  const before = process.threadCpuUsage()
  let runs = 0
  let sink = 0
  let cpuMillis = 0
  while (cpuMillis < millis * 0.9) {
    // To look at this clock is cheap, and at the CPU's is not.
    const lookAgainAt = performance.now() + millis - cpuMillis
    while (performance.now() < lookAgainAt) {
      for (let index = 0; index < runsPerReading; index++) sink += run()
      runs += runsPerReading
    }
    const { user, system } = process.threadCpuUsage(before)
    cpuMillis = (user + system) / 1_000
  }
  return { nanosPerOperation: (cpuMillis * 1e6) / (runs * operationsPerRun), sink }
}
