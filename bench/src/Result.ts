/**
 * What a row came to: all samples, and the ratios made of them.
 */
import type { Sample } from "./Experiment.ts"
import type { Contestant, Row } from "./Row.ts"
import * as Statistic from "./Statistic.ts"

export interface Score {
  readonly name: string
  readonly samples: ReadonlyArray<Sample>
  readonly value: Statistic.Summary
  readonly p50Micros: number | undefined
  readonly p99Micros: number | undefined
  readonly serverCpuPercent: number | undefined
  readonly serverCpuMicros: number | undefined
  readonly loadCpuPercent: number | undefined
  readonly clientCpuMicros: number | undefined
  readonly otherCpuPercent: number | undefined
  readonly residentBytes: number | undefined
  readonly drainMillis: number | undefined
  readonly errorCount: number
  readonly limitedBy: Limit | undefined
}

/**
 * What kept a server from more: its own core, the core of a client that is
 * measured with it, the load generator's core (then the figure says nothing
 * about the server), or neither: both waited.
 */
export type Limit = "server" | "client" | "load" | "waiting"

export interface Ratio {
  readonly peer: string
  /** One for each round: subject / peer of the same round. */
  readonly perRound: ReadonlyArray<number>
  readonly ratio: Statistic.Summary
  readonly target: number | undefined
  readonly verdict: "reached" | "short" | undefined
}

/** How long the subject took from SIGTERM to its exit, against the row's target. */
export interface Drain {
  readonly millis: number
  readonly targetMillis: number
  readonly verdict: "reached" | "short"
}

export interface Result {
  readonly group: string
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: "higher" | "lower"
  readonly subject: string
  readonly rounds: number
  /** The subject first, then the peers. Contestants that failed are missing. */
  readonly scores: ReadonlyArray<Score>
  readonly ratios: ReadonlyArray<Ratio>
  /** `undefined` where the row has no such target, or the subject did not drain. */
  readonly drain: Drain | undefined
  /** What a reader must know: what failed, and which figures mean little. */
  readonly remarks: ReadonlyArray<string>
}

/** Contestants of `samples` have at least one each, and the same number. */
export const make = (
  row: Row,
  samples: ReadonlyMap<Contestant, ReadonlyArray<Sample>>,
  failures: ReadonlyArray<string>
): Result => {
  const scores = Array.from(samples, ([contestant, list]) => score(contestant.name, list))
  return {
    group: row.group,
    name: row.name,
    title: row.title,
    unit: row.experiment.unit,
    better: row.experiment.better,
    subject: row.subject.name,
    rounds: scores[0]?.samples.length ?? 0,
    scores,
    ratios: ratios(row, samples),
    drain: drain(row, scores),
    remarks: [...failures, ...scores.flatMap(remarks)]
  }
}

const score = (name: string, samples: ReadonlyArray<Sample>): Score => {
  const medianOf = (pick: (sample: Sample) => number | undefined) => Statistic.medianKnown(samples.map(pick))
  const serverCpuPercent = medianOf((sample) => sample.serverCpuPercent)
  const loadCpuPercent = medianOf((sample) => sample.loadCpuPercent)
  const clientCpuMicros = medianOf((sample) => sample.clientCpuMicros)
  return {
    name,
    samples,
    value: Statistic.summary(samples.map((sample) => sample.value)),
    p50Micros: medianOf((sample) => sample.p50Micros),
    p99Micros: medianOf((sample) => sample.p99Micros),
    serverCpuPercent,
    serverCpuMicros: medianOf((sample) => sample.serverCpuMicros),
    loadCpuPercent,
    clientCpuMicros,
    otherCpuPercent: medianOf((sample) => sample.otherCpuPercent),
    residentBytes: medianOf((sample) => sample.residentBytes),
    drainMillis: medianOf((sample) => sample.drainMillis),
    errorCount: samples.reduce((sum, sample) => sum + (sample.errorCount ?? 0), 0),
    limitedBy: limit(serverCpuPercent, loadCpuPercent, clientCpuMicros === undefined ? "load" : "client")
  }
}

/** A core is busy from 90 % on; the generator must be clearly at its end before it is blamed. */
const limit = (
  serverCpuPercent: number | undefined,
  loadCpuPercent: number | undefined,
  load: "load" | "client"
): Limit | undefined => {
  if (serverCpuPercent === undefined || loadCpuPercent === undefined) return undefined
  if (serverCpuPercent >= 90) return "server"
  return loadCpuPercent > 95 ? load : "waiting"
}

const ratios = (row: Row, samples: ReadonlyMap<Contestant, ReadonlyArray<Sample>>): ReadonlyArray<Ratio> => {
  const subject = samples.get(row.subject)
  if (subject === undefined) return []
  return row.peers.flatMap((peer) => {
    const against = samples.get(peer)
    if (against === undefined) return []
    const perRound = against.map((sample, round) => subject[round]!.value / sample.value)
    const ratio = Statistic.summary(perRound)
    const target = row.targets[peer.name]
    return [{ peer: peer.name, perRound, ratio, target, verdict: verdict(ratio.median, target, row.experiment.better) }]
  })
}

const verdict = (ratio: number, target: number | undefined, better: "higher" | "lower"): Ratio["verdict"] => {
  if (target === undefined) return undefined
  return (better === "higher" ? ratio >= target : ratio <= target) ? "reached" : "short"
}

const drain = (row: Row, scores: ReadonlyArray<Score>): Drain | undefined => {
  const millis = scores.find(({ name }) => name === row.subject.name)?.drainMillis
  const targetMillis = row.drainTargetMillis
  if (millis === undefined || targetMillis === undefined) return undefined
  return { millis, targetMillis, verdict: millis < targetMillis ? "reached" : "short" }
}

/** Share of a core from which on other programs are worth a remark. */
const noticeablePercent = 10

const remarks = (score: Score): ReadonlyArray<string> => [
  ...((score.otherCpuPercent ?? 0) > noticeablePercent
    ? [`${score.name}: others took ${Math.round(score.otherCpuPercent ?? 0)} % of a core meanwhile`]
    : []),
  ...(score.limitedBy === "load"
    ? [`${score.name}: load-bound, the generator's core was full and the server's not`]
    : []),
  ...(score.errorCount > 0 ? [`${score.name}: ${score.errorCount} errors`] : [])
]
