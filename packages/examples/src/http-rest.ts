/**
 * A REST API by Effect's `HttpApi`: schemas decode requests and encode
 * responses, errors are typed, and the OpenAPI document at `/openapi.json` and
 * the page at `/docs` are made of the same description. The page carries its
 * scripts with it, so it works without the internet.
 */
import * as WebServer from "@sluice/core/server/WebServer"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSwagger from "effect/http-api/HttpApiSwagger"
import * as Layer from "effect/Layer"
import * as CommandLine from "./command-line.ts"
import { Api } from "./http-rest/api.ts"
import * as Users from "./http-rest/users.ts"
import * as UsersSqlite from "./http-rest/users-sqlite.ts"

const handlers = HttpApiBuilder.group(Api, "users", (handlers) =>
  Effect.map(Users.Users, (users) =>
    handlers.handleAll({
      list: ({ query }) => users.list(query),
      get: ({ params }) => users.get(params.id),
      create: ({ payload }) => users.create(payload),
      update: ({ params, payload }) => users.update(params.id, payload),
      remove: ({ params }) => users.remove(params.id)
    })
  )
)

export const routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide(handlers),
    Layer.provide(HttpApiMiddleware.layerProblemDetails({ includeDetails: true }))
  ),
  HttpApiSwagger.layer(Api, { path: "/docs" })
)

export const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(WebServer.layer()),
  Layer.provide(NodeWebServer.layerServices)
)

const flags = {
  ...CommandLine.listenFlags(4007),
  db: Flag.String("db").pipe(
    Flag.withDescription("SQLite file that keeps the users; in memory unless given"),
    Flag.withMetavar("file"),
    Flag.withDefault("memory")
  )
}

export const command = Command.make("http-rest", flags, ({ db, ...listen }) =>
  CommandLine.launch(
    "http-rest",
    server.pipe(Layer.provide(db === "memory" ? Users.layerMemory : UsersSqlite.layer(db))),
    CommandLine.layerListener(listen, { alpnProtocols: ["h2", "http/1.1"] })
  )
).pipe(
  Command.withDescription("A REST API of users with OpenAPI: see /docs"),
  Command.validate(CommandLine.validateListen)
)
