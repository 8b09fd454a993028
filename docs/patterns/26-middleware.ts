import {
  AccessLog,
  BearerAuth,
  BodyLimit,
  ConstantTime,
  DynamicEtag,
  HttpMetrics,
  MethodNotAllowed,
  Problem,
  RequestConcurrency,
  RequestId,
  RequestRate,
  RequestTimeout,
  SecurityHeaders
} from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Config, Context, Effect, Layer, Option } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"

export class User extends Context.Service<User, { readonly name: string }>()("User") {}

/** Routes behind it know who asks; without it they do not compile. */
const Authenticated = HttpRouter.middleware<{ provides: User }>()(
  Effect.map(Config.Redacted("API_TOKEN"), (secret) =>
    BearerAuth.make(User, {
      verify: (token) =>
        Effect.succeed(ConstantTime.matches(token, secret) ? Option.some({ name: "ada" }) : Option.none())
    })
  )
)

const Private = HttpRouter.add(
  "GET",
  "/me",
  Effect.map(User, ({ name }) => HttpServerResponse.jsonUnsafe({ name }))
).pipe(Layer.provide(Authenticated.layer))

const Public = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("hello world ".repeat(200))),
  HttpRouter.add("POST", "/upload", (request) =>
    Effect.map(request.text, (text) => HttpServerResponse.text(`${text.length}`))
  ),
  HttpRouter.add("GET", "/slow", Effect.never)
)

/** The first is the outermost. */
export const Middleware = Layer.mergeAll(
  RequestId.layer(),
  SecurityHeaders.layer(),
  HttpRouter.cors({ allowedOrigins: ["https://app.example"] }),
  Problem.layer,
  DynamicEtag.layer(),
  HttpRouter.middleware(HttpMiddleware.compression(), { global: true }),
  RequestRate.layer({ limit: 100, window: "1 minute" }),
  RequestConcurrency.layer({ maxConcurrent: 200 }),
  RequestTimeout.layer({ timeout: "10 seconds" }),
  BodyLimit.layer({ maxBody: "64 KiB" })
)

export const App = Layer.mergeAll(Middleware, Public, Private).pipe(Layer.provide(MethodNotAllowed.layer()))

/** Of the server, below the router: they hear also of requests that no route has. */
export const observers = [AccessLog.make(), HttpMetrics.make]

const Main = HttpRouter.serve(App, { disableLogger: true }).pipe(
  Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000, observers }))
)

if (import.meta.main) NodeMain.run(Main)
