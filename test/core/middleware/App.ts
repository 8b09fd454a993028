/**
 * A router with layers under test, asked through Fetch requests in memory, on
 * the clock of the test. `x-client` is the address that a request comes from.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpMiddleware } from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Layer from "effect/Layer"
import * as LayerModule from "effect/Layer"
import * as Option from "effect/Option"

export type Send = (path: string, init?: RequestInit) => Effect.Effect<Response>

/** Builds the layers on a router, and gives the way to ask it. `middleware` is the one around the sending. */
export const serve = <A, E, R>(
  layer: Layer.Layer<A, E, R>,
  middleware?: HttpMiddleware
): Effect.Effect<Send, never, Exclude<HttpRouter.Request.Without<R>, HttpRouter.HttpRouter>> =>
  Effect.gen(function* () {
    const app = yield* HttpRouter.toHttpEffect(LayerModule.mergeAll(addressed, layer))
    const handler = HttpEffect.toWebHandlerWith(yield* Effect.context())(app as never, middleware)
    return (path: string, init?: RequestInit) =>
      Effect.promise(() =>
        handler(new Request(path.startsWith("/") ? `http://host.test${path}` : path, init), Context.empty())
      )
  }) as never

/** The body as text. */
export const textOf = (response: Response): Effect.Effect<string> => Effect.promise(() => response.text())

const addressed = HttpRouter.use((router) =>
  router.addGlobalMiddleware((app) =>
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const address = request.headers["x-client"]
      return address === undefined
        ? app
        : Effect.provideService(app, HttpServerRequest, request.modify({ remoteAddress: Option.some(address) }))
    })
  )
)
