/**
 * The few statistics of a benchmark.
 *
 * Medians, because one disturbed round must not move the figure; and the whole
 * spread beside it, because a ratio without it says nothing.
 */

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** `values` is not empty. */
export const summary = (values: ReadonlyArray<number>): Summary => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: middle(sorted), min: sorted[0]!, max: sorted[sorted.length - 1]! }
}

/** `values` is not empty. */
export const median = (values: ReadonlyArray<number>): number => middle(values.toSorted((a, b) => a - b))

/** The median of those that are known; `undefined` when none is. */
export const medianKnown = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

const middle = (sorted: ReadonlyArray<number>): number => {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
