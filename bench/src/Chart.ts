/**
 * Results as an SVG bar chart: for each row one bar a contestant, as long as
 * its median, and the subject's ratios beside the peers' bars.
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
const lineHeight = 26
const titleHeight = 50
const rowGap = 18
const margin = 16

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .note { fill: #59636e }
  .page { fill: #ffffff }
  .subject { fill: #0969da }
  .peer { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .page { fill: #0d1117 }
    .subject { fill: #4493f8 }
    .peer { fill: #515964 }
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
  const longest = Math.max(...result.scores.map((score) => score.value.median), Number.MIN_VALUE)
  const lines = result.scores.map((score, index) => {
    const y = top + titleHeight + index * lineHeight
    const length = Math.max(1, Math.round((score.value.median / longest) * barWidth))
    const kind = score.name === result.subject ? "subject" : "peer"
    return [
      text(margin, y + 14, score.name),
      `<rect class="${kind}" x="${margin + labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="3"/>`,
      text(margin + labelWidth + length + 8, y + 14, value(result, score), "note")
    ].join("\n")
  })
  const title = text(margin, top + 16, result.title, "title")
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

const text = (x: number, y: number, content: string, kind?: string): string =>
  `<text x="${x}" y="${y}"${kind === undefined ? "" : ` class="${kind}"`}>${escape(content)}</text>`

const escape = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
