/**
 * The header field `Sec-WebSocket-Extensions` (RFC 6455 §9.1): a list of
 * extensions with their parameters.
 *
 * ```text
 * permessage-deflate; client_max_window_bits, permessage-deflate; server_max_window_bits="10"
 * ```
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export interface Extension {
  readonly name: string
  /** In order, repeated ones too. `undefined`: the parameter has no value. */
  readonly parameters: ReadonlyArray<readonly [name: string, value: string | undefined]>
}

/**
 * All extensions of a field value; several lines of the field are joined with
 * commas. `undefined` where it does not follow the grammar. A quoted value must
 * be a token once its quotes and escapes are gone (RFC 6455 §9.1).
 *
 * @category parsing
 */
export const parse = (value: string): ReadonlyArray<Extension> | undefined => {
  const extensions: Array<Extension> = []
  for (const element of split(value, ",")) {
    // RFC 9110 §5.6.1: a recipient ignores a reasonable number of empty list elements.
    if (element.trim() === "") continue
    const extension = parseExtension(element)
    if (extension === undefined) return undefined
    extensions.push(extension)
  }
  return extensions
}

/** Extensions as a field value. @category formatting */
export const format = (extensions: ReadonlyArray<Extension>): string =>
  extensions
    .map(({ name, parameters }) =>
      [name, ...parameters.map(([key, value]) => (value === undefined ? key : `${key}=${value}`))].join("; ")
    )
    .join(", ")

/** A token of RFC 9110 §5.6.2, and nothing else. @category checking */
export const isToken = (text: string): boolean => token.test(text)

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const parseExtension = (element: string): Extension | undefined => {
  const [first = "", ...rest] = split(element, ";")
  const name = first.trim()
  if (!isToken(name)) return undefined
  const parameters: Array<readonly [string, string | undefined]> = []
  for (const one of rest) {
    const equals = one.indexOf("=")
    const key = (equals < 0 ? one : one.slice(0, equals)).trim()
    const value = equals < 0 ? undefined : unquote(one.slice(equals + 1).trim())
    if (!isToken(key) || (value !== undefined && !isToken(value))) return undefined
    parameters.push([key, value])
  }
  return { name, parameters }
}

/** What stands in quotes, without its escapes; what cannot be a token where the quotes are wrong. */
const unquote = (text: string): string => {
  if (!text.startsWith('"')) return text
  return quoted.test(text) ? text.slice(1, -1).replace(/\\(.)/g, "$1") : ""
}

const quoted = /^"(?:[^"\\]|\\.)*"$/

/** Splits at `separator`, but not within quotes. */
const split = (text: string, separator: "," | ";"): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') isQuoted = !isQuoted
    else if (char === "\\" && isQuoted) at++
    else if (char === separator && !isQuoted) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
