/** `scripts/Tarball.ts` sees what is wrong with a tarball; `npm run test:pack` shows it real ones. */
import { assert, describe, it } from "vitest"
import * as Tarball from "../../scripts/Tarball.ts"

const whole = [
  "package.json",
  "LICENSE",
  "README.md",
  "src/a/B.ts",
  "dist/a/B.js",
  "dist/a/B.js.map",
  "dist/a/B.d.ts",
  "dist/a/B.d.ts.map"
]

const tarball = (paths: ReadonlyArray<string>): Tarball.Tarball => ({
  name: "@sluice/core",
  filename: "sluice-core-0.1.0.tgz",
  files: paths.map((path) => ({ path }))
})

const problems = (paths: ReadonlyArray<string>) => Tarball.problems(tarball(paths), ["a/B.ts"])

describe("Tarball", () => {
  it("a whole one has no problem", () => assert.deepStrictEqual(problems(whole), []))
  it("a page for browsers is for somebody", () => {
    assert.deepStrictEqual(problems([...whole, "src/a/page/index.html", "src/a/page/page.js"]), [])
  })
  for (const path of whole) {
    it(`${path} is missing`, () => {
      assert.include(problems(whole.filter((one) => one !== path)), `${path} is missing`)
    })
  }
  for (const path of ["src/a/B.test.ts", "test/a.js", "dist/.tsbuildinfo", "tsconfig.json", "src/test/A.ts"]) {
    it(`${path} is for nobody`, () => assert.deepStrictEqual(problems([...whole, path]), [`${path} is for nobody`]))
  }
  it("what was left by an older build has no source", () => {
    assert.deepStrictEqual(problems([...whole, "dist/a/C.js"]), ["dist/a/C.js has no source"])
  })
  it("internal modules are named as a consumer would", () => {
    const paths = ["src/a/internal/B.ts", "src/internal/C.ts", "src/D.ts", "dist/a/internal/B.js"]
    assert.deepStrictEqual(Tarball.internalModules(tarball(paths)), [
      "@sluice/core/a/internal/B",
      "@sluice/core/internal/C"
    ])
  })
  it("reads what npm answers, of any version", () => {
    const one = tarball(whole)
    assert.deepStrictEqual(Tarball.decode(JSON.stringify([one])), [one])
    assert.deepStrictEqual(Tarball.decode(JSON.stringify({ "@sluice/core": one })), [one])
  })
})
