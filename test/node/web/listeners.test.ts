/** The same program on a Unix socket and behind TLS. */
import * as Http from "node:http"
import * as Path from "node:path"
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { authority, identity } from "../../harness/Certificates.ts"
import { leaveNoHandles } from "../../harness/NodeHandles.ts"
import { temporaryDirectory } from "../../harness/NodeNet.ts"
import * as HttpWire from "./HttpWire.ts"
import * as Served from "./Served.ts"

leaveNoHandles()

const show = HttpRouter.add("GET", "/", (request) =>
  Effect.succeed(HttpServerResponse.jsonUnsafe([request.originalUrl, Option.getOrNull(request.remoteAddress)]))
)

describe("a Unix socket", () => {
  it.live("serves node:http's client; its peers have no address", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "web.sock")
      yield* Served.routes(show, { path, host: undefined, port: undefined } as never)
      const text = yield* Effect.callback<string>((resume) => {
        Http.get({ socketPath: path, path: "/", agent: false, headers: { host: "unix.test" } }, (response) => {
          let text = ""
          response.setEncoding("utf8").on("data", (chunk) => {
            text += chunk
          })
          response.on("end", () => resume(Effect.succeed(text)))
        })
      })
      assert.deepStrictEqual(JSON.parse(text), ["http://unix.test/", null])
    })
  )
})

describe("TLS", () => {
  const tls = { certificates: identity("a"), alpnProtocols: ["http/1.1"] }
  const dial = (port: number, alpn: ReadonlyArray<string>) =>
    Tls.connect({ host: "127.0.0.1", port, servername: "a.test", ca: authority, ALPNProtocols: [...alpn] })

  it.live("http/1.1 is agreed on, and the scheme is https", () =>
    Effect.gen(function* () {
      const { port } = yield* Served.routes(show, { tls })
      const socket = dial(port, ["h2", "http/1.1"])
      const wire = yield* HttpWire.connect(port, socket)
      assert.strictEqual(socket.alpnProtocol, "http/1.1")
      const response = yield* wire.get("/")
      assert.deepStrictEqual(JSON.parse(response.body), ["https://test/", "127.0.0.1"])
    })
  )

  it.live("a client that speaks none of the protocols is refused in its handshake", () =>
    Effect.gen(function* () {
      const { port, server } = yield* Served.routes(show, { tls })
      const socket = dial(port, ["h2"])
      const code = yield* Effect.callback<string>((resume) => {
        socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? "")))
      })
      assert.include(code, "NO_APPLICATION_PROTOCOL")
      assert.strictEqual((yield* server.stats).accepted, 0)
    })
  )

  it.live("cleartext on a TLS port is refused, and the server goes on", () =>
    Effect.gen(function* () {
      const { port, wire } = yield* Served.routes(show, { tls })
      const client = yield* wire
      client.send(HttpWire.get("/"))
      yield* client.rest
      const over = yield* HttpWire.connect(port, dial(port, ["http/1.1"]))
      assert.strictEqual((yield* over.get("/")).status, 200)
    })
  )
})
