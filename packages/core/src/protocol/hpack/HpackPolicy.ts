/**
 * What the tables may keep of a field, and what not.
 *
 * An attacker who can add fields to a connection, and sees how many bytes its
 * blocks have, can guess the values of the table one try after the other
 * (RFC 7541 §7.1). So secrets are never indexed, and say so to whoever
 * forwards them; and what is different in each message is not indexed, since
 * it would push out what repeats.
 *
 * @since 0.1.0
 */

/**
 * - `index`: the peer keeps the field, and it is a byte or two the next time.
 * - `plain`: it is sent in full each time (RFC 7541 §6.2.2).
 * - `never`: as `plain`, and RFC 7541 §6.2.3 "Intermediaries MUST use the same
 *   representation" when they forward it. A field that was decoded with
 *   `neverIndexed` is encoded with this.
 *
 * @category models
 */
export type HpackPolicy = "index" | "plain" | "never"

/** A cookie that is shorter can be guessed (RFC 7541 §7.1.3: "low entropy"). @category models */
export const shortCookieBytes = 20

/**
 * The policy of a field that its owner has none for; `name` is in lower case.
 *
 * Credentials and cookies that are set are never indexed, nor are cookies of
 * less than {@link shortCookieBytes}. A longer cookie is indexed: it comes
 * with each request, and is too long to be guessed whole, as one has to.
 *
 * @category constructors
 */
export const of = (name: string, value: string): HpackPolicy => {
  const policy = policies.get(name)
  if (policy === undefined) return "index"
  return policy === "cookie" ? (value.length < shortCookieBytes ? "never" : "index") : policy
}

const policies: ReadonlyMap<string, HpackPolicy | "cookie"> = /*#__PURE__*/ new Map([
  ["authorization", "never"],
  ["proxy-authorization", "never"],
  ["set-cookie", "never"],
  ["cookie", "cookie"],
  [":path", "plain"],
  ["age", "plain"],
  ["content-length", "plain"],
  ["content-range", "plain"],
  ["etag", "plain"],
  ["if-modified-since", "plain"],
  ["if-none-match", "plain"],
  ["last-modified", "plain"],
  ["location", "plain"]
] as const)
