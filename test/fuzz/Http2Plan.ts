/**
 * What both ends of an HTTP/2 connection say to each other: a plan that a seed
 * determines, so that each end can compare what it hears with what the other
 * one was to say.
 *
 * @since 0.1.0
 */
import { SeededRandom } from "../harness/SeededRandom.ts"

export type Lines = ReadonlyArray<readonly [name: string, value: string]>

/** The body of one message, and how it is said. */
export interface Content {
  readonly pieces: ReadonlyArray<Buffer>
  readonly byteLength: number
  readonly trailers: Lines | undefined
  /** Whether `content-length` is sent. */
  readonly announced: boolean
  readonly pace: "at once" | "spread"
}

/** RST_STREAM: when that end has come so far. */
export interface Reset {
  readonly by: "client" | "server"
  readonly code: number
  /** `head`: it was sent by a client, or received by a server. Otherwise so many bytes of a body. */
  readonly at: "head" | { readonly sent: number } | { readonly received: number }
}

export interface Exchange {
  readonly method: string
  /** Its first number is its place in the round. */
  readonly path: string
  readonly fields: Lines
  readonly content: Content
  readonly status: number
  readonly hintCount: number
  readonly answerFields: Lines
  readonly answer: Content
  /** `early`: when the head of the request is there. */
  readonly when: "whole" | "early"
  readonly reset: Reset | undefined
}

/** Of `node:http2`. */
export interface NodeSettings {
  readonly initialWindowSize?: number
  readonly maxFrameSize?: number
  readonly headerTableSize?: number
  readonly maxConcurrentStreams?: number
}

export interface Round {
  readonly exchanges: ReadonlyArray<Exchange>
  readonly node: NodeSettings
  /** Sent by Node while exchanges are on their way. */
  readonly nodeLater: ReadonlyArray<NodeSettings>
  /** `paddingStrategy` of Node. */
  readonly padding: "none" | "aligned" | "max"
  readonly ours: {
    readonly streamWindow: number
    readonly connectionWindow: number
    readonly maxFrameSize: number
    readonly headerTableSize: number
    readonly maxConcurrentStreams: number
    readonly sendBufferSize: number
  }
  /** How slowly both ends read. */
  readonly reading: "at once" | "later"
  /** The most that arrives at our engine in one chunk. */
  readonly chunkBytes: number
}

export const make = (seed: number): Round => {
  const random = new SeededRandom(seed)
  const large = random.below(8) === 0
  const streamWindow = random.pick([100, 1_000, 20_000, 65_535, 65_535, 262_144, 262_144])
  // Below 512, Node gives back less at a time than our guard takes for an honest update of a window.
  const initialWindowSize = random.pick([undefined, undefined, 600, 1_000, 20_000, 262_144])
  // Windows of few bytes need a frame each time: what is sent through them is short.
  const mostBytes = Math.min(large ? 400_000 : 3_000, streamWindow * 20, (initialWindowSize ?? 65_535) * 20)
  const count = 1 + random.below(random.pick([2, 6, 20]))
  return {
    exchanges: Array.from({ length: count }, (_, index) => exchangeOf(random, index, mostBytes)),
    node: settingsOf(random, initialWindowSize),
    nodeLater: random.list(random.pick([0, 0, 3]), () =>
      settingsOf(random, random.pick([undefined, 600, 65_535, 200_000]))
    ),
    padding: random.pick(["none", "none", "aligned", "max"]),
    ours: {
      streamWindow,
      connectionWindow: random.pick([65_535, 65_535, 200_000, 1_048_576]),
      maxFrameSize: random.pick([16_384, 16_384, 20_000, 1_000_000]),
      headerTableSize: random.pick([0, 100, 4_096, 4_096, 65_536]),
      maxConcurrentStreams: random.pick([1, 3, 128, 128]),
      sendBufferSize: random.pick([1, 1_000, 65_536])
    },
    reading: random.pick(["at once", "at once", "later"]),
    chunkBytes: random.pick([1 << 20, 1 << 20, 5_000, large ? 1_000 : 7])
  }
}

const settingsOf = (random: SeededRandom, initialWindowSize: number | undefined): NodeSettings => ({
  ...(initialWindowSize === undefined ? {} : { initialWindowSize }),
  ...maybe(random, "maxFrameSize", [16_384, 20_000, 1_000_000]),
  ...maybe(random, "headerTableSize", [0, 64, 4_096, 100_000]),
  ...maybe(random, "maxConcurrentStreams", [1, 3, 100])
})

const maybe = <K extends string>(random: SeededRandom, name: K, values: ReadonlyArray<number>) =>
  random.below(3) === 0 ? ({ [name]: random.pick(values) } as Record<K, number>) : {}

const exchangeOf = (random: SeededRandom, index: number, mostBytes: number): Exchange => {
  const method = random.pick(["GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "X-OWN"])
  const status = random.pick([200, 200, 200, 201, 204, 206, 304, 404, 500, 599])
  const isBodiless = method === "HEAD" || status === 204 || status === 304
  const content = method === "GET" || method === "HEAD" || random.below(4) === 0 ? empty : contentOf(random, mostBytes)
  const answer = isBodiless || random.below(5) === 0 ? empty : contentOf(random, mostBytes)
  return {
    method,
    path: `/${index}${random.pick(["", "?a=b%20c", "/x;y=z", "/~!$&'()*+,:@"])}`,
    fields: fieldsOf(random, true),
    content,
    status,
    hintCount: random.below(8) === 0 ? 1 + random.below(3) : 0,
    answerFields: fieldsOf(random, false),
    answer,
    when: random.below(5) === 0 ? "early" : "whole",
    reset: random.below(5) === 0 ? resetOf(random, content, answer) : undefined
  }
}

const resetOf = (random: SeededRandom, content: Content, answer: Content): Reset => {
  const by = random.pick(["client", "server"] as const)
  const [sends, receives] = by === "client" ? [content, answer] : [answer, content]
  return {
    by,
    code: random.pick([0, 1, 2, 5, 7, 8, 8, 8, 11, 0x1234567]),
    at: random.pick([
      "head" as const,
      { sent: random.below(sends.byteLength + 1) },
      { received: random.below(receives.byteLength + 1) }
    ])
  }
}

const empty: Content = { pieces: [], byteLength: 0, trailers: undefined, announced: false, pace: "at once" }

const contentOf = (random: SeededRandom, mostBytes: number): Content => {
  const most = random.pick([10, mostBytes, mostBytes])
  const pieces = random.list(random.pick([1, 3, 8]), () => pieceOf(random, 1 + random.below(Math.max(1, most / 4))))
  const trailers = random.below(3) === 0 ? fieldsOf(random, false, 1) : undefined
  return {
    pieces,
    byteLength: pieces.reduce((sum, piece) => sum + piece.length, 0),
    trailers: trailers !== undefined && trailers.length > 0 ? trailers : undefined,
    announced: random.below(3) === 0,
    pace: random.pick(["at once", "spread"])
  }
}

const pieceOf = (random: SeededRandom, size: number): Buffer =>
  Buffer.alloc(size, `${random.below(1e9)}\r\n\0\xff`, "latin1")

const fewValues = ["", "a", "a b", "1, 2", "x\ty", "~!@#$%^&*()_+{}|", "x".repeat(300)]
const values = [...fewValues, "y".repeat(5_000)]

const fieldsOf = (random: SeededRandom, isRequest: boolean, least = 0): Lines => {
  const lines: Array<readonly [string, string]> = []
  const names = random.list(
    random.pick([1, 4, 12]),
    () => `x-${random.pick(["a", "b", "long-name-of-a-field", random.below(1000)])}`
  )
  // Node takes 16 KiB of fields.
  let leftBytes = 12_000
  for (const name of new Set(least > 0 && names.length === 0 ? ["x-least"] : names)) {
    const value = random.below(40) === 0 ? "z".repeat(9_000) : random.pick(random.below(6) === 0 ? values : fewValues)
    leftBytes -= value.length + 60
    if (leftBytes > 0) lines.push([name, value])
  }
  if (isRequest && random.below(4) === 0) lines.push(["authorization", `Basic ${random.below(1e9)}`])
  if (!isRequest && least === 0 && random.below(4) === 0)
    lines.push(["set-cookie", "a=b"], ["set-cookie", `c=${random.below(9)}`])
  return lines
}

/** Lines as a record, as both ends take it; a name that comes twice has a list. */
export const recordOf = (lines: Lines): Record<string, string | Array<string>> => {
  const record: Record<string, string | Array<string>> = {}
  for (const [name, value] of lines) {
    const before = record[name]
    record[name] = before === undefined ? value : [...(typeof before === "string" ? [before] : before), value]
  }
  return record
}

export const indexOf = (path: string): number => Number.parseInt(path.slice(1), 10)
