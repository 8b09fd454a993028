/**
 * Serves the files of a directory by Effect's `HttpStaticServer`: ranges,
 * conditional requests, `index.html`.
 *
 * A client that takes Brotli or gzip gets `app.js.br` or `app.js.gz` for
 * `app.js` where there is one: files are compressed once, when they are built.
 * Names that begin with a dot are not served, but for `/.well-known/`. Links
 * are followed, also out of the directory.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Mime from "effect/http/Mime"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as CommandLine from "./command-line.ts"

/** The content codings that files may be stored in, the better first. */
const codings = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" }
]

const routes = Effect.fnUntraced(function* (root: string) {
  const router = yield* HttpRouter.HttpRouter
  const plain = yield* HttpStaticServer.make({ root, cacheControl: "no-cache" })
  yield* router.add("GET", "/*", (request) => {
    const path = request.url.replace(/[?#].*/s, "")
    if (hiddenName.test(path)) return Effect.succeed(HttpServerResponse.empty({ status: 404 }))
    const file = path.endsWith("/") ? `${path}index.html` : path
    const compressed = codings
      .filter((coding) => accepts(request.headers["accept-encoding"], coding.name))
      .map((coding) =>
        Effect.provideService(plain, HttpServerRequest, request.modify({ url: file + coding.extension })).pipe(
          Effect.map(HttpServerResponse.setHeaders({ "content-encoding": coding.name, "content-type": typeOf(file) }))
        )
      )
    return Effect.map(
      Effect.firstSuccessOf([...compressed, plain]),
      HttpServerResponse.setHeader("vary", "accept-encoding")
    )
  })
})

/** A segment that begins with a dot, also where it is escaped. */
const hiddenName = /(?:[/\\]|%2f|%5c)(?:\.|%2e)(?!well-known\/)/i

const accepts = (header: string | undefined, coding: string): boolean =>
  (header ?? "").split(",").some((one) => {
    const [name, ...parameters] = one.split(";").map((part) => part.trim().toLowerCase())
    return name === coding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })

const typeOf = (file: string): string => {
  const type = Option.getOrElse(Mime.getType(file), () => "application/octet-stream")
  return /^text\/|json$|javascript$|xml$/.test(type) ? `${type}; charset=utf-8` : type
}

export const server = (root: string) =>
  HttpRouter.serve(Layer.effectDiscard(routes(root)), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(WebServer.layer()),
    Layer.provide(NodeWebServer.layerServices)
  )

const flags = {
  ...CommandLine.listenFlags(4008),
  directory: Argument.Directory("directory", { mustExist: true }).pipe(
    Argument.withDescription("What to serve; the current directory unless given"),
    Argument.withDefault(".")
  )
}

export const command = Command.make("static-files", flags, ({ directory, ...listen }) =>
  CommandLine.launch(
    "static-files",
    server(directory),
    CommandLine.layerListener(listen, { alpnProtocols: ["h2", "http/1.1"] })
  )
).pipe(Command.withDescription("Serves the files of a directory"), Command.validate(CommandLine.validateListen))
