/**
 * HTTP by Effect's `HttpRouter`: text, JSON, a parameter of the path and of the
 * query, and bodies that are streamed, never collected.
 *
 * The routes know nothing of Sluice: `WebServer.layer` provides the
 * `HttpServer` that they ask for.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as CommandLine from "./command-line.ts"
import * as SelfSigned from "./http-hello/self-signed.ts"

const user = Effect.map(HttpRouter.params, ({ id }) => HttpServerResponse.jsonUnsafe({ id }))

/** What comes is sent while more of it is on its way, as fast as the slower side. */
const echo = Effect.map(HttpServerRequest, (request) =>
  HttpServerResponse.stream(request.stream, {
    contentType: request.headers["content-type"] ?? "application/octet-stream"
  })
)

/** What does not fit is answered with 400: a `SchemaError` knows its response. */
const streamQuery = HttpRouter.schemaParams(
  Schema.Struct({
    chunks: Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
  })
)

const chunk = new Uint8Array(1024).fill(0x78)

const stream = Effect.map(streamQuery, ({ chunks }) =>
  HttpServerResponse.stream(Stream.map(Stream.range(1, chunks), () => chunk))
)

export const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello world")),
  HttpRouter.add("GET", "/json", HttpServerResponse.jsonUnsafe({ message: "hello world" })),
  HttpRouter.add("GET", "/users/:id", user),
  HttpRouter.add("POST", "/echo", echo),
  HttpRouter.add("GET", "/stream", stream)
)

export const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(WebServer.layer())
)

const flags = {
  ...CommandLine.listenFlags(4006),
  tls: Flag.Boolean("tls").pipe(
    Flag.withDescription("Speak TLS with a certificate that is made now, for localhost, and that nobody vouches for"),
    Flag.withDefault(false)
  )
}

export const command = Command.make("http-hello", flags, ({ tls, ...listen }) =>
  CommandLine.launch(
    "http-hello",
    server,
    CommandLine.layerListener(listen, {
      alpnProtocols: ["h2", "http/1.1"],
      certificates: tls ? SelfSigned.make() : undefined
    })
  )
).pipe(
  Command.withDescription("Answers HTTP: GET /, /json, /users/:id and /stream?chunks=n, and POST /echo"),
  Command.validate(CommandLine.validateListen)
)
