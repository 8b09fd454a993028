/**
 * A name for each request: in its logs, in its response, and for its handler.
 *
 * A client or proxy may bring one; what does not look like an id is replaced,
 * so that nobody writes into our logs. Others are numbered, after a word that
 * is drawn once for each middleware: unique, and not a secret.
 *
 * Put it first in the list: the access log and all later middleware then know
 * the id.
 *
 * ```ts
 * import * as RequestId from "@sluice/core/middleware/RequestId"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", Effect.map(RequestId.CurrentRequestId, HttpServerResponse.text))
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(RequestId.layer(), Routes))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as HttpField from "../protocol/http/HttpField.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"

/** The id of the current request; empty where the middleware is missing. @category references */
export const CurrentRequestId: Context.Reference<string> = Context.Reference<string>(
  "@sluice/core/middleware/RequestId/CurrentRequestId",
  { defaultValue: () => "" }
)

/** @category options */
export interface Options {
  /** The field of requests and responses. Default `x-request-id`. */
  readonly header?: string | undefined
  /** Whether an id that a request brings is kept, if it is valid. Default `"accept"`. */
  readonly incoming?: "accept" | "ignore" | undefined
  /** The name among the annotations of logs. Default `http.request_id`. */
  readonly annotation?: string | undefined
}

/** @category constructors */
export const make = (options?: Options): Middleware => {
  const header = (options?.header ?? "x-request-id").toLowerCase()
  if (!HttpField.isName(header)) throw new RangeError(`header must be a field's name, but is ${header}`)
  const annotation = options?.annotation ?? "http.request_id"
  const accepts = options?.incoming !== "ignore"
  let start: string | undefined
  let count = 0
  const next = (random: () => Random.Random): string => {
    start ??= word(random())
    return `${start}-${(++count).toString(36)}`
  }
  return (app) =>
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const brought = accepts ? request.headers[header] : undefined
      const id = brought !== undefined && isValid(brought) ? brought : next(() => fiber.getRef(Random.Random))
      // The server restores the context when the request is over. Until then also the access log finds the id.
      fiber.setContext(
        Context.add(Context.add(fiber.context, CurrentRequestId, id), References.CurrentLogAnnotations, {
          ...fiber.getRef(References.CurrentLogAnnotations),
          [annotation]: id
        })
      )
      HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, header, id))
      )
      return app
    })
}

/** @category layers */
export const layer = (options?: Options): RouterLayer => HttpRouter.middleware(make(options), { global: true })

/**
 * Whether `id` is one to keep: 1 to 128 letters, digits, `.`, `_` and `-`.
 *
 * @category guards
 */
export const isValid = (id: string): boolean => /^[A-Za-z0-9._-]{1,128}$/.test(id)

/** 64 random bits. */
const word = (random: Random.Random): string => half(random) + half(random)

const half = (random: Random.Random): string =>
  Math.floor(random.nextDoubleUnsafe() * 2 ** 32)
    .toString(16)
    .padStart(8, "0")
