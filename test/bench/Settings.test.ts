import { assert, describe, it } from "vitest"
import * as Settings from "../../bench/src/Settings.ts"

const parse = (...argv: ReadonlyArray<string>): Settings.Settings => {
  const settings = Settings.parse(argv, "results")
  if (settings === "help") throw new Error("it printed its usage")
  return settings
}

it("nothing is said: all rows, 7 rounds of 2 seconds, results are kept", () => {
  assert.deepStrictEqual(parse(), {
    selection: [],
    rounds: 7,
    secondsPerSample: 2,
    quick: false,
    list: false,
    outputFolder: "results"
  })
})

it("numbers that are given win over --quick", () => {
  const settings = parse("--quick", "--pairs", "3", "--seconds", "0.2")
  assert.deepStrictEqual([settings.rounds, settings.secondsPerSample], [3, 0.2])
})

describe("results are kept for whole groups, or where they are asked for", () => {
  const cases: ReadonlyArray<readonly [argv: ReadonlyArray<string>, folder: string | undefined]> = [
    [["tcp"], "results"],
    [["tcp/echo-fiber"], undefined],
    [["tcp", "micro/lines"], undefined],
    [["tcp", "--quick"], undefined],
    [["tcp/echo-fiber", "--quick", "--out", "elsewhere"], "elsewhere"]
  ]
  for (const [argv, folder] of cases) {
    it(argv.join(" "), () => assert.strictEqual(parse(...argv).outputFolder, folder))
  }
})

describe("what is no number of rounds or seconds is refused", () => {
  for (const text of ["0", "-1", "many", "1e9", ""]) {
    it(`"${text}"`, () => assert.throws(() => parse(`--pairs=${text}`), /--pairs/))
  }
})

it("an option that there is not is refused", () => {
  assert.throws(() => parse("--fast"), /--fast/)
})
