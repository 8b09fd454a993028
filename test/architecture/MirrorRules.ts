/** `packages/<name>/src/a/X.ts` has its test in `test/<name>/a/X.test.ts`, and every such test has its file. */

import * as SourceText from "./SourceText.ts"
import type { SourceFile } from "./SourceTree.ts"

/** A path, and why the rule does not hold for it. */
export type Exemptions = Readonly<Record<string, string>>

export interface Report {
  /** Sources without a test. */
  readonly untested: ReadonlyArray<string>
  /** Tests without a source. */
  readonly orphans: ReadonlyArray<string>
  /** Exemptions that exempt nothing any more. */
  readonly idle: ReadonlyArray<string>
}

export const compare = (
  sources: ReadonlyArray<SourceFile>,
  tests: ReadonlyArray<SourceFile>,
  exemptions: Exemptions
): Report => {
  const testPaths = new Set(tests.map((file) => file.path).filter((path) => path.endsWith(".test.ts")))
  const sourcePaths = new Set(sources.map((file) => file.path))
  const untested = sources.filter((file) => needsTest(file) && !testPaths.has(testOf(file.path)))
  const orphans = [...testPaths].filter((path) => !sourcePaths.has(sourceOf(path)))
  const broken = [...untested.map((file) => file.path), ...orphans]
  return {
    untested: untested.map((file) => file.path).filter((path) => !Object.hasOwn(exemptions, path)),
    orphans: orphans.filter((path) => !Object.hasOwn(exemptions, path)),
    idle: Object.keys(exemptions).filter((path) => !broken.includes(path))
  }
}

export const testOf = (source: string): string =>
  source.replace(/^packages\/([^/]+)\/src\//, "test/$1/").replace(/\.ts$/, ".test.ts")

export const sourceOf = (test: string): string =>
  test.replace(/^test\/([^/]+)\//, "packages/$1/src/").replace(/\.test\.ts$/, ".ts")

/**
 * Files that leave something to test at run time. Not so: types, generated
 * files, the tables in `internal/` (their owner's test is theirs; nobody else
 * can import them), and files that only name a service.
 */
export const needsTest = (file: SourceFile): boolean =>
  !/\/internal\//.test(file.path) &&
  !SourceText.isGenerated(file.text) &&
  SourceText.hasRuntimeCode(SourceText.codeOnly(file.text).replace(serviceKey, ""))

/** `class X extends Context.Service<X, …>()("…") {}`: a key, without a line that could be wrong. */
const serviceKey = /^export class \w+ extends Context\.Service<[\s\S]*?>\(\)\(\s*"[^"]*"\s*\)\s*\{\s*\}/gm
