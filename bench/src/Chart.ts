/**
 * Results as an SVG bar chart: for each row one bar a contestant, as long as
 * its median, with a line from the least to the most of its samples, and the
 * subject's ratios beside the peers' bars.
 *
 * Written by hand: text and rectangles, and colours that follow the reader's
 * light or dark scheme.
 */
import * as Figure from "./Figure.ts"
import type { Result, Score } from "./Result.ts"

const width = 760
const labelWidth = 180
const barWidth = 290
const barHeight = 18
const spreadHeight = 2
const lineHeight = 26
const titleHeight = 50
const rowGap = 18
const margin = 16
const left = margin + labelWidth

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .note { fill: #59636e }
  .page { fill: #ffffff }
  .subject { fill: #0969da }
  .peer { fill: #afb8c1 }
  .spread { fill: #1f2328 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .page { fill: #0d1117 }
    .subject { fill: #4493f8 }
    .peer { fill: #515964 }
    .spread { fill: #f0f6fc }
  }`

/** A complete SVG document. `caption` is one line below the bars. */
export const render = (results: ReadonlyArray<Result>, caption: string): string => {
  const parts: Array<string> = []
  let top = margin
  for (const result of results.filter(({ scores }) => scores.length > 0)) {
    parts.push(row(result, top))
    top += titleHeight + result.scores.length * lineHeight + rowGap
  }
  const height = top + lineHeight
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    ...parts,
    text(margin, top + 8, caption, "note"),
    "</svg>",
    ""
  ].join("\n")
}

const row = (result: Result, top: number): string => {
  const longest = Math.max(...result.scores.map((score) => score.value.max), Number.MIN_VALUE)
  const lengthOf = (value: number): number => Math.max(1, Math.round((value / longest) * barWidth))
  const lines = result.scores.map((score, index) => {
    const y = top + titleHeight + index * lineHeight
    const [least, middle, most] = [lengthOf(score.value.min), lengthOf(score.value.median), lengthOf(score.value.max)]
    const kind = score.name === result.subject ? "subject" : "peer"
    return [
      text(margin, y + 14, score.name),
      rect(kind, left, y, middle, barHeight),
      rect("spread", left + least, y + (barHeight - spreadHeight) / 2, most - least, spreadHeight),
      text(left + most + 8, y + 14, value(result, score), "note")
    ].join("\n")
  })
  const title = text(margin, top + 16, result.title.charAt(0).toUpperCase() + result.title.slice(1), "title")
  const unit = text(margin, top + 36, `${result.unit}, ${result.better} is better`, "note")
  return [title, unit, ...lines].join("\n")
}

/** `81,234`, and for a peer `81,234 · ratio 0.83 (≥ 0.80 reached)`. */
const value = (result: Result, score: Score): string => {
  const figure = Figure.count(score.value.median)
  const ratio = result.ratios.find(({ peer }) => peer === score.name)
  if (ratio === undefined) return figure
  const target = ratio.target === undefined ? "" : ` (${Figure.target(ratio.target, result.better)} ${ratio.verdict})`
  return `${figure} · ratio ${Figure.ratio(ratio.ratio.median)}${target}`
}

const rect = (kind: string, x: number, y: number, width: number, height: number): string =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${Math.min(3, height / 2)}"/>`

const text = (x: number, y: number, content: string, kind?: string): string =>
  `<text x="${x}" y="${y}"${kind === undefined ? "" : ` class="${kind}"`}>${escape(content)}</text>`

const escape = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
