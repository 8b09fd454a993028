/**
 * The shape of a middleware, and of the layer that puts it on a whole router.
 *
 * A middleware is a function from one HTTP app to another, as Effect's
 * `HttpMiddleware`. Each module of this folder has it as `make` (plain, or as
 * an effect where it has state) and as `layer`. On single routes it is used
 * through Effect's own `HttpRouter.middleware`:
 *
 * ```ts
 * import * as RequestTimeout from "@sluice/core/middleware/RequestTimeout"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Quick = HttpRouter.middleware(RequestTimeout.make({ timeout: "2 seconds" }))
 * const Routes = HttpRouter.add("GET", "/quick", HttpServerResponse.text("quick")).pipe(Layer.provide(Quick.layer))
 * ```
 *
 * The first of a list is the outermost. Those that change responses do so
 * right before sending, so that they also see the answers to failures.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"

/**
 * Wraps an app. It may fail with `Adds`, and needs `Needs`.
 *
 * @category models
 */
export type Middleware<Adds = never, Needs = never> = <E, R>(
  app: Effect.Effect<HttpServerResponse, E, R>
) => Effect.Effect<HttpServerResponse, E | Adds, R | Needs | HttpServerRequest>

/**
 * The middleware for every route of a router, and for paths without a route.
 *
 * @category models
 */
export type RouterLayer<Adds = never, Needs = never> = Layer.Layer<
  never,
  never,
  | HttpRouter.HttpRouter
  | HttpRouter.Request.From<"GlobalError", Adds>
  | HttpRouter.Request.From<"GlobalRequires", Exclude<Needs, HttpRouter.GlobalProvided>>
>
