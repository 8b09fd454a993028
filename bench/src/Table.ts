/**
 * Results as text: for each row its contestants' figures, then its ratios.
 */
import * as Figure from "./Figure.ts"
import type { Drain, Result, Score } from "./Result.ts"

/** Lines of one row, without a trailing line break. */
export const render = (result: Result): string => {
  const lines = [`${result.group}/${result.name}: ${result.title} (${result.rounds} rounds)`]
  if (result.scores.length > 0) lines.push("", ...align(scoreCells(result)))
  if (result.ratios.length > 0) lines.push("", ...align(ratioCells(result)))
  if (result.drain !== undefined) lines.push("", drainLine(result.subject, result.drain))
  if (result.remarks.length > 0) lines.push("", ...result.remarks.map((remark) => `  ! ${remark}`))
  return lines.join("\n")
}

type Column = readonly [title: string, cell: (score: Score) => string | undefined]

const known = <A>(value: A | undefined, show: (value: A) => string): string | undefined =>
  value === undefined ? undefined : show(value)

const columns = (unit: string): ReadonlyArray<Column> => [
  [unit, (score) => Figure.count(score.value.median)],
  ["min–max", (score) => `${Figure.count(score.value.min)}–${Figure.count(score.value.max)}`],
  ["p50", (score) => known(score.p50Micros, Figure.micros)],
  ["p99", (score) => known(score.p99Micros, Figure.micros)],
  ["CPU", (score) => known(score.serverCpuPercent, Figure.percent)],
  ["CPU each", (score) => known(score.serverCpuMicros, Figure.shortMicros)],
  ["client's CPU each", (score) => known(score.clientCpuMicros, Figure.shortMicros)],
  ["load's CPU", (score) => known(score.loadCpuPercent, Figure.percent)],
  ["others' CPU", (score) => known(score.otherCpuPercent, Figure.percent)],
  ["limit", (score) => score.limitedBy],
  ["RSS", (score) => known(score.residentBytes, Figure.mebibytes)],
  ["SIGTERM to exit", (score) => known(score.drainMillis, Figure.millis)]
]

/** Columns that no contestant has a figure for are left out. */
const scoreCells = (result: Result): ReadonlyArray<ReadonlyArray<string>> => {
  const shown = columns(result.unit).filter(([, cell]) => result.scores.some((score) => cell(score) !== undefined))
  return [
    ["", ...shown.map(([title]) => title)],
    ...result.scores.map((score) => [score.name, ...shown.map(([, cell]) => cell(score) ?? "–")])
  ]
}

const ratioCells = (result: Result): ReadonlyArray<ReadonlyArray<string>> => [
  [`${result.subject} /`, "ratio", "min–max", "target", "verdict"],
  ...result.ratios.map(({ peer, ratio, target, verdict }) => [
    peer,
    Figure.ratio(ratio.median),
    `${Figure.ratio(ratio.min)}–${Figure.ratio(ratio.max)}`,
    target === undefined ? "–" : Figure.target(target, result.better),
    verdict ?? "–"
  ])
]

const drainLine = (subject: string, { millis, targetMillis, verdict }: Drain): string =>
  `  ${subject}, SIGTERM to exit: ${Figure.millis(millis)}, target < ${Figure.millis(targetMillis)}, ${verdict}`

/** The first column to the left, figures to the right. */
const align = (cells: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  return cells.map((line) => {
    const padded = line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    )
    return `  ${padded.join("   ")}`.trimEnd()
  })
}
