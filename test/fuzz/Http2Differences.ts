/**
 * Where our HTTP/2 engine and `node:http2` tell different stories of the same
 * exchange, and the rule that says that they may. Each row has a seed for
 * which it is the explanation, which the tests hold up against both sides.
 *
 * @since 0.1.0
 */
import type * as Http2Plan from "./Http2Plan.ts"
import type { Seen } from "./Http2Seen.ts"

export interface Case {
  /** Ours. */
  readonly role: "client" | "server"
  readonly exchange: Http2Plan.Exchange
  readonly client: Seen
  readonly server: Seen
  readonly problems: ReadonlyArray<string>
}

export interface Row {
  readonly rule: string
  readonly role: "client" | "server"
  readonly seed: number
  readonly explains: (difference: Case) => boolean
}

export const explain = (difference: Case): string | undefined =>
  rows.find(({ explains, role }) => role === difference.role && explains(difference))?.rule

/** Who resets, and what the problems are about. */
const isReset = ({ exchange }: Case, by: "client" | "server"): boolean => exchange.reset?.by === by
const only = ({ problems }: Case, pattern: RegExp): boolean => problems.every((problem) => pattern.test(problem))

export const rows: ReadonlyArray<Row> = [
  {
    rule: "RFC 9113 §8.1.1: Node as a client ends the body that it resets",
    role: "server",
    seed: 45,
    explains: (one) =>
      isReset(one, "client") && only(one, /content is shorter|its reset|^request: a (?:body of|trailers)/)
  },
  {
    rule: "RFC 9113 §8.1.1: Node as a server ends the body that it resets",
    role: "client",
    seed: 45,
    explains: (one) =>
      isReset(one, "server") && only(one, /content is shorter|its reset|^response: a (?:body of|trailers)/)
  },
  {
    rule: "RFC 9113 §8.1: Node takes our NO_ERROR for the end of the body",
    role: "client",
    seed: 8,
    explains: (one) =>
      isReset(one, "client") && one.exchange.reset?.code === 0 && only(one, /^request: a (?:body of|trailers)/)
  },
  {
    // REFUSED_STREAM, or ENHANCE_YOUR_CALM where Node still has a stream that is over.
    rule: "RFC 9113 §5.1.2: what was asked before a lower limit has come is refused",
    role: "client",
    seed: 7,
    explains: (one) =>
      one.server.start === undefined &&
      typeof one.client.over === "object" &&
      "by" in one.client.over &&
      [7, 11].includes(one.client.over.code) &&
      only(one, /reset by nobody|nobody was to reset/)
  }
]
