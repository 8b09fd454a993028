import { assert, it } from "vitest"
import * as Chart from "../../bench/src/Chart.ts"
import type { Sample } from "../../bench/src/Experiment.ts"
import * as Result from "../../bench/src/Result.ts"
import type { Contestant, Row } from "../../bench/src/Row.ts"

const subject: Contestant = { name: "Sluice", program: "servers/subject" }
const peer: Contestant = { name: "a <peer> & co", program: "servers/peer" }

const row: Row = {
  group: "tcp",
  name: "echo",
  title: "TCP echo",
  subject,
  peers: [peer],
  targets: { [peer.name]: 2 },
  experiment: {
    unit: "replies/s",
    better: "higher",
    lifetime: "kept",
    measure: () => Promise.reject(new Error("not measured"))
  }
}

const chart = (samples: ReadonlyMap<Contestant, ReadonlyArray<Sample>>): string =>
  Chart.render([Result.make(row, samples, [])], "a machine")

const svg = chart(
  new Map([
    [subject, [{ value: 200 }]],
    [peer, [{ value: 100 }]]
  ])
)

const bars = (kind: string): ReadonlyArray<number> =>
  Array.from(svg.matchAll(new RegExp(`<rect class="${kind}"[^>]* width="(\\d+)"`, "g")), ([, width]) => Number(width))

it("bars are as long as their values", () => {
  const [ofSubject = 0] = bars("subject")
  const [ofPeer = 0] = bars("peer")
  assert.isAbove(ofSubject, 0)
  assert.strictEqual(ofPeer * 2, ofSubject)
})

it("a line goes from the least to the most of the samples, on the scale of the bars", () => {
  const spread = chart(new Map([[subject, [{ value: 50 }, { value: 100 }, { value: 200 }]]]))
  const [, x, width] = /<rect class="spread" x="(\d+)"[^>]* width="(\d+)"/.exec(spread) ?? []
  const [, start, length] = /<rect class="subject" x="(\d+)"[^>]* width="(\d+)"/.exec(spread) ?? []
  // The bar is as long as 100.
  assert.approximately(Number(width), Number(length) * 1.5, 1)
  assert.approximately(Number(x), Number(start) + Number(length) / 2, 1)
})

it("names are escaped", () => {
  assert.include(svg, "a &lt;peer&gt; &amp; co")
  assert.notInclude(svg, "<peer>")
})

it("the subject's ratio stands with its peer, and its target and verdict with it", () => {
  assert.include(svg, "100 · ratio 2.00 (≥ 2.00 reached)")
})

it("every element is closed", () => {
  const opened = svg.match(/<[a-z][^>]*[^/]>/g)?.length ?? 0
  const closed = svg.match(/<\/[a-z]+>/g)?.length ?? 0
  assert.strictEqual(opened, closed)
})

it("colours follow a dark scheme", () => {
  assert.include(svg, "prefers-color-scheme: dark")
})

it("a row without figures is left out", () => {
  assert.notInclude(chart(new Map()), "TCP echo")
})
