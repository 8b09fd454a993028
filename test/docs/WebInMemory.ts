/** The documents' web programs on a network in memory, and clients that ask them. */
import { assert } from "@effect/vitest"
import { type Dialer, MemoryNetwork, TcpClient, type TransportError, WebServer } from "@sluice/core"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

export const target = { host: "server.test", port: 80 } as const

/** Where `WebSocketClient` finds the server. */
export const webSocketUrl = `ws://${target.host}:${target.port}`

/** What a service may need beside the server: those of `NodeWebServer.layer`. */
export type Provided = WebServer.WebServer | HttpServer.HttpServer | NodeWebServer.Services

/** Routes as `HttpRouter.serve` serves them, without a log of their own. */
export const routes = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  HttpRouter.serve(layer, { disableLogger: true, disableListenLog: true })

/** Runs a conversation with the service, closes the server, and checks that nothing is left open. */
export const converse = <A, E, R extends Provided, SE = never>(
  service: Layer.Layer<never, SE, R>,
  conversation: Effect.Effect<A, E, Dialer.Dialer | WebServer.WebServer | MemoryNetwork.MemoryNetwork | Scope.Scope>,
  options?: WebServer.Options
) =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const servers = yield* Scope.make()
    const clients = yield* Scope.make()
    const context = yield* (service as Layer.Layer<never, SE, Provided>).pipe(
      Layer.provideMerge(WebServer.layer(options)),
      Layer.provide(NodeWebServer.layerServices),
      Layer.provide(MemoryNetwork.layerListener(target)),
      Layer.provideMerge(MemoryNetwork.layerDialer),
      Layer.buildWithScope(servers)
    )
    const result = yield* conversation.pipe(Scope.provide(clients), Effect.provideContext(context))
    const closing = yield* Effect.forkChild(
      Effect.andThen(Scope.close(clients, Exit.void), Scope.close(servers, Exit.void))
    )
    // Who waits for something else than the end of its connection is ended by a timeout.
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(closing)
    assert.strictEqual(network.openCount(), 0, "connections that are left open")
    return result
  }).pipe(Effect.provide(MemoryNetwork.layer()))

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a request is on the wire; the last one of its connection unless it says otherwise. */
export const wireOf = (method: string, path: string, { body, headers }: Question = {}): string => {
  const fields = {
    host: target.host,
    ...(headers?.connection === undefined ? { connection: "close" } : {}),
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    ...headers
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`
}

/** Asks on a connection of its own. */
export const ask = (
  method: string,
  path: string,
  question?: Question
): Effect.Effect<Answer, TransportError.TransportError, Dialer.Dialer> =>
  Effect.gen(function* () {
    const connection = yield* TcpClient.connect(target)
    yield* connection.send(wireOf(method, path, question))
    let text = ""
    const decoder = new TextDecoder("latin1")
    const read = Effect.map(connection.receive, (chunk) => {
      text += decoder.decode(chunk)
    })
    yield* Pull.catchDone(Effect.forever(read), () => Effect.void)
    return answerOf(text)
  }).pipe(Effect.scoped)

/** One whole response. */
export const answerOf = (text: string): Answer => {
  const end = text.indexOf("\r\n\r\n")
  assert.isAbove(end, 0, `no head: ${text}`)
  const [line, ...fields] = text.slice(0, end).split("\r\n")
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(":")
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim()
  }
  const body = text.slice(end + 4)
  return {
    status: Number(line!.split(" ")[1]),
    headers,
    body: headers["transfer-encoding"] === "chunked" ? unchunked(body) : body
  }
}

const unchunked = (body: string): string => {
  let rest = body
  let whole = ""
  while (true) {
    const end = rest.indexOf("\r\n")
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (size === 0) return whole
    whole += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 4 + size)
  }
}
