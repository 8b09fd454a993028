/**
 * Request targets, and the authorities in them and in `Host`.
 *
 * ```text
 *  origin      /path?query            every method
 *  absolute    http://host:80/path    every method; its authority counts, not that of Host
 *  authority   host:443               CONNECT, and only there
 *  asterisk    *                      OPTIONS, and only there
 * ```
 *
 * RFC 9112 §3.2 (more lenient): characters that a URI would have to escape,
 * such as `|` or `{`, pass, since browsers send them as they are; `#` does not.
 *
 * @since 0.1.0
 */
import { byteSet, hexDigits, isMadeOf } from "../../bytes/Ascii.ts"

/** RFC 9112 §3.2. @category models */
export type Form = "origin" | "absolute" | "authority" | "asterisk"

/** The bytes of a target: visible ASCII but `#`, which begins a fragment. @category grammar */
export const targetBytes: Uint8Array = /*#__PURE__*/ byteSet('!-"', "$-~")

/** Whether `target` is made of {@link targetBytes}, and there is any. @category grammar */
export const isTarget = (target: string): boolean => target !== "" && isMadeOf(targetBytes, target, 0, target.length)

/**
 * Which form a target has that is made of {@link targetBytes}; `undefined`
 * where it has none, or one that `method` does not allow.
 *
 * @category grammar
 */
export const formOf = (method: string, target: string): Form | undefined => {
  // RFC 9112 §3.2.3: "only used for CONNECT requests", which have no other form.
  if (method === "CONNECT") return isAuthority(target, "required") ? "authority" : undefined
  if (target.charCodeAt(0) === slash) return "origin"
  // RFC 9112 §3.2.4: "only used for a server-wide OPTIONS request".
  if (target === "*") return method === "OPTIONS" ? "asterisk" : undefined
  return authorityOf(target) === undefined ? undefined : "absolute"
}

/**
 * The authority of a target in absolute form; `undefined` where there is none,
 * or one with user information (RFC 9110 §4.2.4) or without a host (§4.2.1).
 * RFC 9112 §3.2.2 (stricter): only `http` and `https`, the schemes of HTTP.
 *
 * @category grammar
 */
export const authorityOf = (target: string): string | undefined => {
  const match = /^https?:\/\/([^/?]*)/i.exec(target)
  const authority = match?.[1]
  return authority !== undefined && isAuthority(authority, "optional") ? authority : undefined
}

/** The authority that a request of `method` names in its target; `undefined` where it names none. @category grammar */
export const authorityIn = (method: string, target: string): string | undefined =>
  method === "CONNECT" ? target : authorityOf(target)

/**
 * Whether `text` is `host` or `host:port`, for `Host` and targets. The host is
 * a name, an IPv4 address, or an IPv6 address in brackets.
 *
 * RFC 9112 §3.2 (stricter): an empty host is refused, since no `http` URI has
 * one (RFC 9110 §4.2.1); so is a comma, of which joined duplicates are made.
 *
 * @category grammar
 */
export const isAuthority = (text: string, port: "optional" | "required"): boolean => {
  const hostEnd = text.charCodeAt(0) === openBracket ? addressEnd(text) : nameEnd(text)
  if (hostEnd <= 0) return false
  if (hostEnd === text.length) return port === "optional"
  if (text.charCodeAt(hostEnd) !== colon) return false
  const digits = text.length - hostEnd - 1
  if (digits > 5 || (digits === 0 && port === "required")) return false
  for (let index = hostEnd + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x30 || code > 0x39) return false
  }
  return digits < 5 || Number(text.slice(hostEnd + 1)) <= 0xffff
}

const slash = 0x2f
const colon = 0x3a
const percent = 0x25
const openBracket = 0x5b

/** RFC 3986 §3.2.2: unreserved and sub-delims, without the comma. */
const nameBytes = /*#__PURE__*/ byteSet(..."._~!$&'()*+;=", "-", "0-9", "A-Z", "a-z")

/** Where the registered name or IPv4 address at the front ends; -1 where an escape in it is wrong. */
const nameEnd = (text: string): number => {
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (nameBytes[code] === 1) at++
    else if (code !== percent) break
    else if (at + 3 <= text.length && isMadeOf(hexDigits, text, at + 1, at + 3)) at += 3
    else return -1
  }
  return at
}

/** Where the IPv6 address in brackets at the front ends; -1 where it is none. RFC 3986 §3.2.2. */
const addressEnd = (text: string): number => {
  const end = text.indexOf("]") + 1
  return /^\[[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?\]$/i.test(text.slice(0, end))
    ? end
    : -1
}
