/**
 * One end of a connection: `node:http2`, as client or as server, saying what a
 * plan says.
 *
 * @since 0.1.0
 */
import * as Http2 from "node:http2"
import type * as Stream from "node:stream"
import * as Http2Plan from "./Http2Plan.ts"
import { Seen } from "./Http2Seen.ts"
import * as Http2Speaker from "./Http2Speaker.ts"

const { constants } = Http2

const paddings = {
  none: constants.PADDING_STRATEGY_NONE,
  // Of no type, but documented.
  aligned: Reflect.get(constants, "PADDING_STRATEGY_ALIGNED") as number,
  max: constants.PADDING_STRATEGY_MAX
} as const

export class NodeEnd {
  readonly seen = new Map<number, Seen>()
  readonly problems: Array<string> = []
  private readonly role: "client" | "server"
  private readonly round: Http2Plan.Round
  private readonly session: Http2.ClientHttp2Session | Http2.ServerHttp2Session
  private readonly onOver: () => void

  constructor(role: "client" | "server", round: Http2Plan.Round, socket: Stream.Duplex, onOver: () => void) {
    this.role = role
    this.round = round
    this.onOver = onOver
    const options = { settings: round.node, paddingStrategy: paddings[round.padding] }
    if (role === "client") {
      this.session = Http2.connect("http://a", { ...options, createConnection: () => socket })
    } else {
      const session = Http2.performServerHandshake(socket, options)
      session.on("stream", (stream, headers, flags, raw) => this.onRequest(stream, headers, flags, raw as never))
      this.session = session
    }
    this.session.on("error", (cause: Error) => this.problems.push(`session: ${cause.message}`))
    this.session.on("frameError", (type, code, id) => this.problems.push(`frame ${type} of ${id}: ${code}`))
    round.nodeLater.forEach((settings, index) => {
      let turns = 2 * index + 1
      const later = (): void => {
        if (this.session.closed || this.session.destroyed) return
        if (turns-- > 0) setImmediate(later)
        else this.session.settings(settings)
      }
      setImmediate(later)
    })
  }

  /** A client: begins all exchanges, once it knows how many may go on at a time. */
  start(): void {
    this.session.once("remoteSettings", () => {
      for (const index of this.round.exchanges.keys()) this.ask(index)
    })
  }

  close(): void {
    this.session.close()
  }

  private ask(index: number): void {
    const plan = this.round.exchanges[index]!
    const { content } = plan
    const stream = (this.session as Http2.ClientHttp2Session).request(
      { ":method": plan.method, ":path": plan.path, ":authority": "a", ...headersOf(plan.fields, content) },
      { endStream: isEmpty(content), waitForTrailers: content.trailers !== undefined }
    )
    const talk = this.add(stream, index)
    const { seen } = talk
    stream.on("headers", (headers) => void seen.hints.push(Number(headers[":status"])))
    stream.on("response", (headers, flags, raw?: unknown) => {
      if (flags & constants.NGHTTP2_FLAG_END_STREAM) seen.isWhole = true
      seen.start = String(headers[":status"])
      seen.lines = linesOf(raw)
      talk.check()
    })
    // RST_STREAM of a stream that has no number yet would be of nothing.
    if (stream.pending) stream.once("ready", () => talk.check())
    else talk.check()
    if (!isEmpty(content)) Http2Speaker.speak(content, seen, talk, talk.check)
  }

  private onRequest(
    stream: Http2.ServerHttp2Stream,
    headers: Http2.IncomingHttpHeaders,
    flags: number,
    raw: ReadonlyArray<string>
  ): void {
    const path = String(headers[":path"])
    const index = Http2Plan.indexOf(path)
    const plan = this.round.exchanges[index]!
    const talk = this.add(stream, index)
    talk.seen.start = `${headers[":method"]} ${path}`
    talk.seen.lines = linesOf(raw)
    if (flags & constants.NGHTTP2_FLAG_END_STREAM) talk.seen.isWhole = true
    const answer = (): void => {
      if (talk.isOver()) return
      for (let count = 0; count < plan.hintCount; count++) stream.additionalHeaders({ ":status": 103, link: "</a>" })
      const isBodiless = isEmpty(plan.answer)
      stream.respond(
        { ":status": plan.status, ...headersOf(plan.answerFields, plan.answer) },
        { endStream: isBodiless, waitForTrailers: plan.answer.trailers !== undefined }
      )
      if (!isBodiless) Http2Speaker.speak(plan.answer, talk.seen, talk, talk.check)
    }
    if (plan.when === "early") answer()
    else stream.on("end", () => answer())
    talk.check()
  }

  private add(stream: Http2.Http2Stream, index: number): Talk {
    const plan = this.round.exchanges[index]!
    const seen = new Seen()
    if (this.seen.has(index)) this.problems.push(`exchange ${index} came twice`)
    this.seen.set(index, seen)
    const talk = new Talk(this.role, stream, plan, seen)
    stream.on("data", (part: Buffer) => {
      seen.parts.push(part)
      seen.receivedBytes += part.length
      talk.check()
      if (this.round.reading === "at once") return
      stream.pause()
      setImmediate(() => stream.resume())
    })
    stream.on("trailers", (_headers, _flags, raw?: unknown) => {
      seen.trailers = linesOf(raw)
    })
    stream.on("end", () => {
      // Node says so too when a stream is reset.
      if (!stream.aborted && stream.rstCode === 0) seen.isWhole = true
    })
    stream.on("error", () => {})
    stream.on("close", () => {
      seen.over = talk.overOf()
      setImmediate(this.onOver)
    })
    return talk
  }
}

class Talk implements Http2Speaker.Mouth {
  readonly check: () => void
  readonly seen: Seen
  private readonly stream: Http2.Http2Stream
  private own: number | undefined

  constructor(role: "client" | "server", stream: Http2.Http2Stream, plan: Http2Plan.Exchange, seen: Seen) {
    this.stream = stream
    this.seen = seen
    // Node 24 that resets a stream with trailers to come sends empty DATA frames without end, until its memory is spent.
    const own = role === "client" ? plan.content : plan.answer
    this.check = own.trailers === undefined ? Http2Speaker.resetter(plan, role, seen, this) : () => {}
  }

  write(piece: Buffer): void {
    this.stream.write(piece)
  }
  end(trailers: Http2Plan.Lines | undefined): void {
    if (trailers !== undefined) {
      this.stream.once("wantTrailers", () => this.stream.sendTrailers(Http2Plan.recordOf(trailers)))
    }
    this.stream.end()
  }
  reset(code: number): void {
    if (this.own !== undefined) return
    // With NO_ERROR Node ends its side instead, and may wait for ever for what then comes.
    this.own = code || constants.NGHTTP2_CANCEL
    this.stream.close(this.own)
  }
  isOver(): boolean {
    return this.stream.closed || this.stream.destroyed
  }
  whenWritable(next: () => void): void {
    setImmediate(next)
  }

  overOf(): Seen["over"] {
    const { rstCode } = this.stream
    if (this.own !== undefined && rstCode === this.own) return { by: "me", code: this.own }
    if (rstCode === 0 && this.seen.isWhole && this.stream.writableEnded) return "ended"
    return { by: "peer", code: rstCode ?? -1 }
  }
}

const isEmpty = ({ pieces, trailers }: Http2Plan.Content): boolean => pieces.length === 0 && trailers === undefined

const headersOf = (lines: Http2Plan.Lines, content: Http2Plan.Content): Http2.OutgoingHttpHeaders => ({
  ...Http2Plan.recordOf(lines),
  ...(content.announced ? { "content-length": String(content.byteLength) } : {})
})

/** Names and values in turn, which Node hands over beside the record. */
const linesOf = (raw: unknown): Http2Plan.Lines => {
  const flat = raw as ReadonlyArray<string>
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!] as const)
}
