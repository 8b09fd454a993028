/**
 * Where our HTTP/2 engine and `node:http2` tell different stories of the same
 * exchange, and the rule that says that they may. Each row has an example,
 * which the tests hold up against both sides.
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
  readonly example: Http2Plan.Round
  readonly explains: (difference: Case) => boolean
}

export const explain = (difference: Case): string | undefined =>
  rows.find(({ explains, role }) => role === difference.role && explains(difference))?.rule

/** A body in two pieces. */
const bodyOf = (...sizes: ReadonlyArray<number>): Http2Plan.Content => ({
  pieces: sizes.map((size) => Buffer.alloc(size, "a")),
  byteLength: sizes.reduce((sum, size) => sum + size, 0),
  trailers: undefined,
  announced: false,
  pace: "spread"
})

/** A connection with exchanges that differ in this from a plain one. */
const roundOf = (...exchanges: ReadonlyArray<Partial<Http2Plan.Exchange>>): Http2Plan.Round => ({
  exchanges: exchanges.map((exchange, index) => ({
    method: "POST",
    path: `/${index}`,
    fields: [],
    content: bodyOf(),
    status: 200,
    hintCount: 0,
    answerFields: [],
    answer: bodyOf(),
    when: "whole",
    reset: undefined,
    ...exchange
  })),
  node: {},
  nodeLater: [],
  padding: "none",
  ours: {
    streamWindow: 65_535,
    connectionWindow: 65_535,
    maxFrameSize: 16_384,
    headerTableSize: 4_096,
    maxConcurrentStreams: 100,
    sendBufferSize: 65_536
  },
  reading: "at once",
  chunkBytes: 1_000_000
})

/** Who resets, and what the problems are about. */
const isReset = ({ exchange }: Case, by: "client" | "server"): boolean => exchange.reset?.by === by
const only = ({ problems }: Case, pattern: RegExp): boolean => problems.every((problem) => pattern.test(problem))

export const rows: ReadonlyArray<Row> = [
  {
    rule: "RFC 9113 §8.1.1: Node as a client ends the body that it resets",
    role: "server",
    example: roundOf(
      { reset: { by: "client", code: 1, at: "head" } },
      { content: { ...bodyOf(2), pace: "at once" }, reset: { by: "client", code: 1, at: { received: 0 } } },
      {
        content: { ...bodyOf(200, 200, 70_000), pace: "at once" },
        reset: { by: "client", code: 1, at: { sent: 400 } }
      },
      { content: { ...bodyOf(200, 200, 200), announced: true }, reset: { by: "client", code: 1, at: { sent: 400 } } }
    ),
    explains: (one) =>
      isReset(one, "client") && only(one, /content is shorter|its reset|^request: a (?:body of|trailers)/)
  },
  {
    rule: "RFC 9113 §8.1.1: Node as a server ends the body that it resets",
    role: "client",
    example: roundOf({ answer: bodyOf(1, 2), reset: { by: "server", code: 1, at: { sent: 1 } } }),
    explains: (one) =>
      isReset(one, "server") && only(one, /content is shorter|its reset|^response: a (?:body of|trailers)/)
  },
  {
    rule: "RFC 9113 §8.1: Node as a server takes NO_ERROR for an end, or waits for one",
    role: "client",
    example: roundOf({
      content: bodyOf(100, 100, 100, 100, 100),
      when: "early",
      reset: { by: "client", code: 0, at: { sent: 300 } }
    }),
    explains: (one) =>
      isReset(one, "client") &&
      one.exchange.reset?.code === 0 &&
      only(one, /^request: (?:a body of|trailers)|its reset 0 was heard as "open"|^server: never over/)
  },
  {
    // REFUSED_STREAM, or ENHANCE_YOUR_CALM where Node still has a stream that is over.
    rule: "RFC 9113 §5.1.2: what was asked before a lower limit has come is refused",
    role: "client",
    example: {
      ...roundOf({ content: bodyOf(10, 20), reset: { by: "client", code: 8, at: { sent: 10 } } }, {}, {}),
      node: { maxConcurrentStreams: 1 }
    },
    explains: (one) =>
      one.server.start === undefined &&
      typeof one.client.over === "object" &&
      "by" in one.client.over &&
      [7, 11].includes(one.client.over.code) &&
      only(one, /reset by nobody|nobody was to reset/)
  }
]
