/**
 * A body for failures that have none: `application/problem+json` (RFC 9457).
 *
 * Effect answers failures with a status and an empty body; so do the refusals
 * of this folder. With this layer such a response gets a problem of type
 * `about:blank`: its status, the status's title, and the request's id where
 * `RequestId` is in the list. Bodies that a program made itself stay. For
 * problems of one's own, use Effect's `ProblemDetails.toResponse`; a typed API
 * has `HttpApiMiddleware.ProblemDetails`.
 *
 * ```ts
 * import * as Problem from "@sluice/core/middleware/Problem"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(Problem.layer, Routes))
 * // GET /nowhere: 404, {"type":"about:blank","status":404,"title":"Not Found"}
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemDetails from "effect/http/ProblemDetails"
import * as HttpMessage from "../protocol/http/HttpMessage.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestId from "./RequestId.ts"

/** @category constructors */
export const make: Middleware = (app) =>
  Effect.withFiber((fiber) => {
    HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, describe)
    return app
  })

/** @category layers */
export const layer: RouterLayer = HttpRouter.middleware(make, { global: true })

const describe: HttpEffect.PreResponseHandler = (_, response) => {
  if (response.status < 400 || response.body._tag !== "Empty") return Effect.succeed(response)
  return Effect.withFiber((fiber) => {
    const { status } = response
    const title = HttpMessage.reasonPhrase(status)
    const requestId = fiber.getRef(RequestId.CurrentRequestId)
    const problem = {
      type: ProblemDetails.blankType,
      status,
      ...(title === "" ? {} : { title }),
      ...(requestId === "" ? {} : { requestId })
    }
    const body = HttpBody.text(JSON.stringify(problem), ProblemDetails.contentType)
    return Effect.succeed(HttpServerResponse.setBody(response, body))
  })
}
