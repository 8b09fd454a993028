/**
 * What four recipients read from the same bytes, in the same words: our engines
 * and `node:http`, each as a server and as a client. No sockets: Node is fed
 * through a duplex stream in memory.
 *
 * @since 0.1.0
 */
import * as Http from "node:http"
import * as Timers from "node:timers/promises"
import { type ClientHandler, Http1Client } from "@sluice/core/protocol/http1/Http1Client"
import type { Violation } from "@sluice/core/protocol/http1/Http1Error"
import type { Http1Fields } from "@sluice/core/protocol/http1/Http1Fields"
import type { RequestHead, ResponseHead } from "@sluice/core/protocol/http1/Http1Head"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import { bytes, text } from "../core/protocol/http1/Recorder.ts"
import { MemorySocket } from "./MemorySocket.ts"

/** A message that was handed over whole. */
export interface Message {
  /** `GET /path`, or `200`. */
  readonly start: string
  /** Name and value of each line, as they came. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  readonly trailers: ReadonlyArray<readonly [name: string, value: string]>
}

export interface Heard {
  readonly messages: ReadonlyArray<Message>
  /** Whether the connection goes on behind each message. */
  readonly persistence: ReadonlyArray<"keep" | "close">
  /** Why what follows was refused, or `undefined`: it was not. */
  readonly refusal: { readonly tag: string; readonly detail: string } | undefined
}

/** Header values that are the same for each request of a client. */
export interface Asked {
  readonly method: string
  readonly upgrade: string | undefined
}

const linesOf = (fields: Http1Fields | undefined): ReadonlyArray<readonly [string, string]> => {
  const lines: Array<readonly [string, string]> = []
  fields?.visit((name, value) => lines.push([name, value]))
  return lines
}

const pairsOf = (raw: ReadonlyArray<string> = []): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index]!, raw[2 * index + 1]!])

const refusalOf = (violation: Violation): Heard["refusal"] => ({
  tag: violation._tag,
  detail: "detail" in violation ? String(violation.detail) : violation.message
})

/** What is the same in both roles of our engine. */
class Collector {
  readonly messages: Array<Message> = []
  readonly persistence: Array<"keep" | "close"> = []
  refusal: Heard["refusal"]
  protected body = ""
  onBody(data: Uint8Array): void {
    this.body += text(data)
  }
  onRaw(): void {}
  onPeerEnd(): void {}
  onClose(): void {}
  onViolation(violation: Violation): void {
    this.refusal = refusalOf(violation)
  }
  heard(): Heard {
    return { messages: this.messages, persistence: this.persistence, refusal: this.refusal }
  }
}

class ServerCollector extends Collector implements ServerHandler {
  readonly engine = new Http1Server(this, Http1Options.resolve(), 0)
  private head: RequestHead | undefined
  onRequest(head: RequestHead): void {
    this.head = head
    this.body = ""
    if (head.delimiter === "Empty") this.onEnd(undefined)
  }
  onUpgrade(): void {}
  onEnd(trailers: Http1Fields | undefined): void {
    const head = this.head!
    const start = `${head.method} ${head.target}`
    this.messages.push({ start, fields: linesOf(head), body: this.body, trailers: linesOf(trailers) })
    this.persistence.push(head.persistent ? "keep" : "close")
    this.engine.respond({ status: head.method === "CONNECT" ? 403 : 200, headers: {} }, "", 0)
  }
}

/** Our server: every request is answered when it is complete. */
export const serveHere = (wire: string): Heard => {
  const side = new ServerCollector()
  side.engine.receive(bytes(wire), 0)
  side.engine.receiveEnd(0)
  return side.heard()
}

class ClientCollector extends Collector implements ClientHandler {
  readonly engine = new Http1Client(this, Http1Options.resolve(), 0)
  private head: ResponseHead | undefined
  private trailers: Http1Fields | undefined
  onInterim(head: ResponseHead): void {
    this.messages.push({ start: `${head.status} ${reasonOf(head)}`, fields: linesOf(head), body: "", trailers: [] })
    this.persistence.push("keep")
  }
  onResponse(head: ResponseHead): void {
    this.head = head
  }
  onEnd(trailers: Http1Fields | undefined): void {
    this.trailers = trailers
  }
  onUpgrade(head: ResponseHead): void {
    this.onInterim(head)
  }
  onComplete(next: "reusable" | "closing"): void {
    const head = this.head!
    const start = `${head.status} ${reasonOf(head)}`
    this.messages.push({ start, fields: linesOf(head), body: this.body, trailers: linesOf(this.trailers) })
    this.persistence.push(next === "reusable" ? "keep" : "close")
  }
}

/** One that is registered is the same as none. */
const reasonOf = (head: ResponseHead): string => reasonIn(head.status, head.reason)

const reasonIn = (status: number, reason: string): string => {
  const phrase = reason.trim()
  return phrase === Http.STATUS_CODES[status] ? "" : phrase
}

/** Our client, with one request sent. */
export const askHere = (wire: string, { method, upgrade }: Asked): Heard => {
  const side = new ClientCollector()
  side.engine.request({ method, target: "/", headers: { host: "a", upgrade } }, undefined, 0)
  side.engine.receive(bytes(wire), 0)
  side.engine.receiveEnd(0)
  return side.heard()
}

/** Nothing but memory is between the sides, so that a few turns of the loop are all that there is to wait for. */
const settled = async (socket: MemorySocket): Promise<void> => {
  for (let turn = 0; turn < 20 && !socket.destroyed; turn++) await Timers.setImmediate()
}

const collect = (message: Http.IncomingMessage, whole: (body: string) => void): void => {
  const parts: Array<Buffer> = []
  message.on("data", (part: Buffer) => parts.push(part))
  message.on("error", () => {})
  message.on("end", () => whole(Buffer.concat(parts).toString("latin1")))
}

/** A request that has begun; the message, once it is whole. */
interface Begun {
  message?: Message
  persistence: "keep" | "close"
}

/** `node:http` as a server. */
export class NodeServer {
  private begun: Array<Begun> = []
  private refusal: Heard["refusal"]
  /** The rule of one Host is checked by the rows of the differences: Node would go on behind a refusal. */
  private readonly server = Http.createServer({ requireHostHeader: false, keepAliveTimeout: 0 })

  constructor() {
    Object.assign(this.server, { httpAllowHalfOpen: true, requestTimeout: 0, headersTimeout: 0 })
    this.server.on("request", (request, response) => {
      const begun: Begun = { persistence: response.shouldKeepAlive ? "keep" : "close" }
      this.begun.push(begun)
      collect(request, (body) => {
        begun.message = messageOf(request, body)
        response.end()
      })
    })
    this.server.on("checkExpectation", (request, response) => {
      this.begun.push({ persistence: "close" })
      this.refusal ??= { tag: "417", detail: "" }
      request.on("error", () => {})
      response.writeHead(417, { connection: "close" }).end()
    })
    this.server.on("connect", (request, socket) => {
      this.begun.push({ persistence: "close", message: messageOf(request, "") })
      socket.resume().end()
    })
    // The socket is left alone: the requests before the one that is wrong have yet to be handed over.
    this.server.on("clientError", (cause: NodeJS.ErrnoException) => {
      this.refusal ??= { tag: cause.code ?? cause.name, detail: cause.message }
    })
  }

  async serve(wire: string): Promise<Heard> {
    this.begun = []
    this.refusal = undefined
    const socket = new MemorySocket()
    socket.on("error", () => {})
    this.server.emit("connection", socket)
    socket.arrive(bytes(wire))
    await settled(socket)
    socket.destroy()
    const wholeCount = this.begun.findIndex(({ message }) => message === undefined)
    const whole = wholeCount < 0 ? this.begun : this.begun.slice(0, wholeCount)
    return {
      messages: whole.map(({ message }) => message!),
      persistence: whole.map(({ persistence }) => persistence),
      refusal: this.refusal
    }
  }

  close(): void {
    this.server.close()
  }
}

const messageOf = ({ method, rawHeaders, rawTrailers, url }: Http.IncomingMessage, body: string): Message => ({
  start: `${method} ${url}`,
  fields: pairsOf(rawHeaders),
  body,
  trailers: pairsOf(rawTrailers)
})

/** `node:http` as a client, with one request sent. */
export const askNode = (wire: string, { method, upgrade }: Asked): Promise<Heard> => {
  const messages: Array<Message> = []
  const persistence: Array<"keep" | "close"> = []
  const socket = new MemorySocket()
  const agent = new Http.Agent({ keepAlive: true })
  Object.assign(agent, { createConnection: () => socket })
  const headers = upgrade === undefined ? {} : { connection: "upgrade", upgrade }
  const add = (message: Http.IncomingMessage, body: string, keep: "keep" | "close"): void => {
    const { rawHeaders, rawTrailers, statusCode, statusMessage } = message
    const start = `${statusCode} ${reasonIn(statusCode ?? 0, statusMessage ?? "")}`
    messages.push({ start, fields: pairsOf(rawHeaders), body, trailers: pairsOf(rawTrailers) })
    persistence.push(keep)
  }
  return new Promise((resolve) => {
    const finish = (refusal: Heard["refusal"]): void => {
      agent.destroy()
      socket.destroy()
      resolve({ messages, persistence, refusal })
    }
    const failed = (cause: NodeJS.ErrnoException) => finish({ tag: cause.code ?? cause.name, detail: cause.message })
    const request = Http.request({ host: "a", method, agent, headers }, (response) => {
      collect(response, (body) => {
        // Behind a 101 there is no HTTP, whatever Node makes of one without its fields.
        add(response, body, request.shouldKeepAlive || response.statusCode === 101 ? "keep" : "close")
        finish(undefined)
      })
      response.on("error", failed)
    })
    request.on("information", (information) => add(information as Http.IncomingMessage, "", "keep"))
    request.on("upgrade", (response) => {
      add(response, "", "keep")
      finish(undefined)
    })
    request.on("error", failed)
    request.on("socket", () => {
      socket.arrive(bytes(wire))
      void settled(socket).then(() => finish(undefined))
    })
    request.end()
  })
}
