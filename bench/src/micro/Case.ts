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

/** Runs the case for at least `millis`. */
export const sample = ({ run, operationsPerRun }: Case, millis: number): Timing => {
  let runs = 0
  let sink = 0
  const begun = performance.now()
  let elapsed = 0
  while (elapsed < millis) {
    for (let index = 0; index < runsPerReading; index++) sink += run()
    runs += runsPerReading
    elapsed = performance.now() - begun
  }
  return { nanosPerOperation: (elapsed * 1e6) / (runs * operationsPerRun), sink }
}
