import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"
import * as Catalog from "../../bench/src/Catalog.ts"
import * as Row from "../../bench/src/Row.ts"

const sources = Path.resolve(import.meta.dirname, "../../bench/src")

it("no two rows have the same path", () => {
  const paths = Catalog.rows.map(Row.path)
  assert.strictEqual(new Set(paths).size, paths.length)
})

describe("every row", () => {
  for (const row of Catalog.rows) {
    it(`${Row.path(row)} has programs that exist, names that differ, and targets for peers it has`, () => {
      const contestants = [row.subject, ...row.peers]
      const programs = contestants.flatMap(({ program, client }) =>
        client === undefined ? [program] : [program, client]
      )
      for (const program of programs) assert.isTrue(Fs.existsSync(Path.join(sources, `${program}.ts`)), program)
      assert.strictEqual(new Set(contestants.map(({ name }) => name)).size, contestants.length)
      assert.includeMembers(
        row.peers.map(({ name }) => name),
        Object.keys(row.targets)
      )
    })
  }
})

it("a group, a row, both, and nothing select what they say", () => {
  const names = (selection: ReadonlyArray<string>) => Catalog.select(selection).map(Row.path)
  assert.deepStrictEqual(names(["tcp/frames"]), ["tcp/frames"])
  assert.deepStrictEqual(names(["tcp/frames", "tcp"]), names(["tcp"]))
  assert.deepStrictEqual(names([]), Catalog.rows.map(Row.path))
})

it("a name that fits nothing is refused", () => {
  assert.throws(() => Catalog.select(["tcp", "smtp"]), /smtp/)
})
