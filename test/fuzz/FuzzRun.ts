/**
 * How long a fuzzer or a differential run goes on, and what it says at its end.
 *
 * ```sh
 * … [seconds, default 60] [seed]
 * … --seconds 600 --seed 7
 * … --exchanges 100000
 * ```
 *
 * @since 0.1.0
 */
import * as Util from "node:util"

export interface Budget {
  /** Ends the run, in seconds. Default 60 where there is no other end. */
  readonly seconds: number
  /** Ends the run, in rounds or exchanges. */
  readonly exchanges: number
  /** Of the first round; the next ones count up. Default: taken from the clock. */
  readonly seed: number
}

export const parse = (args: ReadonlyArray<string>): Budget => {
  const { positionals, values } = Util.parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seconds: { type: "string" }, exchanges: { type: "string" }, seed: { type: "string" } }
  })
  const exchanges = numberOf("exchanges", values.exchanges)
  const seconds = numberOf("seconds", values.seconds ?? positionals[0])
  const seed = numberOf("seed", values.seed ?? positionals[1])
  return {
    seconds: seconds ?? (exchanges === undefined ? 60 : Number.POSITIVE_INFINITY),
    exchanges: exchanges ?? Number.POSITIVE_INFINITY,
    seed: seed ?? Date.now() % 2 ** 31
  }
}

/**
 * Runs `round` with one seed after the other. A round returns how many
 * exchanges it was; anything but a number counts as one. What it throws ends the run, behind
 * the seed with which it can be run again.
 */
export const run = async (budget: Budget, round: (seed: number) => unknown): Promise<void> => {
  const endMillis = Date.now() + budget.seconds * 1000
  let count = 0
  let seed = budget.seed
  do {
    try {
      const exchanges = await inTime(round(seed))
      count += typeof exchanges === "number" ? exchanges : 1
    } catch (cause) {
      console.error(`failed with seed ${seed}, behind ${count} exchanges`)
      throw cause
    }
    seed++
  } while (count < budget.exchanges && Date.now() < endMillis)
  console.log(`${count} exchanges, seeds ${budget.seed} to ${seed - 1}`)
}

/** A side that waits for what does not come would wait for ever. */
const inTime = async (round: unknown): Promise<unknown> => {
  if (!(round instanceof Promise)) return round
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing more has come for 30 seconds")), 30_000)
  })
  try {
    return await Promise.race([round, late])
  } finally {
    clearTimeout(timer)
  }
}

const numberOf = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!(number >= 0)) throw new RangeError(`${name} must be a number of at least 0, but is ${text}`)
  return number
}
