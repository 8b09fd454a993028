/**
 * A limit for the bodies of requests.
 *
 * A body that says a greater length is refused with 413 before its handler
 * runs, and before it is read. One that does not say its length is cut where
 * it passes the limit, however it is read: the read fails with Effect's own
 * `RequestParseError` (`BodyTooLarge`), which is answered with 413 too.
 *
 * Where a router and a route both have a limit, the smaller one holds: give
 * the router the greatest, and routes their own.
 *
 * ```ts
 * import * as BodyLimit from "@sluice/core/middleware/BodyLimit"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const login = HttpServerResponse.text("welcome")
 * const Small = HttpRouter.middleware(BodyLimit.make({ maxBody: "4 KiB" }))
 * const Routes = HttpRouter.add("POST", "/login", login).pipe(Layer.provide(Small.layer))
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(BodyLimit.layer({ maxBody: "1 MiB" }), Routes))
 * ```
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as Limit from "../protocol/Limit.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options {
  /** The greatest body; at least 1 byte. Default 2 MiB. */
  readonly maxBody?: ByteSize.Input | undefined
}

/** @category constructors */
export const make = (options?: Options): Middleware<RequestRefused.RequestRefused> => {
  const limitBytes = Limit.bytes("maxBody", options?.maxBody, defaultBytes)
  const limit = ByteSize.bytes(limitBytes)
  return <E, R>(app: Effect.Effect<HttpServerResponse, E, R>) =>
    Effect.withFiber((fiber): Refusable<E, R> => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const declared = request.headers["content-length"]
      const declaredBytes = Number(declared ?? 0)
      if (declaredBytes > limitBytes) {
        return RequestRefused.fail(new RequestRefused.BodyTooLarge(limitBytes, declaredBytes))
      }
      const outer = fiber.getRef(HttpIncomingMessage.MaxBodySize)
      const bounded =
        outer === undefined || outer > limit ? Effect.provideService(app, HttpIncomingMessage.MaxBodySize, limit) : app
      return declared === undefined && mayHaveBody(request)
        ? Effect.provideService(bounded, HttpServerRequest, limited(request, limit))
        : bounded
    })
}

/** @category layers */
export const layer = (options?: Options): RouterLayer<RequestRefused.RequestRefused> =>
  HttpRouter.middleware(make(options), { global: true })

type Refusable<E, R> = Effect.Effect<HttpServerResponse, E | RequestRefused.RequestRefused, R>

const defaultBytes = 2 * 1024 * 1024

/** In HTTP/1.1 a body without a length is chunked; in HTTP/2 nothing announces it. */
const mayHaveBody = (request: HttpServerRequest): boolean =>
  (request.method !== "GET" && request.method !== "HEAD") || request.headers["transfer-encoding"] !== undefined

/**
 * The request, with a limit for `stream`; all other ways to read it follow
 * `MaxBodySize`. A proxy, because requests are of several classes, each with
 * members of its own beside the interface.
 */
const limited = (request: HttpServerRequest, limit: ByteSize.ByteSize): HttpServerRequest =>
  new Proxy(request, {
    get: (target, key) => {
      if (key === "stream") return Stream.limitBytes(target.stream, limit, () => Stream.fail(tooLarge(target)))
      if (key === "modify") {
        return (changes: Parameters<HttpServerRequest["modify"]>[0]) => limited(target.modify(changes), limit)
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === "function" ? value.bind(target) : value
    }
  })

const tooLarge = (request: HttpServerRequest): HttpServerError.HttpServerError =>
  new HttpServerError.HttpServerError({
    reason: new HttpServerError.RequestParseError({ request, reason: "BodyTooLarge" })
  })
