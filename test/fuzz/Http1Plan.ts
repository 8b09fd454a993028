/**
 * What is said in one exchange of HTTP/1.1, which a seed determines. Both sides
 * know it: one says it, and the other compares.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { Random } from "./Http1Traffic.ts"

export type Fields = Record<string, string>

/** A message's content, in the pieces in which it is written. */
export interface Content {
  readonly framing: "none" | "length" | "chunked"
  readonly pieces: ReadonlyArray<Buffer>
  readonly lengthBytes: number
  /** Only with chunks. */
  readonly trailers: Fields
  /** Whether each piece is written in a turn of its own. */
  readonly pace: "at once" | "spread"
}

export interface Plan {
  readonly path: string
  readonly method: string
  readonly fields: Fields
  readonly content: Content
  /** The client waits for 100 before it sends its content. */
  readonly expects: boolean
  readonly status: number
  readonly answerFields: Fields
  readonly answer: Content
  /** `early`: when the head of the request is there. */
  readonly when: "whole" | "early"
  /** How many responses with 103 come first. */
  readonly hintCount: number
  /** Who ends the connection behind this exchange, if anyone. */
  readonly closes: "nobody" | "client" | "server"
}

/**
 * Node's server does not read on behind an early answer that ends the
 * connection, so that the answer may be lost in a reset: that is left out.
 */
export const planOf = (seed: number, server: "node" | "ours"): Plan => {
  const key = `${seed} ${server}`
  const plan = plans.get(key) ?? make(seed, server)
  // Both sides ask for the same one, of a few that go on at a time.
  if (plans.size > 20) plans.clear()
  plans.set(key, plan)
  return plan
}

const plans = new Map<string, Plan>()

const make = (seed: number, server: "node" | "ours"): Plan => {
  const random = new Random(seed)
  const method = random.pick(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
  const when = random.chance(8) ? "early" : "whole"
  const closes = random.chance(4) ? random.pick(["client", "server"] as const) : "nobody"
  // What is dropped behind an early answer is limited, and so is kept small here.
  const mostBytes = when === "early" ? 50_000 : 1_048_576
  const content = random.chance(3) ? empty : contentOf(random, mostBytes)
  const status = random.pick([200, 200, 200, 201, 404, 500, 204, 304])
  const bodiless = method === "HEAD" || status === 204 || status === 304
  return {
    path: `/${seed}${random.pick(["", "?a=b%20c", "/x;y", "?a|b"])}`,
    method,
    fields: fieldsOf(random, "x-ask"),
    content,
    expects: content.framing !== "none" && random.chance(5),
    status,
    answerFields: fieldsOf(random, "x-answer"),
    answer: bodiless ? empty : contentOf(random, 1_048_576),
    when: closes === "nobody" || server === "ours" ? when : "whole",
    hintCount: random.chance(6) ? 1 + random.below(3) : 0,
    closes
  }
}

/** The seed of the plan that a request belongs to. */
export const seedOf = (target: string): number => Number.parseInt(target.slice(1), 10)

/** Fails unless `actual`, by lower-case names, has all of `expected`. */
export const checkFields = (what: string, actual: Readonly<Record<string, unknown>>, expected: Fields): void => {
  for (const [name, value] of Object.entries(expected)) Assert.equal(actual[name], value, `${what}: ${name}`)
}

export const checkBody = (what: string, actual: ReadonlyArray<Uint8Array>, { pieces }: Content): void => {
  Assert.ok(Buffer.concat(actual).equals(Buffer.concat(pieces)), `${what} has another body`)
}

/** Says each piece in its time, then the end; stops where `isOver`. */
export const speak = (
  { pace, pieces }: Content,
  write: (piece: Buffer) => void,
  end: () => void,
  isOver: () => boolean
): void => {
  const next = (index: number): void => {
    if (isOver()) return
    const piece = pieces[index]
    if (piece === undefined) {
      end()
      return
    }
    write(piece)
    if (pace === "at once") next(index + 1)
    else setImmediate(next, index + 1)
  }
  next(0)
}

const empty: Content = { framing: "none", pieces: [], lengthBytes: 0, trailers: {}, pace: "at once" }

const contentOf = (random: Random, mostBytes: number): Content => {
  const framing = random.pick(["length", "chunked"] as const)
  const bytes = random.chance(300) ? mostBytes : random.chance(10) ? 20_000 : 100
  const pieces = random.list(random.pick([1, 3, 10]), () => pieceOf(random, 1 + random.below(bytes / 4)))
  return {
    framing,
    pieces,
    lengthBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    trailers: framing === "chunked" && random.chance(3) ? fieldsOf(random, "x-trailer") : {},
    pace: random.pick(["at once", "spread"])
  }
}

const pieceOf = (random: Random, size: number): Buffer => Buffer.alloc(size, `${random.below(1e9)}\r\n\0\xff`, "latin1")

/** Of ASCII: Node sends other characters as Latin-1 or as UTF-8, by what it writes with them. */
const fieldsOf = (random: Random, prefix: string): Fields =>
  Object.fromEntries(
    random.list(5, () => [`${prefix}-${random.below(1000)}`, random.pick(["", "a", "a b", "1, 2", "x".repeat(300)])])
  )
