import { assert, describe, it } from "vitest"
import * as Pinning from "../../bench/src/Pinning.ts"

describe("the cores that a process may use", () => {
  const cases: ReadonlyArray<readonly [list: string, cores: ReadonlyArray<number>]> = [
    ["0", [0]],
    ["0-1", [0, 1]],
    ["2,5-7,9", [2, 5, 6, 7, 9]]
  ]
  for (const [list, cores] of cases) {
    it(list, () => {
      const status = `Name:\tnode\nCpus_allowed:\t3\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`
      assert.deepStrictEqual(Pinning.allowedCores(status), cores)
    })
  }

  it("a system that does not say", () => {
    assert.deepStrictEqual(Pinning.allowedCores("Name:\tnode\n"), [])
  })
})
