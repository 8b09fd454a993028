/**
 * An HTTP/2 engine that writes down what its handler hears and what it sends,
 * in the words of `Http2Wire`, and what it makes of frames at every split.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import * as Http2ErrorCode from "@sluice/core/protocol/http2/Http2ErrorCode"
import type { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead, Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Chunkings from "./Chunkings.ts"
import * as Hex from "./Hex.ts"
import { preface, Reader, settings, settingsAck, wire } from "./Http2Wire.ts"

export type Role = "server" | "client"

/** What the owner of the engine does when it hears something. */
export interface Conduct {
  /** A head, of either role. */
  readonly onHead?: (side: Recorded, stream: Http2Stream, head: Http2RequestHead | Http2ResponseHead) => void
  /** A server: the request is whole. */
  readonly onWhole?: (side: Recorded, stream: Http2Stream, path: string) => void
  /** Default: everything is used up at once. */
  readonly onData?: (side: Recorded, stream: Http2Stream, data: Uint8Array) => void
}

/** Answers a request that is whole with 200 and nothing; where its path is `/wait`, never. */
export const answering: Conduct = {
  onWhole: ({ engine, nowMillis }, stream, path) => {
    if (path !== "/wait") engine.respond(stream, 200, {}, undefined, nowMillis)
  }
}

/**
 * Calls are lines: `request 1 GET http a /path x=y ended`, `response 1 200`,
 * `interim 1 103`, `data 1 abc`, `end 1 x=y`, `closed 1`,
 * `closed 1 PeerReset CANCEL`, `goAway 1 NO_ERROR`,
 * `violation ConnectionViolation PROTOCOL_ERROR`, `pong`, `writable 1`.
 * The peer's SETTINGS are in `settingsCount`.
 */
export class Recorded implements Http2Handler {
  readonly calls: Array<string> = []
  readonly engine: Http2Connection
  readonly reader = new Reader()
  settingsCount = 0
  /** Of the engine's clock. */
  nowMillis = 0
  /** By their identifiers, also those that are over. */
  readonly streams = new Map<number, Http2Stream>()
  private readonly paths = new Map<Http2Stream, string>()
  private readonly conduct: Conduct

  constructor(role: Role, conduct: Conduct = answering, options: Http2Options.Options = {}) {
    this.conduct = conduct
    this.engine = new Http2Connection(role, this, Http2Options.resolve(role, options), 0)
  }

  /** Lines of what was sent since the last time. */
  sent(): Array<string> {
    while (this.engine.hasQueued) {
      const { byteLength } = this.engine.output
      this.engine.fill(this.nowMillis)
      if (this.engine.output.byteLength === byteLength) break
    }
    return this.reader.read(Hex.concat(this.engine.output.take()))
  }

  receive(...frames: ReadonlyArray<Uint8Array>): this {
    this.engine.receive(wire(...frames), this.nowMillis)
    return this
  }

  onRequest(stream: Http2Stream, head: Http2RequestHead, ended: boolean): void {
    const { authority, method, path, protocol, scheme } = head
    this.add(
      "request",
      stream,
      method,
      scheme ?? "-",
      authority ?? "-",
      path ?? "-",
      protocol ?? "",
      linesOf(head),
      ended ? "ended" : ""
    )
    this.paths.set(stream, path ?? "")
    this.streams.set(stream.id, stream)
    this.conduct.onHead?.(this, stream, head)
    if (ended) this.conduct.onWhole?.(this, stream, path ?? "")
  }
  onInterim(stream: Http2Stream, head: Http2ResponseHead): void {
    this.add("interim", stream, head.status, linesOf(head))
  }
  onResponse(stream: Http2Stream, head: Http2ResponseHead, ended: boolean): void {
    this.add("response", stream, head.status, linesOf(head), ended ? "ended" : "")
    this.conduct.onHead?.(this, stream, head)
  }
  onData(stream: Http2Stream, data: Uint8Array): void {
    this.add("data", stream, data.length > 40 ? `${data.length} bytes` : String.fromCharCode(...data))
    if (this.conduct.onData === undefined) this.engine.consume(stream, data.length, this.nowMillis)
    else this.conduct.onData(this, stream, data)
  }
  onEnd(stream: Http2Stream, trailers: Http2Fields | undefined): void {
    this.add("end", stream, trailers === undefined ? "" : linesOf(trailers))
    const path = this.paths.get(stream)
    if (path !== undefined) this.conduct.onWhole?.(this, stream, path)
  }
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    this.add("closed", stream, failure === undefined ? "" : reasonOf(failure))
  }
  onWritable(stream: Http2Stream): void {
    this.add("writable", stream)
  }
  onPeerSettings(): void {
    this.settingsCount++
  }
  onGoAway(lastStreamId: number, errorCode: number): void {
    this.calls.push(`goAway ${lastStreamId} ${Http2ErrorCode.nameOf(errorCode)}`)
  }
  onPong(): void {
    this.calls.push("pong")
  }
  onViolation(violation: Violation): void {
    this.calls.push(`violation ${reasonOf(violation)}`)
  }

  private add(what: string, { id }: Http2Stream, ...parts: ReadonlyArray<string | number>): void {
    this.calls.push([what, id, ...parts].filter((part) => part !== "").join(" "))
  }
}

const linesOf = (fields: Http2Fields): string => {
  const lines: Array<string> = []
  fields.visit((name, value) => void lines.push(`${name}=${value}`))
  return lines.join(" ")
}

const reasonOf = (reason: Violation | StreamFailure): string =>
  `${reason._tag} ${Http2ErrorCode.nameOf(reason.errorCode)}`

/** What an engine makes of a wire. */
export interface Heard {
  readonly calls: ReadonlyArray<string>
  readonly sent: ReadonlyArray<string>
  readonly closing: "open" | "end" | "abort"
}

/** A server that has shaken hands: both SETTINGS were sent and acknowledged. */
export const server = (conduct?: Conduct, options?: Http2Options.Options): Recorded =>
  greeted(new Recorded("server", conduct, options).receive(preface, settings(), settingsAck))

/** A client that has shaken hands, and has asked twice: 1 is a GET, 3 a POST whose body is still to come. */
export const client = (conduct?: Conduct, options?: Http2Options.Options): Recorded => {
  const side = new Recorded("client", conduct, options)
  ask(side, "GET")
  ask(side, "POST")
  return greeted(side.receive(settings(), settingsAck))
}

/** A client's request; with a body that is still to come where it is a POST. */
export const ask = (side: Recorded, method: string, path = "/", headers = {}): Http2Stream => {
  const stream = side.engine.request(
    { method, scheme: "http", authority: "a", path, headers },
    undefined,
    method === "POST" ? "open" : "whole",
    undefined,
    0
  )
  if ("_tag" in stream) throw new Error(`${stream._tag}: ${stream.message}`)
  side.streams.set(stream.id, stream)
  return stream
}

const greeted = (side: Recorded): Recorded => {
  side.sent()
  side.calls.length = 0
  return side
}

/** The frames whole, byte by byte and at every cut, or at some where they are long; each time to a new engine. */
export const heard = (make: () => Recorded, ...frames: ReadonlyArray<Uint8Array>): Heard => {
  const outcomes = splitsOf(wire(...frames)).map((chunks): Heard => {
    const side = make()
    for (const chunk of chunks) side.engine.receive(chunk.slice(), 0)
    return { sent: side.sent(), calls: side.calls, closing: side.engine.output.closing }
  })
  for (const outcome of outcomes) Assert.deepStrictEqual(outcome, outcomes[0])
  return outcomes[0]!
}

const manyBytes = 300

const splitsOf = (bytes: Uint8Array): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  if (bytes.length <= manyBytes) return Chunkings.everySplit(bytes)
  const cuts = [1, 8, 9, 10, 17, 24, 33, 34, bytes.length - 10, bytes.length - 9, bytes.length - 1]
  for (let cut = 47; cut < bytes.length; cut += Math.ceil(bytes.length / 40)) cuts.push(cut)
  return [
    [bytes],
    ...cuts.map((cut) => Chunkings.cut(bytes, [cut])),
    Chunkings.cut(
      bytes,
      cuts.sort((a, b) => a - b)
    )
  ]
}
