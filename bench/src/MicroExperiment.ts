/**
 * Measures nanoseconds of CPU time an operation of a piece of code, in a
 * process of its own: no case meets the types that another one left in the
 * engine's caches.
 */
import type { Experiment } from "./Experiment.ts"
import type { Contestant } from "./Row.ts"

/** Others may have most of the core. */
const marginMillis = 20_000

export const experiment: Experiment = {
  unit: "ns/op",
  better: "lower",
  lifetime: "kept",
  measure: async ({ child }, { settings }) => {
    // A quarter of a server's sample: nothing but the code itself has to settle.
    const sampleMillis = settings.secondsPerSample * 250
    child.send(String(sampleMillis))
    return { value: Number(await child.line(sampleMillis + marginMillis)) }
  }
}

/** The case `name` of the file `micro/<file>.ts`. */
export const contestant = (file: string, name: string): Contestant => ({
  name,
  program: "micro/run-case",
  arguments: [file, name]
})
