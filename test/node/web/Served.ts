/** A web server on a free port of 127.0.0.1 for the length of a test, and what its clients need. */
import * as WebServer from "@sluice/core/server/WebServer"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as HttpWire from "./HttpWire.ts"

export interface Served {
  readonly server: WebServer.WebServer["Service"]
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  /** Closes the server, which drains; with the test's scope at the latest. */
  readonly close: Effect.Effect<void>
  /** A client that speaks by hand. */
  readonly wire: Effect.Effect<HttpWire.HttpWire, never, Scope.Scope>
  /** Asks by Node's `fetch`. */
  readonly ask: (path: string, init?: RequestInit) => Effect.Effect<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  readonly text: string
}

/** What `HttpRouter.serve` and `HttpServer.serve` need. */
type Provided = WebServer.WebServer | HttpServer.HttpServer | NodeWebServer.Services

const local = { host: "127.0.0.1", port: 0 } as const

/** Serves whatever serves itself on the current `HttpServer`. */
export const serve = Effect.fnUntraced(function* <E, R>(
  app: Layer.Layer<never, E, R>,
  options?: Partial<NodeWebServer.Options>
) {
  const scope = yield* Scope.make()
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => close)
  const layer = Layer.provideMerge(app, NodeWebServer.layer({ ...local, ...options } as NodeWebServer.Options))
  const context = yield* Layer.buildWithScope(
    layer as unknown as Layer.Layer<WebServer.WebServer, E, Exclude<R, Provided>>,
    scope
  )
  const server = Context.get(context, WebServer.WebServer)
  const port = NetAddress.isInetAddress(server.address) ? server.address.port : 0
  const url = `http://127.0.0.1:${port}`
  const served: Served = {
    server,
    url,
    port,
    close,
    wire: HttpWire.connect(port),
    ask: (path, init) => ask(url + path, init)
  }
  return served
})

const quiet = { disableLogger: true, disableListenLog: true } as const

/** Serves routes without a log of its own. */
export const routes = <A, E, R>(layer: Layer.Layer<A, E, R>, options?: Partial<NodeWebServer.Options>) =>
  serve(HttpRouter.serve(layer as Layer.Layer<A, E, HttpRouter.HttpRouter>, quiet), options)

export const ask = (url: string, init?: RequestInit): Effect.Effect<Answer> =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, { signal, redirect: "manual", ...init })
    const bytes = new Uint8Array(await response.arrayBuffer())
    return { status: response.status, headers: response.headers, bytes, text: new TextDecoder().decode(bytes) }
  })

/** Effect's terminal, one of the services beside a server, opens the first two, which stay open. */
export const standardStreams = [process.stdin, process.stdout, process.stderr]

/** Effect's client over Node's `fetch`. */
export const fetchClient = FetchHttpClient.layer
