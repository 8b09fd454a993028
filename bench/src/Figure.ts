/**
 * How figures are written, the same in the table and in the chart.
 */

/** `81,234`; below 100 with as many decimals as say something: `0.83`, `12.5`. */
export const count = (value: number): string => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

export const ratio = (value: number): string => value.toFixed(2)

export const percent = (value: number): string => `${Math.round(value)} %`

/** `712 µs`, `1.31 ms`. */
export const micros = (value: number): string => (value < 1_000 ? `${Math.round(value)} µs` : millis(value / 1_000))

/** `6.25 µs`: for times that are mostly below a millisecond, and compared. */
export const shortMicros = (value: number): string => `${count(value)} µs`

/** `1.31 ms`, `2.05 s`. */
export const millis = (value: number): string =>
  value < 1_000 ? `${value.toPrecision(3)} ms` : `${(value / 1_000).toFixed(2)} s`

export const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`

/** `≥ 0.80`: a target in the direction that counts. */
export const target = (value: number, better: "higher" | "lower"): string =>
  `${better === "higher" ? "≥" : "≤"} ${ratio(value)}`
