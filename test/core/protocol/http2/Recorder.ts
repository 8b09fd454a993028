/**
 * Owners of HTTP/2 engines that write down what they hear, with a clock that
 * tests set.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import type { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import type { Http2Handler, RequestParts } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import type { Http2Link } from "@sluice/core/protocol/http2/Http2Link"
import * as Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Hex from "../../../harness/Hex.ts"
import * as Wire from "../../../harness/Http2Wire.ts"

/** What an owner does beside writing it down. Without `onData` nothing is used up. */
export interface Conduct {
  readonly onHead?: (stream: Http2Stream, side: Side, head: Http2RequestHead | Http2ResponseHead) => void
  readonly onData?: (stream: Http2Stream, side: Side, data: Uint8Array) => void
  readonly onEnd?: (stream: Http2Stream, side: Side) => void
  readonly onClosed?: (stream: Http2Stream, side: Side) => void
  readonly onWritable?: (stream: Http2Stream, side: Side) => void
}

/**
 * Calls are lines: `request 1 GET / ended`, `response 1 200`, `interim 1 103`,
 * `data 1 3`, `end 1 x=y`, `closed 1`, `closed 1 PeerReset CANCEL`,
 * `writable 1`, `goAway 1 NO_ERROR bye`, `violation BudgetSpent
 * ENHANCE_YOUR_CALM`, `pong 5`.
 */
export class Side implements Http2Handler {
  readonly calls: Array<string> = []
  readonly engine: Http2Connection
  readonly streams = new Map<number, Http2Stream>()
  /** Texts of the GOAWAY frames that were sent. */
  readonly reader = new Wire.Reader()
  nowMillis: number
  private readonly conduct: Conduct

  constructor(role: "server" | "client", conduct: Conduct = {}, options: Options.Options = {}, nowMillis = 0) {
    this.conduct = conduct
    this.nowMillis = nowMillis
    this.engine = new Http2Connection(role, this, Options.resolve(role, options), nowMillis)
  }

  /** The engine as its parts see it. */
  get link(): Http2Link {
    return this.engine
  }

  stream(id: number): Http2Stream {
    const stream = this.streams.get(id)
    if (stream === undefined) throw new Error(`no stream ${id}`)
    return stream
  }

  receive(...frames: ReadonlyArray<Uint8Array>): this {
    this.engine.receive(Wire.wire(...frames), this.nowMillis)
    return this
  }

  /** The clock only. */
  at(nowMillis: number): this {
    this.nowMillis = nowMillis
    return this
  }

  advance(nowMillis: number): this {
    this.nowMillis = nowMillis
    this.engine.advance(nowMillis)
    return this
  }

  /** Follows the engine's deadlines, as a timer would, until it is `untilMillis`; returns when it was woken. */
  wakes(untilMillis: number): ReadonlyArray<number> {
    const woken: Array<number> = []
    for (;;) {
      const atMillis = this.engine.deadlineMillis
      if (atMillis > untilMillis) {
        this.nowMillis = untilMillis
        return woken
      }
      if (atMillis < this.nowMillis || woken.length > 10_000) throw new Error(`a deadline in the past: ${atMillis}`)
      woken.push(atMillis)
      this.advance(atMillis)
      if (this.engine.deadlineMillis <= atMillis) throw new Error(`again at ${atMillis}`)
    }
  }

  /** What one turn writes, as lines. */
  turn(): Array<string> {
    this.engine.fill(this.nowMillis)
    return this.taken()
  }

  /** What all turns write until nothing can leave any more, as lines. */
  sent(): Array<string> {
    const lines = this.turn()
    while (this.engine.hasQueued) lines.push(...this.turn())
    return lines
  }

  /** What is in the output, as lines. */
  taken(): Array<string> {
    return this.reader.read(this.bytes())
  }

  bytes(): Uint8Array {
    return Hex.concat(this.engine.output.take())
  }

  /** How often a stream was said to be over. */
  closedCount(id: number): number {
    return this.calls.filter((call) => call === `closed ${id}` || call.startsWith(`closed ${id} `)).length
  }

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    this.streams.set(stream.id, stream)
    this.say("request", stream, head.method, head.path ?? "", ended ? "ended" : "")
    this.conduct.onHead?.(stream, this, head)
    if (ended) this.conduct.onEnd?.(stream, this)
  }
  onInterim(stream: Http2Stream, head: Http2ResponseHead): void {
    this.say("interim", stream, head.status)
  }
  onResponse(stream: Http2Stream, head: Http2ResponseHead, ended: boolean): void {
    this.say("response", stream, head.status, ended ? "ended" : "")
    this.conduct.onHead?.(stream, this, head)
    if (ended) this.conduct.onEnd?.(stream, this)
  }
  onData(stream: Http2Stream, data: Uint8Array): void {
    this.say("data", stream, data.length)
    this.conduct.onData?.(stream, this, data)
  }
  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    const lines: Array<string> = []
    trailers?.visit((name, value) => void lines.push(`${name}=${value}`))
    this.say("end", stream, ...lines)
    this.conduct.onEnd?.(stream, this)
  }
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    this.say("closed", stream, failure === undefined ? "" : reasonOf(failure))
    this.conduct.onClosed?.(stream, this)
  }
  onWritable(stream: Http2Stream): void {
    this.say("writable", stream)
    this.conduct.onWritable?.(stream, this)
  }
  onPeerSettings(): void {}
  onGoAway(lastStreamId: number, errorCode: number, debug: string): void {
    this.calls.push(["goAway", lastStreamId, Code.nameOf(errorCode), debug].filter((part) => part !== "").join(" "))
  }
  onPong(roundTripMillis: number): void {
    this.calls.push(`pong ${roundTripMillis}`)
  }
  onViolation(violation: Violation): void {
    this.calls.push(`violation ${reasonOf(violation)}`)
  }

  private say(what: string, stream: Http2Stream, ...parts: ReadonlyArray<string | number>): void {
    this.calls.push([what, stream.id, ...parts].filter((part) => part !== "").join(" "))
  }
}

const reasonOf = (reason: Violation | StreamFailure): string => `${reason._tag} ${Code.nameOf(reason.errorCode)}`

/** A server whose handshake is over: both SETTINGS were sent and acknowledged. */
export const server = (conduct?: Conduct, options?: Options.Options, peer: Wire.Settings = {}): Side =>
  greeted(new Side("server", conduct, options).receive(Wire.preface, Wire.settings(peer), Wire.settingsAck))

/** The same, of a client. */
export const client = (conduct?: Conduct, options?: Options.Options, peer: Wire.Settings = {}): Side =>
  greeted(new Side("client", conduct, options).receive(Wire.settings(peer), Wire.settingsAck))

const greeted = (side: Side): Side => {
  side.taken()
  side.calls.length = 0
  return side
}

/** A client's request; `open` where its body is still to come. */
export const ask = (side: Side, rest: "whole" | "open" = "whole", more: Partial<RequestParts> = {}): Http2Stream => {
  const stream = side.engine.request(
    {
      method: rest === "open" ? "POST" : "GET",
      scheme: "http",
      authority: "a",
      path: "/",
      headers: {},
      ...more
    },
    undefined,
    rest,
    undefined,
    side.nowMillis
  )
  if ("_tag" in stream) throw new Error(`${stream._tag}: ${stream.message}`)
  side.streams.set(stream.id, stream)
  return stream
}

/** Answers a whole request with 200 and nothing. */
export const answering: Conduct = {
  onEnd: (stream, { engine, nowMillis }) => void engine.respond(stream, 200, {}, undefined, nowMillis)
}

/** Uses up what comes, at once. */
export const reading: Conduct = {
  onData: (stream, { engine, nowMillis }, data) => engine.consume(stream, data.length, nowMillis)
}

/** A request without a body, and one whose body is still to come. */
export const get = (id: number, path = "/"): Uint8Array => Wire.headers(id, Wire.get(path), "END_STREAM")
export const post = (id: number, path = "/"): Uint8Array => Wire.headers(id, Wire.post(path))

/** Bytes of a body: `a`, so often. */
export const body = (byteCount: number): Uint8Array => new Uint8Array(byteCount).fill(0x61)

/** Lengths of the DATA frames of a stream, in order. */
export const dataOf = (lines: ReadonlyArray<string>, id: number): ReadonlyArray<number> =>
  lines
    .filter((line) => line.startsWith(`DATA ${id} `))
    .map((line) => Number(/^DATA \d+ (\d+) bytes/.exec(line)?.[1] ?? (/'(.*)'/.exec(line)?.[1] ?? "").length))

/** What WINDOW_UPDATE gives back, of a stream or of the connection (0). */
export const returnedOf = (lines: ReadonlyArray<string>, id: number): number =>
  sum(lines.filter((line) => line.startsWith(`WINDOW_UPDATE ${id} `)).map((line) => Number(line.split(" ")[2])))

export const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

/** So many are taken; one more ends the connection, and says which budget it was. */
export const spends = (
  side: Side,
  budget: string,
  count: number,
  framesOf: (index: number) => ReadonlyArray<Uint8Array>
): void => {
  for (let index = 0; index < count; index++) {
    side.receive(...framesOf(index))
    if (index % 100 === 0) side.sent()
  }
  side.sent()
  Assert.equal(side.engine.output.closing, "open", side.calls.at(-1))
  side.receive(...framesOf(count))
  Assert.match(side.taken().at(-1) ?? "", /^GOAWAY \d+ ENHANCE_YOUR_CALM$/)
  Assert.equal(side.reader.debugTexts.at(-1), `too many ${budget}`)
  Assert.ok(side.calls.includes("violation BudgetSpent ENHANCE_YOUR_CALM"))
  Assert.equal(side.engine.output.closing, "end")
}

/** A client as it sees the connection's window of its server. */
export class Sender {
  readonly side: Side
  /** All that was sent back. */
  readonly lines: Array<string> = []
  private spentBytes = 0
  constructor(side: Side) {
    this.side = side
  }

  send(...frames: ReadonlyArray<Uint8Array>): void {
    for (const frame of frames) {
      if (frame[3] === 0) this.spentBytes += frame.length - 9
      this.side.receive(frame)
    }
    this.lines.push(...this.side.sent())
  }

  /** What it may still send. */
  get windowBytes(): number {
    return windowBytes - this.spentBytes + returnedOf(this.lines, 0)
  }

  /** What it may send at most, as soon as all is given back that was used up: shown by a last stream, which is read. */
  get wholeBytes(): number {
    const id = 1_000_001
    this.send(post(id))
    const before = this.lines.length
    while (returnedOf(this.lines.slice(before), 0) === 0) {
      this.send(Wire.data(id, body(1_000)))
      const stream = this.side.stream(id)
      // Its owner may have read it.
      this.side.engine.consume(stream, stream.unreadBytes, this.side.nowMillis)
      this.lines.push(...this.side.sent())
      if (this.windowBytes < 0) break
    }
    return this.windowBytes
  }
}

/** The default of `connectionWindow`. */
export const windowBytes = 1_048_576
