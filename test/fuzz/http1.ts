/**
 * Feeds both roles of the HTTP/1.1 engine with random traffic, damaged and cut
 * at random, for as long as you like:
 *
 * ```sh
 * node --conditions=@sluice/source test/fuzz/http1.ts [seconds, default 60] [seed]
 * ```
 *
 * Nothing may throw; each cut must give the calls and the answers that the
 * whole gives; traffic without damage must pass without a violation; a head
 * that is being collected must stay within its limits, and so must what waits;
 * a closed engine must stay closed. A failure prints the seed of its round.
 */
import * as Assert from "node:assert/strict"
import { bytes, ClientSide, type Conduct, ServerSide, text } from "../core/protocol/http1/Recorder.ts"
import * as Chunkings from "../harness/Chunkings.ts"

/** A small generator of random numbers that a seed determines (mulberry32). */
class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0
  }
  /** A whole number, `0 <= n < below`. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
  pick<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }
  list<A>(most: number, item: () => A): ReadonlyArray<A> {
    return Array.from({ length: this.below(most + 1) }, item)
  }
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }
}

/** Small, so that each of them is reached. */
const options = {
  maxStartLineSize: 64,
  maxHeaderSize: 400,
  maxFieldCount: 12,
  maxTrailerSize: 60,
  maxChunkExtensionSize: 24,
  maxBodySize: 200,
  maxWaitingSize: 100,
  maxDiscardSize: 150,
  maxInterimResponses: 3
}

const wordOf = (random: Random): string =>
  random.list(8, () => random.pick(["a", "B", "-", "7", "~", "_"])).join("") || "x"

const fieldOf = (random: Random): string =>
  `X${wordOf(random)}:${random.pick(["", " ", "\t ", "  "])}${random.pick(["", "a b", "\xe9", "1,2", wordOf(random)])}${random.pick(["", " "])}\r\n`

const dataOf = (random: Random, most: number): string =>
  random.list(random.pick([3, most]), () => random.pick(["a", "\r\n", "0\r\n\r\n", "G", "\0", "\xff", ";"])).join("")

const extensionOf = (random: Random): string =>
  random.chance(4) ? random.pick([";a", " ; a=b", ';a="b;\\""', ";a = c;d", "\t;q"]) : ""

const chunkedOf = (random: Random): string => {
  const extended = random.chance(3)
  const chunks = random.list(4, () => {
    const data = dataOf(random, 8)
    if (data === "") return ""
    const size = data.length.toString(16)
    return `${random.pick([size, `0${size}`, size.toUpperCase()])}${extended ? extensionOf(random).slice(0, 5) && ";a" : ""}\r\n${data}\r\n`
  })
  return `${chunks.join("")}0\r\n${
    random.chance(4)
      ? fieldOf(random)
          .slice(0, 40)
          .replace(/(?<!\r\n)$/, "\r\n")
      : ""
  }\r\n`
}

/** The fields that frame `body`, and the body. */
const framedOf = (random: Random): { readonly fields: string; readonly body: string } => {
  switch (random.below(3)) {
    case 0:
      return { fields: "", body: "" }
    case 1: {
      const data = dataOf(random, 20)
      return { fields: `Content-Length: ${data.length}\r\n`, body: data }
    }
    default:
      return { fields: `Transfer-Encoding: ${random.pick(["chunked", "Chunked"])}\r\n`, body: chunkedOf(random) }
  }
}

const requestOf = (random: Random): string => {
  const { fields, body } = framedOf(random)
  const method = random.pick(["GET", "POST", "HEAD", "PUT", "OPTIONS", "x!"])
  const path = random.pick(["/whole", "/early", "/stream", "/later", "/abort", "/interim", "http://h:1/whole?a=b"])
  const expects = body !== "" && random.chance(6) ? "Expect: 100-continue\r\n" : ""
  const connection = random.chance(8) ? `Connection: ${random.pick(["keep-alive", "x, keep-alive", "foo"])}\r\n` : ""
  const lines = ["Host: a:80\r\n", fields, expects, connection, ...random.list(4, () => fieldOf(random))]
  return `${random.chance(6) ? "\r\n" : ""}${method} ${path} HTTP/1.${random.pick([1, 1, 1, 2])}\r\n${lines.join("")}\r\n${body}`
}

const responseOf = (random: Random): string => {
  const interim = random.list(2, () => `HTTP/1.1 ${random.pick([100, 103])} x\r\n${fieldOf(random)}\r\n`).join("")
  const { fields, body } = framedOf(random)
  const status = random.pick([200, 404, 500, 299])
  const framing = fields === "" ? "Content-Length: 0\r\n" : fields
  return `${interim}HTTP/1.1 ${status}${random.pick([" OK", " ", "", " a\tb \xe9"])}\r\n${framing}${fieldOf(random)}\r\n${body}`
}

const damage = (random: Random, wire: string): string => {
  let damaged = wire
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const noise = random.pick([
      "\r",
      "\n",
      "\r\n",
      " ",
      "\t",
      ":",
      "\0",
      ";",
      ",",
      "0",
      "F",
      "\x80",
      "chunked",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Host: b\r\n",
      "x".repeat(80)
    ])
    const kind = random.below(4)
    if (kind === 0) damaged = damaged.slice(0, at) + noise + damaged.slice(at + noise.length)
    else if (kind === 1) damaged = damaged.slice(0, at) + damaged.slice(at + 1 + random.below(4))
    else if (kind === 2) damaged = damaged.slice(0, at) + noise + damaged.slice(at)
    else if (random.chance(3)) damaged = damaged.slice(0, at)
  }
  return damaged
}

const cutAtRandom = (random: Random, wire: Uint8Array): ReadonlyArray<Uint8Array> => {
  const positions = new Set(random.list(random.pick([1, 3, 30]), () => random.below(Math.max(1, wire.length))))
  return Chunkings.cut(
    wire,
    [...positions].filter((at) => at > 0).sort((left, right) => left - right)
  )
}

const ok = { status: 200, headers: { "content-type": "text/plain" } }

/** What a request wants is in its target, so that it is the same for every cut. */
const conduct: Conduct = {
  onRequest: (head, { engine }) => {
    if (head.target.endsWith("/early")) engine.respond(ok, "early", 0)
    else if (head.target.endsWith("/interim")) engine.writeInterim(103, { link: "a" }, 0)
    else if (head.target.endsWith("/stream") && head.delimiter !== "Empty") engine.beginResponse(ok, 0)
  },
  onWhole: (head, { engine }) => {
    if (head.target.endsWith("/abort")) engine.abort()
    else if (head.target.endsWith("/stream")) {
      engine.beginResponse(ok, 0)
      engine.writeBody("stream", 0)
      engine.endBody({ "x-sum": "1" }, 0)
    } else if (!head.target.endsWith("/later")) engine.respond(ok, "whole", 0)
  }
}

interface Outcome {
  readonly calls: ReadonlyArray<string>
  readonly sent: string
  readonly closing: string
  readonly exchange: string
}

const outcomeOf = (side: ServerSide | ClientSide): Outcome => ({
  calls: side.calls,
  sent: side.engine.output.take().map(text).join(""),
  closing: side.engine.output.closing,
  exchange: side.engine.exchange
})

const checkBounds = (side: ServerSide | ClientSide): void => {
  const { parser, inbox } = side.engine as unknown as {
    readonly parser: { readonly carriedBytes: number; readonly carry: Uint8Array }
    readonly inbox: { readonly byteLength: number }
  }
  Assert.ok(parser.carriedBytes <= 64 + 400 + 4, `${parser.carriedBytes} bytes of a head were collected`)
  Assert.ok(parser.carry.length <= 2 * (64 + 400 + 4), `${parser.carry.length} bytes for a head`)
  Assert.ok(side.engine.wantsPause || inbox.byteLength <= 100, `${inbox.byteLength} bytes wait`)
  if (side.engine.exchange === "Closed") Assert.equal(inbox.byteLength, 0)
}

const serve = (chunks: ReadonlyArray<Uint8Array>, ended: boolean): Outcome => {
  const side = new ServerSide(conduct, options)
  for (const chunk of chunks) {
    if (chunk.length > 0) side.engine.receive(chunk.slice(), 0)
    checkBounds(side)
  }
  // Whoever was told to wait is answered now, one behind the other.
  for (let turn = 0; turn < 100 && side.engine.exchange === "AwaitingResponse"; turn++)
    side.engine.respond(ok, "later", 0)
  if (ended) side.engine.receiveEnd(0)
  const outcome = outcomeOf(side)
  side.engine.advance(1e9)
  side.engine.receiveClose(2e9)
  Assert.equal(side.engine.exchange, "Closed")
  return outcome
}

/** One request and its response; what comes behind it is unexpected. */
const ask = (chunks: ReadonlyArray<Uint8Array>, ended: boolean, method: string): Outcome => {
  const side = new ClientSide(options)
  Assert.equal(side.engine.request({ method, target: "/", headers: { host: "a" } }, undefined, 0), undefined)
  side.engine.output.take()
  for (const chunk of chunks) {
    if (chunk.length > 0) side.engine.receive(chunk.slice(), 0)
    checkBounds(side)
  }
  if (ended) side.engine.receiveEnd(0)
  const outcome = outcomeOf(side)
  side.engine.receiveClose(0)
  // Whether more has come already when a response ends is for the network to say.
  const calls = outcome.calls.map((call) => (call === "reusable" ? "closing" : call))
  return { ...outcome, calls }
}

const round = (random: Random): void => {
  const ended = random.chance(2)
  const clean = Array.from({ length: 1 + random.below(4) }, () => requestOf(random)).join("")
  const method = random.pick(["GET", "HEAD", "CONNECT"])
  const answer = responseOf(random)
  const subjects: ReadonlyArray<
    readonly [name: string, run: (chunks: ReadonlyArray<Uint8Array>) => Outcome, wire: string]
  > = [
    ["clean server", (chunks) => serve(chunks, ended), clean],
    ["server", (chunks) => serve(chunks, ended), damage(random, clean)],
    ["clean client", (chunks) => ask(chunks, ended, "GET"), answer],
    ["client", (chunks) => ask(chunks, ended, method === "CONNECT" ? "GET" : method), damage(random, answer)]
  ]
  for (const [name, run, wire] of subjects) {
    const whole = run([bytes(wire)])
    const limited = whole.calls.some((call) => /TooLarge|TooLong|TooMany/.test(call))
    if (name.startsWith("clean")) {
      const violation = whole.calls.find((call) => call.startsWith("violation"))
      Assert.ok(
        violation === undefined || limited || (ended && violation.endsWith("Truncated")),
        `${name}: ${violation}: ${JSON.stringify(wire)}`
      )
    }
    for (let turn = 0; turn < 4; turn++) {
      const chunks =
        turn === 0 ? Array.from(bytes(wire), (byte) => Uint8Array.of(byte)) : cutAtRandom(random, bytes(wire))
      Assert.deepEqual(run(chunks), whole, `${name}: ${Chunkings.show(chunks)}`)
    }
  }
}

const [seconds = "60", seed] = process.argv.slice(2)
const endMillis = Date.now() + Number(seconds) * 1000
let current = seed === undefined ? Date.now() % 2 ** 31 : Number(seed)
const first = current
do {
  try {
    round(new Random(current))
  } catch (cause) {
    console.error(`failed with seed ${current}`)
    throw cause
  }
  current++
} while (Date.now() < endMillis)
console.log(`${current - first} rounds, seeds ${first} to ${current - 1}`)
