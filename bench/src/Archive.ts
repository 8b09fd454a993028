/**
 * Results as files: `<group>.json` with every sample, `<group>.svg` to look at.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Chart from "./Chart.ts"
import * as Machine from "./Machine.ts"
import type { Result } from "./Result.ts"
import type { Settings } from "./Settings.ts"

/** Writes both files of `group`; returns their paths. */
export const write = (
  folder: string,
  group: string,
  results: ReadonlyArray<Result>,
  settings: Settings,
  pinning: string
): ReadonlyArray<string> => {
  const machine = Machine.describe()
  const { rounds, secondsPerSample, quick } = settings
  const record = {
    group,
    measuredAt: new Date().toISOString(),
    machine,
    settings: { rounds, secondsPerSample, quick, pinning },
    results
  }
  const caption = `${machine.processor}, ${machine.coreCount} cores, Node ${machine.node}, ${pinning}; medians`
  const json = Path.join(folder, `${group}.json`)
  const svg = Path.join(folder, `${group}.svg`)
  Fs.mkdirSync(folder, { recursive: true })
  Fs.writeFileSync(json, `${JSON.stringify(record, undefined, 2)}\n`)
  Fs.writeFileSync(svg, Chart.render(results, caption))
  return [json, svg]
}
