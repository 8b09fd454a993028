/**
 * What a field (header or trailer) may look like, in every version of HTTP.
 *
 * ```text
 *  name    1*tchar
 *  value   VCHAR, SP, HTAB and the bytes 80 to FF      (no CR, LF or NUL: no message can be split by a value)
 * ```
 *
 * @since 0.1.0
 */
import { type ByteSet, byteSet, isMadeOf } from "../../bytes/Ascii.ts"

/**
 * Fields by name, for sending. A list is sent as a field for each of its
 * values; a name that is `undefined` is not sent.
 *
 * @category models
 */
export type FieldsInput = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** RFC 9110 §5.6.2: the characters of a token. @category grammar */
export const tokenBytes: ByteSet = /*#__PURE__*/ byteSet(..."!#$%&'*+.^_`|~", "-", "0-9", "A-Z", "a-z")

/** RFC 9110 §5.5: the characters of a field value, with the spaces within it. @category grammar */
export const valueBytes: ByteSet = /*#__PURE__*/ byteSet("\t", " -~", "\x80-\xff")

/** RFC 9110 §5.6.2. @category grammar */
export const isToken = (text: string): boolean => text !== "" && isMadeOf(tokenBytes, text, 0, text.length)

/** RFC 9110 §5.1: a field name is a token. @category grammar */
export const isName: (text: string) => boolean = isToken

/** RFC 9110 §5.5. Characters above U+00FF are none: they have no byte. @category grammar */
export const isValue = (text: string): boolean => isMadeOf(valueBytes, text, 0, text.length)

/**
 * Whether a comma-separated list of tokens has `token` (in lower case), in any
 * case. What is no token in it is passed over (RFC 9110 §5.6.1.2).
 *
 * @category grammar
 */
export const hasToken = (list: string, token: string): boolean => {
  if (list.length === token.length) return list.toLowerCase() === token
  if (list.length < token.length) return false
  return list.split(",").some((item) => trim(item, 0, item.length).toLowerCase() === token)
}

/**
 * Whether a comma-separated list has nothing but `token` (in lower case), in
 * any case: once, more than once, or not at all. Empty members do not count
 * (RFC 9110 §5.6.1.2).
 *
 * @category grammar
 */
export const hasOnlyToken = (list: string, token: string): boolean =>
  list === token ||
  list.split(",").every((item) => {
    const member = trim(item, 0, item.length).toLowerCase()
    return member === "" || member === token
  })

/**
 * `text` from `start` up to `end` without the spaces and tabs around it. Other
 * white space stays, which `String.prototype.trim` would take: NBSP is content.
 *
 * @category grammar
 */
export const trim = (text: string, start: number, end: number): string => {
  let from = start
  let to = end
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/**
 * Whether a field may come after the body. RFC 9110 §6.5.1: "a sender MUST NOT
 * generate a trailer field unless the sender knows the corresponding field
 * name's definition permits" it; framing, routing, request modifiers,
 * authentication, response control and content handling never do. `name` is in
 * lower case.
 *
 * @category grammar
 */
export const isTrailerName = (name: string): boolean => !notInTrailers.has(name)

/**
 * Whether the values of a field are credentials, which nobody keeps for longer
 * than it takes to send them. `name` is in lower case.
 *
 * @category grammar
 */
export const isSecretName = (name: string): boolean => secrets.has(name)

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const secrets: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie"
])

const notInTrailers: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "age",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "expires",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "location",
  "max-forwards",
  "pragma",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "retry-after",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
  "warning",
  "www-authenticate"
])
