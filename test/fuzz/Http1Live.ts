/**
 * Exchanges over real sockets on loopback: our client with a server of
 * `node:http`, its client with our server, and pipelined requests to our
 * server. Each side says what its plan says, and compares what it hears.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import { once } from "node:events"
import * as Http from "node:http"
import * as Net from "node:net"
import { type ClientHandler, Http1Client } from "@sluice/core/protocol/http1/Http1Client"
import type { Refusal, Violation } from "@sluice/core/protocol/http1/Http1Error"
import type { Http1Fields } from "@sluice/core/protocol/http1/Http1Fields"
import type { RequestHead, ResponseHead } from "@sluice/core/protocol/http1/Http1Head"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"
import { Http1Server, type ServerHandler } from "@sluice/core/protocol/http1/Http1Server"
import * as EngineSocket from "./EngineSocket.ts"
import * as Http1Plan from "./Http1Plan.ts"
import { Random } from "./Http1Traffic.ts"

const limits = Http1Options.resolve()

/** A server, and how a round of exchanges with it goes; returns their number. */
export interface Side {
  readonly round: (seed: number) => Promise<number>
  readonly close: () => void
}

const listen = async (server: Net.Server): Promise<number> => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as Net.AddressInfo).port
}

const accepted = (refusal: Refusal | undefined): void => Assert.equal(refusal, undefined)

/** What is written ahead of a message's body. */
const framing = ({ framing, lengthBytes }: Http1Plan.Content): Http1Plan.Fields =>
  framing === "length" ? { "content-length": String(lengthBytes) } : {}

/** Whatever fails within a callback ends the round. */
const failing = (): { readonly failure: Promise<never>; readonly fail: (cause: unknown) => void } => {
  let fail: (cause: unknown) => void = () => {}
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  failure.catch(() => {})
  return { failure, fail }
}

/** Our client, and `node:http` as a server. */
export const ourClient = async (): Promise<Side> => {
  let fail: (cause: unknown) => void = () => {}
  const serve = (request: Http.IncomingMessage, response: Http.ServerResponse, continues: boolean): void => {
    const plan = Http1Plan.planOf(Http1Plan.seedOf(request.url ?? ""), "node")
    const parts: Array<Buffer> = []
    for (let count = 0; count < plan.hintCount; count++) response.writeEarlyHints({ link: "</a>; rel=preload" })
    if (plan.when === "early") answerByNode(response, plan)
    else if (continues) response.writeContinue()
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("error", () => {})
    request.on("end", () => {
      try {
        Assert.equal(request.method, plan.method)
        Assert.equal(request.url, plan.path)
        Http1Plan.checkFields("request", request.headers, plan.fields)
        Http1Plan.checkBody("request", parts, plan.content)
        Assert.deepEqual({ ...request.trailers }, plan.content.trailers)
        if (plan.when === "whole") answerByNode(response, plan)
      } catch (cause) {
        fail(cause)
      }
    })
  }
  const server = Http.createServer({ keepAliveTimeout: 0 })
  server.on("request", (request, response) => serve(request, response, false))
  server.on("checkContinue", (request, response) => serve(request, response, true))
  server.on("clientError", (cause: NodeJS.ErrnoException, socket) => {
    // An answer that comes early ends the connection, and the request with it.
    if (!["ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"].includes(cause.code ?? "")) fail(cause)
    socket.destroy()
  })
  const port = await listen(server)
  return {
    round: async (seed) => {
      const broken = failing()
      fail = broken.fail
      const count = 1 + new Random(seed).below(10)
      await Promise.race([askInTurn(port, seed * 16, count), broken.failure])
      return count
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

const answerByNode = (response: Http.ServerResponse, plan: Http1Plan.Plan): void => {
  const { answer, answerFields, closes, status } = plan
  if (closes === "server") response.shouldKeepAlive = false
  response.writeHead(status, { ...answerFields, ...framing(answer) })
  Http1Plan.speak(
    answer,
    (piece) => response.write(piece),
    () => {
      if (answer.framing === "chunked") response.addTrailers(answer.trailers)
      response.end()
    },
    () => response.destroyed
  )
}

/** One after the other, on the same connection for as long as it goes on. */
const askInTurn = async (port: number, seed: number, count: number): Promise<void> => {
  let asker: Asker | undefined
  for (let index = 0; index < count; index++) {
    asker ??= await Asker.connect(port)
    if ((await asker.ask(Http1Plan.planOf(seed + index, "node"))) === "closing") {
      await asker.closed
      asker = undefined
    }
  }
  asker?.end()
  await asker?.closed
}

/** Our client on one connection. */
class Asker implements ClientHandler {
  readonly closed: Promise<unknown>
  private readonly engine = new Http1Client(this, limits, 0)
  private readonly socket: Net.Socket
  private readonly flush: () => void
  private plan: Http1Plan.Plan | undefined
  private head: ResponseHead | undefined
  private trailers: Http1Fields | undefined
  private parts: Array<Uint8Array> = []
  private hintCount = 0
  private resolve: (next: "reusable" | "closing") => void = () => {}
  private reject: (cause: unknown) => void = () => {}

  constructor(socket: Net.Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once("close", resolve))
    this.flush = EngineSocket.drive(socket, this.engine)
  }

  static async connect(port: number): Promise<Asker> {
    const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    await once(socket, "connect")
    return new Asker(socket)
  }

  ask(plan: Http1Plan.Plan): Promise<"reusable" | "closing"> {
    this.plan = plan
    this.head = undefined
    this.trailers = undefined
    this.parts = []
    this.hintCount = 0
    const { closes, content, expects, fields, method, path } = plan
    const headers = {
      ...fields,
      ...framing(content),
      host: "a",
      expect: expects ? "100-continue" : undefined,
      connection: closes === "client" ? "close" : undefined
    }
    const parts = { method, target: path, headers }
    const heard = new Promise<"reusable" | "closing">((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    if (content.framing === "none") accepted(this.engine.request(parts, undefined, 0))
    else {
      accepted(this.engine.beginRequest(parts, 0))
      if (!expects) this.speak(content)
    }
    this.flush()
    return heard
  }

  end(): void {
    this.engine.close(0)
    this.flush()
  }

  onInterim(head: ResponseHead): void {
    if (head.status === 100) this.speak(this.plan!.content)
    else this.hintCount++
  }
  onResponse(head: ResponseHead): void {
    this.head = head
  }
  onBody(data: Uint8Array): void {
    this.parts.push(data.slice())
  }
  onEnd(trailers: Http1Fields | undefined): void {
    this.trailers = trailers
  }
  onComplete(next: "reusable" | "closing"): void {
    const { answer, answerFields, hintCount, status } = this.plan!
    try {
      Assert.equal(this.head?.status, status)
      Http1Plan.checkFields("response", this.head!.headers(), answerFields)
      Http1Plan.checkBody("response", this.parts, answer)
      Assert.deepEqual({ ...this.trailers?.headers() }, answer.trailers)
      Assert.equal(this.hintCount, hintCount)
      this.resolve(next)
    } catch (cause) {
      this.reject(cause)
    }
  }
  onUpgrade(): void {
    this.reject(new Error("an upgrade"))
  }
  onRaw(): void {}
  onPeerEnd(): void {}
  onViolation(violation: Violation): void {
    this.reject(new Error(`${violation._tag}: ${violation.message}`))
  }
  onClose(): void {}

  private speak(content: Http1Plan.Content): void {
    const plan = this.plan
    Http1Plan.speak(
      content,
      (piece) => {
        accepted(this.engine.writeBody(piece, 0))
        this.flush()
      },
      () => {
        accepted(this.engine.endBody(content.trailers, 0))
        this.flush()
      },
      // An answer that was early has ended it all.
      () => this.plan !== plan || this.engine.exchange === "Closed" || this.socket.destroyed
    )
  }
}

/** The client of `node:http`, and our server. */
export const ourServer = async (): Promise<Side> => {
  let fail: (cause: unknown) => void = () => {}
  const server = Net.createServer(
    { allowHalfOpen: true, noDelay: true },
    (socket) => new Answerer(socket, (cause) => fail(cause))
  )
  const port = await listen(server)
  const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })
  return {
    round: async (seed) => {
      const broken = failing()
      fail = broken.fail
      const count = 1 + new Random(seed).below(10)
      for (let index = 0; index < count; index++) {
        await Promise.race([askByNode(port, agent, Http1Plan.planOf(seed * 16 + index, "ours")), broken.failure])
      }
      return count
    },
    close: () => {
      agent.destroy()
      server.close()
    }
  }
}

const askByNode = (port: number, agent: Http.Agent, plan: Http1Plan.Plan): Promise<void> =>
  new Promise((resolve, reject) => {
    const { answer, answerFields, closes, content, expects, fields, hintCount, method, path, status } = plan
    const headers: Http1Plan.Fields = { ...fields, ...framing(content) }
    if (content.framing === "chunked") headers["transfer-encoding"] = "chunked"
    if (expects) headers.expect = "100-continue"
    if (closes === "client") headers.connection = "close"
    const request = Http.request({ port, host: "127.0.0.1", agent, method, path, headers })
    let hints = 0
    let heard = false
    const send = () =>
      Http1Plan.speak(
        content,
        (piece) => request.write(piece),
        () => {
          request.addTrailers(content.trailers)
          request.end()
        },
        () => heard || request.destroyed
      )
    request.on("information", ({ statusCode }) => statusCode === 103 && hints++)
    request.on("continue", send)
    request.on("error", (cause) => heard || reject(cause))
    request.on("response", (response) => {
      const parts: Array<Buffer> = []
      response.on("data", (part: Buffer) => parts.push(part))
      response.on("error", reject)
      response.on("end", () => {
        try {
          Assert.equal(response.statusCode, status)
          Http1Plan.checkFields("response", response.headers, answerFields)
          Http1Plan.checkBody("response", parts, answer)
          Assert.deepEqual({ ...response.trailers }, answer.trailers)
          Assert.equal(hints, hintCount)
          heard = true
          // An answer that was early leaves a request that nobody wants to its end.
          if (!request.writableEnded) request.destroy()
          setImmediate(resolve)
        } catch (cause) {
          reject(cause)
        }
      })
    })
    if (expects) request.flushHeaders()
    else send()
  })

/** Our server on one connection. */
class Answerer implements ServerHandler {
  private readonly engine = new Http1Server(this, limits, 0)
  private readonly flush: () => void
  private readonly fail: (cause: unknown) => void
  private head: RequestHead | undefined
  private parts: Array<Uint8Array> = []

  constructor(socket: Net.Socket, fail: (cause: unknown) => void) {
    this.fail = fail
    this.flush = EngineSocket.drive(socket, this.engine)
  }

  onRequest(head: RequestHead): void {
    this.head = head
    this.parts = []
    const plan = Http1Plan.planOf(Http1Plan.seedOf(head.target), "ours")
    for (let count = 0; count < plan.hintCount; count++) accepted(this.engine.writeInterim(103, { link: "</a>" }, 0))
    if (plan.when === "early") this.answer(plan)
    else if (head.expectsContinue) accepted(this.engine.writeInterim(100, {}, 0))
    if (head.delimiter === "Empty" && plan.when === "whole") this.onEnd(undefined)
  }
  onBody(data: Uint8Array): void {
    this.parts.push(data.slice())
  }
  onEnd(trailers: Http1Fields | undefined): void {
    const head = this.head!
    const plan = Http1Plan.planOf(Http1Plan.seedOf(head.target), "ours")
    try {
      Assert.equal(head.method, plan.method)
      Assert.equal(head.target, plan.path)
      Http1Plan.checkFields("request", head.headers(), plan.fields)
      Http1Plan.checkBody("request", this.parts, plan.content)
      Assert.deepEqual({ ...trailers?.headers() }, plan.content.trailers)
      if (plan.when === "whole") this.answer(plan)
    } catch (cause) {
      this.fail(cause)
    }
  }
  onUpgrade(): void {}
  onRaw(): void {}
  onPeerEnd(): void {}
  onViolation(violation: Violation): void {
    // A client that was answered early may give its request up.
    if (violation._tag !== "Truncated") this.fail(new Error(`${violation._tag}: ${violation.message}`))
  }
  onClose(): void {}

  private answer({ answer, answerFields, closes, status }: Http1Plan.Plan): void {
    const headers = { ...answerFields, connection: closes === "server" ? "close" : undefined }
    if (answer.framing === "none") {
      accepted(this.engine.respond({ status, headers }, undefined, 0))
      return
    }
    if (answer.framing === "length" && answer.pace === "at once") {
      accepted(this.engine.respond({ status, headers }, Buffer.concat(answer.pieces), 0))
      return
    }
    accepted(this.engine.beginResponse({ status, headers: { ...headers, ...framing(answer) } }, 0))
    Http1Plan.speak(
      answer,
      (piece) => {
        accepted(this.engine.writeBody(piece, 0))
        this.flush()
      },
      () => {
        accepted(this.engine.endBody(answer.trailers, 0))
        this.flush()
      },
      () => this.engine.exchange === "Closed"
    )
  }
}
