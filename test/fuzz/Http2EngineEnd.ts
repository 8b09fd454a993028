/**
 * One end of a connection: our engine on a stream of Node's, as client or as
 * server, saying what a plan says.
 *
 * @since 0.1.0
 */
import type * as Stream from "node:stream"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import type { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Http2Plan from "./Http2Plan.ts"
import { Seen } from "./Http2Seen.ts"
import * as Http2Speaker from "./Http2Speaker.ts"

export class EngineEnd implements Http2Handler {
  /** By the number of the exchange. */
  readonly seen = new Map<number, Seen>()
  readonly problems: Array<string> = []
  readonly engine: Http2Connection
  private readonly role: "client" | "server"
  private readonly round: Http2Plan.Round
  private readonly socket: Stream.Duplex
  private readonly onOver: () => void
  private readonly talks = new Map<Http2Stream, Talk>()
  /** Exchanges of a client that wait for a place. */
  private waiting: Array<number> = []
  private depth = 0

  constructor(role: "client" | "server", round: Http2Plan.Round, socket: Stream.Duplex, onOver: () => void) {
    this.role = role
    this.round = round
    this.socket = socket
    this.onOver = onOver
    this.engine = new Http2Connection(role, this, Http2Options.resolve(role, round.ours), 0)
    socket.on("data", (chunk: Buffer) => this.within(() => this.receive(chunk)))
    socket.on("drain", () => this.within(() => this.resume()))
    socket.on("end", () => this.within(() => this.engine.receiveEnd(0)))
    socket.on("close", () => this.engine.receiveClose(0))
    socket.on("error", () => socket.destroy())
    this.flush()
  }

  /** A client: begins all exchanges, once it knows how many may go on at a time. */
  start(): void {
    this.waiting = this.round.exchanges.map((_, index) => index)
  }

  /** Runs what talks to the engine, and sends what came of it behind the outermost call. */
  within<A>(body: () => A): A {
    this.depth++
    try {
      return body()
    } finally {
      this.depth--
      this.flush()
    }
  }

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    const index = Http2Plan.indexOf(head.path)
    const plan = this.round.exchanges[index]
    if (plan === undefined) throw new Error(`no exchange for ${head.path}`)
    const talk = this.add(stream, index)
    talk.seen.start = `${head.method} ${head.path}`
    talk.seen.lines = linesOf(head)
    if (plan.when === "early") talk.answer()
    talk.check()
    if (ended) this.onEnd(stream, undefined)
  }
  onInterim(stream: Http2Stream, head: Http2ResponseHead): void {
    this.talkOf(stream).seen.hints.push(head.status)
  }
  onResponse(stream: Http2Stream, head: Http2ResponseHead, ended: boolean): void {
    const { check, seen } = this.talkOf(stream)
    seen.start = String(head.status)
    seen.lines = linesOf(head)
    check()
    if (ended) seen.isWhole = true
  }
  onData(stream: Http2Stream, data: Uint8Array): void {
    const talk = this.talkOf(stream)
    if (data.length === 0) this.problems.push("empty data")
    talk.seen.parts.push(data)
    talk.seen.receivedBytes += data.length
    if (this.round.reading === "at once") this.engine.consume(stream, data.length, 0)
    else setImmediate(() => this.within(() => this.engine.consume(stream, data.length, 0)))
    talk.check()
  }
  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    const { answer, plan, seen } = this.talkOf(stream)
    seen.isWhole = true
    seen.trailers = trailers === undefined ? undefined : linesOf(trailers)
    if (this.role === "server" && plan.when === "whole") answer()
  }
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    const { seen } = this.talkOf(stream)
    if (seen.over !== "open") this.problems.push(`stream ${stream.id} was closed twice`)
    seen.over = overOf(failure)
    setImmediate(() => {
      this.ask()
      this.onOver()
    })
  }
  onWritable(stream: Http2Stream): void {
    this.talkOf(stream).onWritable()
  }
  onPeerSettings(): void {
    setImmediate(() => this.ask())
  }
  onGoAway(): void {}
  onPong(): void {}
  onViolation(violation: Violation): void {
    this.problems.push(`violation ${violation.message}`)
  }

  private ask(): void {
    if (this.waiting.length === 0) return
    this.within(() => {
      while (this.waiting.length > 0) {
        const index = this.waiting[0]!
        const plan = this.round.exchanges[index]!
        const isWhole =
          plan.content.trailers === undefined && plan.content.pace === "at once" && !plan.content.announced
        const body = Buffer.concat(plan.content.pieces)
        const request = this.engine.request(
          {
            method: plan.method,
            scheme: "http",
            authority: "a",
            path: plan.path,
            headers: headersOf(plan.fields, plan.content)
          },
          isWhole ? body : undefined,
          isWhole ? "whole" : "open",
          undefined,
          0
        )
        if ("_tag" in request) {
          if (request._tag !== "StreamsExhausted") this.problems.push(`${request._tag}: ${request.message}`)
          return
        }
        this.waiting.shift()
        const talk = this.add(request, index)
        if (isWhole) talk.seen.sentBytes = body.length
        talk.check()
        if (!isWhole) Http2Speaker.speak(plan.content, talk.seen, talk, talk.check)
      }
    })
  }

  private add(stream: Http2Stream, index: number): Talk {
    const seen = new Seen()
    if (this.seen.has(index)) this.problems.push(`exchange ${index} came twice`)
    this.seen.set(index, seen)
    const talk = new Talk(this, this.role, stream, this.round.exchanges[index]!, seen)
    this.talks.set(stream, talk)
    return talk
  }

  private talkOf(stream: Http2Stream): Talk {
    const talk = this.talks.get(stream)
    if (talk === undefined) throw new Error(`stream ${stream.id} is not known`)
    return talk
  }

  private receive(chunk: Buffer): void {
    const { chunkBytes } = this.round
    for (let at = 0; at < chunk.length; at += chunkBytes) {
      this.engine.receive(Uint8Array.from(chunk.subarray(at, at + chunkBytes)), 0)
    }
  }

  private resume(): void {
    this.engine.output.blocked = false
    this.engine.resumeSending(0)
  }

  private flush(): void {
    if (this.depth > 0) return
    const { engine, socket } = this
    const { output } = engine
    for (;;) {
      if (!socket.destroyed) for (const chunk of output.take()) if (!socket.write(chunk)) output.blocked = true
      if (!engine.hasQueued) break
      // What streams hear of their turn is a command of theirs.
      this.depth++
      engine.fill(0)
      this.depth--
      if (output.byteLength === 0) break
    }
    if (output.closing === "end" && !socket.writableEnded) socket.end()
    else if (output.closing === "abort") socket.destroy()
  }
}

/** One stream. */
class Talk implements Http2Speaker.Mouth {
  readonly plan: Http2Plan.Exchange
  readonly seen: Seen
  readonly check: () => void
  private readonly end_: EngineEnd
  private readonly role: "client" | "server"
  private readonly stream: Http2Stream
  private waiter: (() => void) | undefined

  constructor(end: EngineEnd, role: "client" | "server", stream: Http2Stream, plan: Http2Plan.Exchange, seen: Seen) {
    this.end_ = end
    this.role = role
    this.stream = stream
    this.plan = plan
    this.seen = seen
    this.check = Http2Speaker.resetter(plan, role, seen, this)
  }

  /** A server: the response. */
  readonly answer = (): void => {
    const { engine } = this.end_
    const { answer, answerFields, hintCount, status } = this.plan
    const { stream } = this
    if (this.isOver()) return
    for (let count = 0; count < hintCount; count++) this.accepted(engine.interim(stream, 103, { link: "</a>" }, 0))
    const isWhole = answer.trailers === undefined && answer.pace === "at once"
    if (isWhole) {
      const body = Buffer.concat(answer.pieces)
      this.accepted(engine.respond(stream, status, headersOf(answerFields, answer), body, 0))
      this.seen.sentBytes = body.length
      this.check()
      return
    }
    this.accepted(engine.beginResponse(stream, status, headersOf(answerFields, answer), 0))
    Http2Speaker.speak(answer, this.seen, this, this.check)
  }

  write(piece: Buffer): void {
    this.end_.within(() => this.accepted(this.end_.engine.write(this.stream, piece, 0)))
  }
  end(trailers: Http2Plan.Lines | undefined): void {
    const record = trailers === undefined ? undefined : Http2Plan.recordOf(trailers)
    this.end_.within(() => this.accepted(this.end_.engine.end(this.stream, record, 0)))
  }
  reset(code: number): void {
    // Node as a client does not end a stream that is reset with NO_ERROR.
    const told = this.role === "server" ? code || 8 : code
    this.end_.within(() => this.end_.engine.reset(this.stream, told, 0))
  }
  isOver(): boolean {
    return this.seen.over !== "open"
  }
  whenWritable(next: () => void): void {
    if (this.stream.isWritable) setImmediate(next)
    else this.waiter = next
  }
  onWritable(): void {
    const { waiter } = this
    this.waiter = undefined
    if (waiter !== undefined) setImmediate(waiter)
  }

  private accepted(refusal: { readonly _tag: string; readonly message: string } | undefined): void {
    if (refusal !== undefined) this.end_.problems.push(`stream ${this.stream.id}: ${refusal._tag}: ${refusal.message}`)
  }
}

const headersOf = (lines: Http2Plan.Lines, content: Http2Plan.Content): Record<string, string | Array<string>> => ({
  ...Http2Plan.recordOf(lines),
  ...(content.announced ? { "content-length": String(content.byteLength) } : {})
})

const linesOf = (fields: Http2Fields): Http2Plan.Lines => {
  const lines: Array<readonly [string, string]> = []
  fields.visit((name, value) => void lines.push([name, value]))
  return lines
}

const overOf = (failure: StreamFailure | undefined): Seen["over"] => {
  if (failure === undefined) return "ended"
  if (failure._tag === "PeerReset") return { by: "peer", code: failure.errorCode }
  if (failure._tag === "LocalReset") return { by: "me", code: failure.errorCode }
  return { failed: `${failure._tag}: ${failure.message}` }
}
