/**
 * Reads TypeScript sources just well enough for the architecture tests: what
 * is comment, string or code, which modules a file imports, and where its
 * functions begin and end.
 *
 * It is a scanner of a hundred lines and no parser, so that these tests have
 * no dependency; `SourceText.test.ts` has a row for each thing it must know.
 */

export interface Import {
  readonly specifier: string
  /** `type` leaves nothing behind at run time. */
  readonly kind: "type" | "value"
  readonly line: number
}

export interface FunctionSpan {
  /** What stands before the body, on its own line. */
  readonly head: string
  readonly line: number
  /** Lines with code, from the line of the opening brace to that of the closing one. */
  readonly codeLines: number
}

/**
 * The text with everything but code turned to blanks, position for position:
 * comments always, the content of strings and regular expressions too.
 */
export const codeOnly = (text: string): string => blank(text, true)

/** The text with its comments turned to blanks, position for position. */
export const withoutComments = (text: string): string => blank(text, false)

/** Lines that have something else than comments and white space. */
export const countCodeLines = (text: string): number => filledLines(withoutComments(text))

/** All that a file imports or exports again, static and dynamic. */
export const importsOf = (text: string): ReadonlyArray<Import> => {
  const code = codeOnly(text)
  const found: Array<Import> = []
  for (const match of code.matchAll(importForm)) {
    const quote = match.index + match[0].length - 1
    const end = text.indexOf(text[quote]!, quote + 1)
    const kind = /^(?:import|export)\s+type\b(?!\s+from\b)/.test(match[0]) ? "type" : "value"
    found.push({ specifier: text.slice(quote + 1, end), kind, line: lineOf(text, match.index) })
  }
  return found
}

/** Whether something of the file exists at run time: a value, a function or a class. */
export const hasRuntimeCode = (text: string): boolean => {
  const code = codeOnly(text)
  return (
    /^(?:export\s+)?(?:default\s+)?(?:abstract\s+|async\s+)?(?:const|let|var|function|class)\b/m.test(code) ||
    importsOf(text).some((one) => one.kind === "value" && !isErased(text, one))
  )
}

/** Whether a generator wrote the file. */
export const isGenerated = (text: string): boolean =>
  text
    .split("\n", 5)
    .some((line) => /^\s*(?:\/\/|\/\*\*?|\*)/.test(line) && /@generated|\bGenerated (?:by|from)\b/.test(line))

/** Every function body, outer and inner. */
export const functionsOf = (text: string): ReadonlyArray<FunctionSpan> => {
  const code = codeOnly(text)
  const plain = withoutComments(text)
  const classBodies = classBodiesOf(code)
  const found: Array<FunctionSpan> = []
  for (let open = code.indexOf("{"); open >= 0; open = code.indexOf("{", open + 1)) {
    if (classBodies.has(open) || !opensFunction(code.slice(0, open).trimEnd())) continue
    const close = closingBrace(code, open)
    const lineStart = code.lastIndexOf("\n", open) + 1
    found.push({
      head: text.slice(lineStart, open).trim(),
      line: lineOf(text, open),
      codeLines: filledLines(plain.slice(lineStart, close + 1))
    })
  }
  return found
}

/** `import "x"`, `import … from "x"`, `export … from "x"` and `import("x")`, up to the opening quote. */
const importForm =
  /(?<![.\w$])(?:import\s*\(\s*["'`]|import\s*["']|(?:import|export)\s+(?:type\s+)?(?:[\w$*]|\{[^{}]*\})(?:[\w$*,\s]|\{[^{}]*\})*?\bfrom\s*["'])/g

const filledLines = (text: string): number => text.split("\n").filter((line) => line.trim() !== "").length

const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length

/** An import without an export beside it leaves a file without anything to test. */
const isErased = (text: string, one: Import): boolean => !/^\s*export\b/.test(text.split("\n")[one.line - 1]!)

const regexBefore =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|yield|await))$/

const blank = (text: string, strings: boolean): string => {
  let out = ""
  let index = 0
  /** Brace depth at which each open `${` ends. */
  const templates: Array<number> = []
  let depth = 0
  const hide = (end: number) => {
    out += text.slice(index, end).replace(/[^\n]/g, " ")
    index = end
  }
  const keep = (end: number) => {
    out += text.slice(index, end)
    index = end
  }
  const literal = (end: number) => (strings ? hide(end) : keep(end))
  /** The characters of a template, up to and with its end or the next `${`. */
  const template = () => {
    let end = index
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end)) end += text[end] === "\\" ? 2 : 1
    literal(end)
    if (text[end] === "`") return keep(end + 1)
    templates.push(depth)
    depth++
    keep(end + 2)
  }
  while (index < text.length) {
    const char = text[index]!
    if (text.startsWith("//", index)) hide(endOr(text, text.indexOf("\n", index)))
    else if (text.startsWith("/*", index)) hide(endOr(text, text.indexOf("*/", index + 2), 2))
    else if (char === '"' || char === "'") {
      const end = closing(text, index + 1, char)
      keep(index + 1)
      literal(end)
      keep(end + 1)
    } else if (char === "`") {
      keep(index + 1)
      template()
    } else if (char === "/" && regexBefore.test(out.slice(-80).trimEnd())) {
      keep(index + 1)
      literal(regexEnd(text, index))
    } else {
      if (char === "{") depth++
      if (char === "}") depth--
      keep(index + 1)
      if (char === "}" && templates.at(-1) === depth) {
        templates.pop()
        template()
      }
    }
  }
  return out
}

const endOr = (text: string, found: number, past = 0): number => (found < 0 ? text.length : found + past)

const closing = (text: string, from: number, quote: string): number => {
  let end = from
  while (end < text.length && text[end] !== quote && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1
  return end
}

const regexEnd = (text: string, from: number): number => {
  let inClass = false
  let end = from
  for (; end < text.length && text[end] !== "\n"; end++) {
    if (text[end] === "\\") end++
    else if (text[end] === "[") inClass = true
    else if (text[end] === "]") inClass = false
    else if (text[end] === "/" && !inClass) break
  }
  return end + 1
}

const closingBrace = (code: string, open: number): number => {
  let depth = 0
  for (let index = open; index < code.length; index++) {
    if (code[index] === "{") depth++
    if (code[index] === "}" && --depth === 0) return index
  }
  return code.length
}

/** Where class bodies open: the first brace after `class` that is in no type argument or parenthesis. */
const classBodiesOf = (code: string): ReadonlySet<number> => {
  const found = new Set<number>()
  for (const match of code.matchAll(/(?<![.\w$])class\b(?!\s*[:=?,)])/g)) {
    let depth = 0
    for (let index = match.index; index < code.length; index++) {
      const char = code[index]!
      if (char === "{" && depth === 0) {
        found.add(index)
        break
      }
      if ("(<[{".includes(char)) depth++
      else if (")]}".includes(char) || (char === ">" && code[index - 1] !== "=")) depth--
    }
  }
  return found
}

const controlHead = /(?<![.\w$])(?:if|for|for\s+await|while|switch|catch|with)$/

/** Whether a brace after `before` opens the body of a function. */
const opensFunction = (before: string): boolean => {
  if (before.endsWith("=>")) return true
  const returns = /\)\s*:\s*[^\s;{}=][^;{}=]*$/.exec(before)
  const parenthesis = before.endsWith(")") ? before.length - 1 : (returns?.index ?? -1)
  if (parenthesis < 0) return false
  let depth = 0
  let open = parenthesis
  for (; open >= 0; open--) {
    if (before[open] === ")") depth++
    if (before[open] === "(" && --depth === 0) break
  }
  return !controlHead.test(before.slice(0, open).trimEnd())
}
