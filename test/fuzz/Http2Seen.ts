/**
 * What one end has seen of an exchange, and whether both ends have seen the
 * same.
 *
 * ```text
 *  what was received     is what the plan says, or, where somebody reset, its beginning
 *  reset by me, code     the other end: reset by peer with that code; or it was over there already,
 *                        or was never heard of, or was reset by that end at the same time
 *  reset by peer, code   the other end: reset by me, with that code
 * ```
 *
 * @since 0.1.0
 */
import type * as Http2Plan from "./Http2Plan.ts"

export type Over =
  | "open"
  | "ended"
  | { readonly by: "me" | "peer"; readonly code: number }
  | { readonly failed: string }

/** One end's view; it fills it in. */
export class Seen {
  /** `GET /path`, or `200`. */
  start: string | undefined
  lines: Http2Plan.Lines = []
  readonly hints: Array<number> = []
  readonly parts: Array<Uint8Array> = []
  receivedBytes = 0
  sentBytes = 0
  trailers: Http2Plan.Lines | undefined
  /** Whether the end of the message has come. */
  isWhole = false
  over: Over = "open"
}

/** What does not fit together; nothing: all does. */
export const disagreements = (plan: Http2Plan.Exchange, client: Seen, server: Seen): ReadonlyArray<string> => [
  ...messageProblems("request", `${plan.method} ${plan.path}`, plan.fields, plan.content, server),
  ...messageProblems("response", `${plan.status}`, plan.answerFields, plan.answer, client),
  ...(client.start !== undefined && client.hints.join() !== Array(plan.hintCount).fill(103).join()
    ? [`hints ${client.hints}`]
    : []),
  ...overProblems("client", client, server),
  ...overProblems("server", server, client),
  ...(plan.reset === undefined ? unexpected(client, server) : [])
]

const messageProblems = (
  what: string,
  start: string,
  lines: Http2Plan.Lines,
  content: Http2Plan.Content,
  seen: Seen
): ReadonlyArray<string> => {
  if (seen.start === undefined) return seen.parts.length > 0 ? [`${what}: a body without a head`] : []
  const problems: Array<string> = []
  if (seen.start !== start) problems.push(`${what}: ${seen.start} for ${start}`)
  if (shown(seen.lines) !== shown(lines)) problems.push(`${what}: fields ${shown(seen.lines)} for ${shown(lines)}`)
  const sent = Buffer.concat(content.pieces)
  const received = Buffer.concat(seen.parts)
  const expected = seen.isWhole ? sent : sent.subarray(0, received.length)
  if (!expected.equals(received)) problems.push(`${what}: a body of ${received.length} bytes for ${sent.length}`)
  const trailers = seen.isWhole ? shown(content.trailers ?? []) : shown(seen.trailers ?? [])
  if (shown(seen.trailers ?? []) !== trailers) problems.push(`${what}: trailers ${shown(seen.trailers ?? [])}`)
  return problems
}

/** By name: the order of a record's fields is that of the one who sends it. */
const shown = (lines: Http2Plan.Lines): string =>
  lines
    .filter(([name]) => name.startsWith("x-") || name === "authorization" || name === "set-cookie")
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("; ")

const overProblems = (name: string, one: Seen, other: Seen): ReadonlyArray<string> => {
  const { over } = one
  if (over === "open") return [`${name}: never over`]
  if (over === "ended") return one.isWhole ? [] : [`${name}: ended, but not whole`]
  if ("failed" in over) return [`${name}: ${over.failed}`]
  const there = typeof other.over === "object" && "by" in other.over ? other.over : undefined
  if (over.by === "peer") {
    return there?.by === "me" && there.code === over.code
      ? []
      : [`${name}: reset by nobody, ${over.code}: ${JSON.stringify(other.over)}`]
  }
  const heard = other.over === "ended" || other.start === undefined || there?.by === "me" || there?.code === over.code
  return heard ? [] : [`${name}: its reset ${over.code} was heard as ${JSON.stringify(other.over)}`]
}

const unexpected = (client: Seen, server: Seen): ReadonlyArray<string> =>
  client.over === "ended" && server.over === "ended"
    ? []
    : [`nobody was to reset: client ${JSON.stringify(client.over)}, server ${JSON.stringify(server.over)}`]
