/**
 * What the command line asks for.
 */
import * as Util from "node:util"

export interface Settings {
  /** `tcp` for a group, `tcp/echo-fiber` for a row; empty for all. */
  readonly selection: ReadonlyArray<string>
  readonly rounds: number
  readonly secondsPerSample: number
  /** Fewer rounds, shorter samples, smaller counts: shows that a row works, not how fast. */
  readonly quick: boolean
  readonly list: boolean
  /** Where results go. `undefined`: nowhere. */
  readonly outputFolder: string | undefined
}

export const usage = `npm run bench -- [group | group/row]… [options]

  --list         print the rows and measure nothing
  --quick        2 rounds of 0.5 s, small counts, no files: does it work?
  --pairs n      rounds (default 7)
  --seconds s    seconds a sample (default 2)
  --out folder   where results go (default bench/results, and only for whole groups without --quick)
  --help         print this`

/** Reads a command line. Fails with a sentence for its writer. `"help"`: they asked for `usage`. */
export const parse = (argv: ReadonlyArray<string>, defaultFolder: string): Settings | "help" => {
  const { values, positionals } = Util.parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      pairs: { type: "string" },
      seconds: { type: "string" },
      out: { type: "string" }
    }
  })
  if (values.help) return "help"
  const wholeGroups = positionals.every((name) => !name.includes("/"))
  return {
    selection: positionals,
    rounds: Math.ceil(positive("--pairs", values.pairs, values.quick ? 2 : 7, 1_000)),
    secondsPerSample: positive("--seconds", values.seconds, values.quick ? 0.5 : 2, 600),
    quick: values.quick,
    list: values.list,
    outputFolder: values.out ?? (values.quick || !wholeGroups ? undefined : defaultFolder)
  }
}

const positive = (name: string, text: string | undefined, otherwise: number, most: number): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!(value > 0 && value <= most)) throw new Error(`${name} takes a number above 0 and up to ${most}, not ${text}`)
  return value
}
