/**
 * Owners of HTTP/1.1 engines that write down what they hear. Data of a body
 * that comes in pieces is one call: the network decides where it is cut.
 *
 * @since 0.1.0
 */
import type { Engine } from "@sluice/core/protocol/Engine"
import { type ClientHandler, Http1Client } from "@sluice/core/protocol/http1/Http1Client"
import type { Violation } from "@sluice/core/protocol/http1/Http1Error"
import type { Http1Fields } from "@sluice/core/protocol/http1/Http1Fields"
import type { RequestHead, ResponseHead } from "@sluice/core/protocol/http1/Http1Head"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import * as Chunkings from "../../../harness/Chunkings.ts"

/** Text as bytes, a byte a character. */
export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

export const text = (data: Uint8Array): string => Array.from(data, (byte) => String.fromCharCode(byte)).join("")

/** What an engine has put out since it was last asked, as text. */
export const sent = (engine: Engine): string => engine.output.take().map(text).join("")

class Recorder {
  readonly calls: Array<string> = []
  readonly violations: Array<Violation> = []

  onBody(data: Uint8Array): void {
    const last = this.calls.at(-1)
    if (last?.startsWith("body ") === true) this.calls[this.calls.length - 1] = last + text(data)
    else this.calls.push(`body ${text(data)}`)
  }
  onEnd(trailers: Http1Fields | undefined): void {
    this.calls.push(trailers === undefined ? "end" : `end ${JSON.stringify(trailers.headers())}`)
  }
  onRaw(data: Uint8Array): void {
    const last = this.calls.at(-1)
    if (last?.startsWith("raw ") === true) this.calls[this.calls.length - 1] = last + text(data)
    else this.calls.push(`raw ${text(data)}`)
  }
  onPeerEnd(): void {
    this.calls.push("peer end")
  }
  onViolation(violation: Violation): void {
    this.violations.push(violation)
    this.calls.push(`violation ${violation._tag}`)
  }
  onClose(): void {
    this.calls.push("close")
  }
}

/** What a server does with a request, beside writing it down. */
export interface Conduct {
  readonly onRequest?: (head: RequestHead, server: ServerSide) => void
  readonly onBody?: (data: Uint8Array, server: ServerSide) => void
  /** After the end of every request, with a body or without. */
  readonly onWhole?: (head: RequestHead, server: ServerSide) => void
}

export class ServerSide extends Recorder implements ServerHandler {
  readonly engine: Http1Server
  readonly heads: Array<RequestHead> = []
  private readonly conduct: Conduct

  constructor(conduct: Conduct = {}, options: Http1Options.Options = {}, nowMillis = 0) {
    super()
    this.conduct = conduct
    this.engine = new Http1Server(this, Http1Options.resolve(options), nowMillis)
  }
  onRequest(head: RequestHead): void {
    this.heads.push(head)
    const length = head.lengthBytes === undefined ? "" : ` ${head.lengthBytes}`
    this.calls.push(`${head.method} ${head.target} ${head.delimiter}${length}`)
    this.conduct.onRequest?.(head, this)
    if (head.delimiter === "Empty") this.conduct.onWhole?.(head, this)
  }
  override onBody(data: Uint8Array): void {
    super.onBody(data)
    this.conduct.onBody?.(data, this)
  }
  override onEnd(trailers: Http1Fields | undefined): void {
    super.onEnd(trailers)
    this.conduct.onWhole?.(this.heads.at(-1)!, this)
  }
  onUpgrade(rest: Uint8Array): void {
    this.calls.push(`upgrade ${text(rest)}`)
  }
}

export class ClientSide extends Recorder implements ClientHandler {
  readonly engine: Http1Client
  readonly heads: Array<ResponseHead> = []
  constructor(options: Http1Options.Options = {}, nowMillis = 0) {
    super()
    this.engine = new Http1Client(this, Http1Options.resolve(options), nowMillis)
  }
  onInterim(head: ResponseHead): void {
    this.calls.push(`interim ${head.status}`)
  }
  onResponse(head: ResponseHead): void {
    this.heads.push(head)
    this.calls.push(`${head.status} ${head.delimiter}${head.lengthBytes === undefined ? "" : ` ${head.lengthBytes}`}`)
  }
  onComplete(next: "reusable" | "closing"): void {
    this.calls.push(next)
  }
  onUpgrade(head: ResponseHead, rest: Uint8Array): void {
    this.calls.push(`upgrade ${head.status} ${text(rest)}`)
  }
}

/** Answers every request with its own method and target, when it is complete. */
export const answering: Conduct = {
  onWhole: (head, { engine }) => {
    engine.respond({ status: 200, headers: {} }, `${head.method} ${head.target}`, 0)
  }
}

/** Answers of {@link answering} to a persistent HTTP/1.1 request. */
export const answerTo = (request: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${request.length}\r\n\r\n${request}`

/** The engine's own answer to a violation. */
export const refusal = (status: number, phrase: string): string =>
  `HTTP/1.1 ${status} ${phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`

/** Receives `wire` at every split, each with a new side; returns the sides, of which the first received it whole. */
export const atEverySplit = <S extends { readonly engine: Engine }>(make: () => S, wire: string): ReadonlyArray<S> =>
  Chunkings.everySplit(bytes(wire)).map((chunks) => {
    const side = make()
    for (const chunk of chunks) if (chunk.length > 0) side.engine.receive(chunk, 0)
    return side
  })
