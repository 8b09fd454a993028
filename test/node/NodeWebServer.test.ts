import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { WebServer } from "@sluice/core/server/WebServer"
import { Deflate } from "@sluice/core/transport/Deflate"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Etag from "effect/http/Etag"
import * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { identity } from "../harness/Certificates.ts"

const loopback = { host: "127.0.0.1", port: 0 } as const

describe("NodeWebServer.layer", () => {
  it.effect("is a server with all that a handler may ask for", () =>
    Effect.gen(function* () {
      yield* HttpPlatform.HttpPlatform
      yield* Etag.Generator
      yield* Deflate
      const { address } = yield* WebServer
      const url = HttpServer.formatAddress(address)
      const text = yield* Effect.promise(() => fetch(url, { headers: { connection: "close" } }).then((r) => r.text()))
      assert.strictEqual(text, "hello")
    }).pipe(
      Effect.provide(
        HttpRouter.serve(HttpRouter.add("GET", "/", HttpServerResponse.text("hello")), {
          disableLogger: true,
          disableListenLog: true
        }).pipe(Layer.provideMerge(NodeWebServer.layer(loopback)))
      )
    )
  )

  it.effect("fails with the address that is in use", () =>
    Effect.gen(function* () {
      const { address } = yield* WebServer
      const port = "port" in address ? address.port : 0
      const error = yield* Effect.flip(Layer.build(NodeWebServer.layer({ ...loopback, port })))
      assert.strictEqual(error.reason._tag, "AddressInUse")
    }).pipe(Effect.provide(NodeWebServer.layer(loopback)))
  )

  it.effect("above its connections it has new ones wait, and closes none", () =>
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      yield* server.serve(Effect.succeed(HttpServerResponse.text("hello")))
      const url = HttpServer.formatAddress(server.address)
      const get = () => fetch(url, { headers: { connection: "close" } }).then((r) => r.text())
      const texts = yield* Effect.promise(() => Promise.all([get(), get(), get(), get()]))
      assert.deepStrictEqual(texts, ["hello", "hello", "hello", "hello"])
    }).pipe(Effect.provide(NodeWebServer.layer({ ...loopback, maxConnections: 1 })))
  )

  const agreements: ReadonlyArray<
    readonly [options: Pick<NodeWebServer.Options, "http2">, own: ReadonlyArray<string> | undefined, agreed: string]
  > = [
    [{}, undefined, "h2"],
    [{ http2: "off" }, undefined, "http/1.1"],
    [{}, ["http/1.1"], "http/1.1"],
    [{ http2: "off" }, ["acme", "http/1.1"], "http/1.1"]
  ]
  for (const [options, alpnProtocols, agreed] of agreements) {
    it.live(`ALPN: ${JSON.stringify({ ...options, alpnProtocols })} agrees on ${agreed}`, () =>
      Effect.gen(function* () {
        const { address } = yield* WebServer
        const port = "port" in address ? address.port : 0
        const socket = yield* Effect.acquireRelease(
          Effect.callback<Tls.TLSSocket>((resume) => {
            const ALPNProtocols = ["h2", "http/1.1"]
            const socket = Tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols }, () =>
              resume(Effect.succeed(socket))
            )
          }),
          (socket) => Effect.sync(() => socket.destroy())
        )
        assert.strictEqual(socket.alpnProtocol, agreed)
      }).pipe(
        Effect.provide(
          HttpServer.serve(Effect.succeed(HttpServerResponse.text("hello"))).pipe(
            Layer.provideMerge(
              NodeWebServer.layer({ ...loopback, ...options, tls: { certificates: identity("a"), alpnProtocols } })
            )
          )
        )
      )
    )
  }
})
