/**
 * An HTTP server on a network in memory, with clients that speak by hand.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import * as MemoryNetwork from "@sluice/core/transport/MemoryNetwork"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpMiddleware } from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as MemoryWorld from "./MemoryWorld.ts"

/** What is served. */
export type App = Effect.Effect<HttpServerResponse, unknown, HttpServerRequest | Scope.Scope>

export interface Options extends WebServer.Options, MemoryNetwork.Options {
  readonly middleware?: HttpMiddleware | undefined
}

export interface World {
  readonly server: WebServer.WebServer["Service"]
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  readonly peer: (options?: {
    readonly read?: boolean
  }) => Effect.Effect<MemoryWorld.RawPeer, TransportError, Scope.Scope>
  /** A client that sends `wire`, and hears until the server has ended the connection. `Date` is left out. */
  readonly talk: (...wire: ReadonlyArray<string>) => Effect.Effect<string, TransportError, Scope.Scope>
  /** Closes the server's scope: it drains. */
  readonly stop: Effect.Effect<void>
}

/** Serves `app`, for the lifetime of the scope or until `stop`. */
export const serving = (app: App, options?: Options): Effect.Effect<World, TransportError, Scope.Scope> =>
  Effect.gen(function* () {
    const network = MemoryNetwork.make(options)
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
    const context = yield* Layer.buildWithScope(
      WebServer.layer(options).pipe(
        Layer.provide(MemoryNetwork.layerListener(MemoryWorld.target)),
        Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
      ),
      scope
    )
    yield* Context.get(context, HttpServer.HttpServer)
      .serve(app, options?.middleware as never)
      .pipe(Scope.provide(scope)) as Effect.Effect<void>
    const peer: World["peer"] = (peerOptions) =>
      Effect.map(network.dial(MemoryWorld.target), (transport) =>
        MemoryWorld.rawPeer(transport, peerOptions?.read ?? true)
      )
    return {
      server: Context.get(context, WebServer.WebServer),
      network,
      peer,
      talk: (...wire) =>
        Effect.gen(function* () {
          const client = yield* peer()
          for (const part of wire) {
            client.write(part)
            yield* Effect.yieldNow
          }
          yield* client.heard.saw("end")
          client.transport.end()
          return withoutDate(client.heard.text)
        }),
      stop: Scope.close(scope, Exit.void)
    }
  })

/** The wire of `GET path`; the last one of a connection where `last` says so. */
export const get = (path: string, last: "last" | "more" = "last", headers = ""): string =>
  `GET ${path} HTTP/1.1\r\nhost: server.test\r\n${last === "last" ? "connection: close\r\n" : ""}${headers}\r\n`

/** The wire of `POST path` with `body`, as the last one of a connection. */
export const post = (path: string, body: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\nhost: server.test\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`

/** `Date` changes with the clock. */
export const withoutDate = (text: string): string => text.replaceAll(/date: [^\r]*\r\n/g, "")
