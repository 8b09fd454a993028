/**
 * The command line of the benchmarks: `npm run bench -- --help`.
 *
 * Ends with 0 when all that was asked for was measured, whatever the ratios:
 * a noisy machine is no error. With 1 when a contestant failed.
 */
import * as Path from "node:path"
import * as Archive from "./Archive.ts"
import * as Catalog from "./Catalog.ts"
import * as Child from "./Child.ts"
import * as Figure from "./Figure.ts"
import * as Pinning from "./Pinning.ts"
import type { Result } from "./Result.ts"
import * as Rounds from "./Rounds.ts"
import * as Row from "./Row.ts"
import * as Settings from "./Settings.ts"
import * as Table from "./Table.ts"

const list = (rows: ReadonlyArray<Row.Row>): void => {
  for (const row of rows) {
    console.log(`${Row.path(row)}: ${row.title}`)
    for (const { name } of row.peers) {
      const target = row.targets[name]
      const wanted = target === undefined ? "no target" : Figure.target(target, row.experiment.better)
      console.log(`  ${row.subject.name} / ${name}: ${wanted}`)
    }
    const drainMillis = row.drainTargetMillis
    if (drainMillis !== undefined)
      console.log(`  ${row.subject.name}, SIGTERM to exit: < ${Figure.millis(drainMillis)}`)
  }
}

const measure = async (rows: ReadonlyArray<Row.Row>, settings: Settings.Settings, stop: AbortSignal): Promise<void> => {
  const pinning = Pinning.detect()
  console.log(`${pinning.description}; Node ${process.version}\n`)
  const results: Array<Result> = []
  for (const row of rows) {
    const result = await Rounds.run(row, { settings, pinning, stop })
    results.push(result)
    console.log(`${Table.render(result)}\n`)
    if (result.scores.length < 1 + row.peers.length) process.exitCode = 1
  }
  if (settings.outputFolder === undefined) return
  for (const [group, ofGroup] of Map.groupBy(results, (result) => result.group)) {
    for (const file of Archive.write(settings.outputFolder, group, ofGroup, settings, pinning.description)) {
      console.log(`wrote ${file}`)
    }
  }
}

/** The first signal ends the children and then this process; the second ends it at once. */
const stopOnSignal = (): AbortSignal => {
  const stop = new AbortController()
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(code))
      stop.abort(new Error(`stopped by ${signal}`))
      void Child.stopAll().finally(() => process.exit(code))
    })
  }
  return stop.signal
}

const main = async (): Promise<void> => {
  const settings = Settings.parse(process.argv.slice(2), Path.resolve(import.meta.dirname, "../results"))
  if (settings === "help") return console.log(Settings.usage)
  const rows = Catalog.select(settings.selection)
  if (settings.list) return list(rows)
  await measure(rows, settings, stopOnSignal())
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
