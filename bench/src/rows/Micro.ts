/**
 * Rows of code alone, without a network: what an operation costs.
 *
 * The floors do less than their subjects (no limits, one chunk), so they have
 * no target: they say what the safety costs.
 */
import * as MicroExperiment from "../MicroExperiment.ts"
import type { Row } from "../Row.ts"

export const micro: ReadonlyArray<Row> = [
  {
    group: "micro",
    name: "length-delimited",
    title: "decoding length-delimited frames, 64 of 64 B in a chunk, a frame",
    subject: MicroExperiment.contestant("length-delimited", "LengthDelimited"),
    peers: [
      MicroExperiment.contestant("length-delimited", "ByteQueue"),
      MicroExperiment.contestant("length-delimited", "by hand")
    ],
    targets: {},
    experiment: MicroExperiment.experiment
  },
  {
    group: "micro",
    name: "lines",
    title: "decoding lines, 64 of 63 characters in a chunk, a line",
    subject: MicroExperiment.contestant("lines", "Lines"),
    peers: [MicroExperiment.contestant("lines", "by hand")],
    targets: {},
    experiment: MicroExperiment.experiment
  }
]
