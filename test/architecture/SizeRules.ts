/** How long a file and a function may be, in lines of code: comments and blank lines are free. */

import * as SourceText from "./SourceText.ts"
import type { SourceFile } from "./SourceTree.ts"

/** Above this, look for the second noun in the file. */
export const fileWarnLines = 400
export const fileMostLines = 600
export const functionMostLines = 70

/** A path, or a path and the line before a function's body, and why it may be longer. */
export type Exemptions = Readonly<Record<string, string>>

export interface Report {
  readonly tooLong: ReadonlyArray<string>
  /** Not wrong yet. */
  readonly long: ReadonlyArray<string>
  readonly idle: ReadonlyArray<string>
}

/** Files, longest first. What a generator wrote does not count. */
export const files = (sources: ReadonlyArray<SourceFile>, exemptions: Exemptions): Report => {
  const counted = sources
    .filter((file) => !SourceText.isGenerated(file.text))
    .map((file) => ({ key: file.path, shown: file.path, lines: SourceText.countCodeLines(file.text) }))
  return judge(counted, fileMostLines, fileWarnLines, exemptions)
}

/** Functions, longest first; one within another counts for both. */
export const functions = (sources: ReadonlyArray<SourceFile>, exemptions: Exemptions): Report => {
  const counted = sources
    .filter((file) => !SourceText.isGenerated(file.text))
    .flatMap((file) =>
      SourceText.functionsOf(file.text).map((one) => ({
        key: `${file.path}: ${one.head}`,
        shown: `${file.path}:${one.line}: ${one.head}`,
        lines: one.codeLines
      }))
    )
  return judge(counted, functionMostLines, functionMostLines, exemptions)
}

interface Counted {
  readonly key: string
  readonly shown: string
  readonly lines: number
}

const judge = (counted: ReadonlyArray<Counted>, most: number, warn: number, exemptions: Exemptions): Report => {
  const show = (one: Counted) => `${one.shown} (${one.lines} lines)`
  const long = counted.filter((one) => one.lines > warn).sort((a, b) => b.lines - a.lines)
  const tooLong = long.filter((one) => one.lines > most)
  return {
    tooLong: tooLong.filter((one) => !Object.hasOwn(exemptions, one.key)).map(show),
    long: long.filter((one) => one.lines <= most).map(show),
    idle: Object.keys(exemptions).filter((key) => !tooLong.some((one) => one.key === key))
  }
}
