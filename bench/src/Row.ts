/**
 * A row: one question that the benchmark answers, as ratios of a subject to
 * its peers.
 */
import type { Program } from "./Child.ts"
import type { Experiment } from "./Experiment.ts"

/** A program that is measured. It prints `listening <port>` or `ready` when it can be. */
export interface Contestant extends Program {
  readonly name: string
  /** The program that calls it, where a contestant is a server and its client: a file below `bench/src`, without its `.ts`. */
  readonly client?: string | undefined
}

export interface Row {
  readonly group: string
  readonly name: string
  /** One line: what is measured, with its sizes and counts. */
  readonly title: string
  readonly subject: Contestant
  readonly peers: ReadonlyArray<Contestant>
  /**
   * The ratio subject / peer to reach, by the peer's name: at least this where
   * more is better, at most this where less is. Peers without one are shown only.
   */
  readonly targets: Readonly<Record<string, number>>
  /** Longest time that the subject may take from SIGTERM to its exit, where that is measured. */
  readonly drainTargetMillis?: number | undefined
  readonly experiment: Experiment
}

/** How rows are chosen on the command line: `tcp/echo-fiber`. */
export const path = (row: Row): string => `${row.group}/${row.name}`
