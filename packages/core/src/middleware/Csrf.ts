/**
 * Refuses requests that a page of another origin made a browser send, without
 * tokens: browsers say where a request came from.
 *
 * ```text
 *  GET, HEAD, OPTIONS                       pass: they must not change anything
 *  Sec-Fetch-Site: same-origin, none        pass
 *  Sec-Fetch-Site: anything else            403, unless Origin is trusted
 *  no Sec-Fetch-Site, no Origin             pass: no browser, or an old one on its own origin
 *  no Sec-Fetch-Site, Origin of this host   pass
 *  no Sec-Fetch-Site, another Origin        403, unless it is trusted
 * ```
 *
 * It is the scheme of Go's `http.CrossOriginProtection`. Programs that are no
 * browsers pass: they carry no one else's cookies.
 *
 * ```ts
 * import * as Csrf from "@sluice/core/middleware/Csrf"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const { handler } = HttpRouter.toWebHandler(
 *   Layer.mergeAll(Csrf.layer({ trustedOrigins: ["https://login.example"] }), Routes)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options {
  /** Other origins whose pages may send requests, each as `scheme://host[:port]`. Default none. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
}

/** @category constructors */
export const make = (options?: Options): Middleware<RequestRefused.RequestRefused> => {
  const trusted = new Set((options?.trustedOrigins ?? []).map(validOrigin))
  return <E, R>(app: Effect.Effect<HttpServerResponse, E, R>) =>
    Effect.withFiber((fiber): Effect.Effect<HttpServerResponse, E | RequestRefused.RequestRefused, R> => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      return isSafeMethod(request.method) || isAllowed(request, trusted)
        ? app
        : RequestRefused.fail(new RequestRefused.CrossOrigin(request.headers.origin))
    })
}

/** @category layers */
export const layer = (options?: Options): RouterLayer<RequestRefused.RequestRefused> =>
  HttpRouter.middleware(make(options), { global: true })

const isSafeMethod = (method: string): boolean => method === "GET" || method === "HEAD" || method === "OPTIONS"

const isAllowed = (request: HttpServerRequest, trusted: ReadonlySet<string>): boolean => {
  const { headers } = request
  const site = headers["sec-fetch-site"]
  if (site === "same-origin" || site === "none") return true
  const origin = headers.origin
  if (origin !== undefined && trusted.has(origin)) return true
  if (site !== undefined && site !== "") return false
  return origin === undefined || origin === "" || hostOf(origin) === headers.host
}

/**
 * The host and port of an origin. Its scheme is not compared: behind a proxy
 * ours is not known, and HSTS keeps the http origin from being used.
 */
const hostOf = (origin: string): string | undefined => {
  const slashes = origin.indexOf("://")
  return slashes === -1 ? undefined : origin.slice(slashes + 3)
}

const validOrigin = (origin: string): string => {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin
  throw new RangeError(`trustedOrigins must be like https://host[:port], in lower case, but one is ${origin}`)
}
