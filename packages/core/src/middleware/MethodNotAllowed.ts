/**
 * 405 with `Allow` where a path has routes, and none for the request's method;
 * and an answer to `OPTIONS` with the same `Allow`. Effect's router answers
 * both with 404.
 *
 * The router does not tell its routes, so this layer stands between it and
 * them, and remembers what is added. Provide it to all routes at once:
 *
 * ```ts
 * import * as MethodNotAllowed from "@sluice/core/middleware/MethodNotAllowed"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = Layer.mergeAll(
 *   HttpRouter.add("GET", "/items", HttpServerResponse.text("all")),
 *   HttpRouter.add("POST", "/items", HttpServerResponse.empty({ status: 201 }))
 * )
 * const { handler } = HttpRouter.toWebHandler(Routes.pipe(Layer.provide(MethodNotAllowed.layer())))
 * // DELETE /items: 405, Allow: GET, HEAD, POST, OPTIONS
 * ```
 *
 * A request that has a route pays nothing for it. Effect's `cors` answers
 * `OPTIONS` before it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FindMyWay from "effect/http/FindMyWay"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options {
  /** What `HttpRouter.serve` or `toWebHandler` gets as `routerConfig`, so that paths match alike. */
  readonly routerConfig?: Partial<FindMyWay.RouterConfig> | undefined
}

/** @category layers */
export const layer = (
  options?: Options
): Layer.Layer<
  HttpRouter.HttpRouter,
  never,
  HttpRouter.HttpRouter | HttpRouter.Request.From<"GlobalError", RequestRefused.RequestRefused>
> =>
  Layer.effect(HttpRouter.HttpRouter)(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const known = new KnownRoutes(options?.routerConfig ?? (yield* HttpRouter.RouterConfig))
      yield* router.addGlobalMiddleware((app) => Effect.catchCause(app, (cause) => answer(known, cause)))
      return remembering(router, (method, path) => known.add(method, path))
    })
  )

type Answered<E> = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  E | RequestRefused.RequestRefused,
  HttpServerRequest
>

const answer = <E>(known: KnownRoutes, cause: Cause.Cause<E>): Answered<E> => {
  if (!cause.reasons.some(isRouteNotFound)) return Effect.failCause(cause)
  return Effect.flatMapEager(HttpServerRequest, (request): Answered<E> => {
    // A route has it, and its handler has found nothing: a file that does not exist.
    if (known.has(request.method, request.url)) return Effect.failCause(cause)
    const allowed = known.methodsAt(request.url)
    if (allowed.length === 0) return Effect.failCause(cause)
    if (request.method === "OPTIONS") {
      return Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { allow: allowed.join(", ") } }))
    }
    return RequestRefused.fail(new RequestRefused.MethodNotAllowed(request.method, allowed))
  })
}

const isRouteNotFound = (reason: Cause.Reason<unknown>): boolean =>
  Cause.isFailReason(reason) &&
  HttpServerError.isHttpServerError(reason.error) &&
  reason.error.reason._tag === "RouteNotFound"

/** The router, with a note of each route that is added through it. */
const remembering = (
  router: HttpRouter.HttpRouter,
  note: (method: string, path: HttpRouter.PathInput) => void
): HttpRouter.HttpRouter =>
  HttpRouter.HttpRouter.of({
    ...router,
    prefixed: (prefix) =>
      remembering(router.prefixed(prefix), (method, path) =>
        note(method, HttpRouter.prefixPath(path, prefix) as HttpRouter.PathInput)
      ),
    add: (method, path, handler, options) =>
      Effect.suspend(() => {
        note(method, path)
        return router.add(method, path, handler, options)
      }),
    addAll: (routes) =>
      Effect.suspend(() => {
        for (const route of routes) note(route.method, route.path)
        return router.addAll(routes)
      })
  })

class KnownRoutes {
  private readonly paths: FindMyWay.Router<true>
  private readonly methods = new Set<string>()

  constructor(config: Partial<FindMyWay.RouterConfig>) {
    this.paths = FindMyWay.make(config)
  }

  /** As `HttpRouter` registers it: `*` is every method, and a wildcard includes its own folder. */
  add(method: string, path: HttpRouter.PathInput): void {
    const methods = method === "*" ? commonMethods : [method]
    const paths = path.endsWith("/*") ? [path, path.slice(0, -2) as HttpRouter.PathInput] : [path]
    for (const one of methods) {
      this.methods.add(one)
      for (const each of paths) this.paths.on(one, each, true)
    }
  }

  /** Whether a target has a route for the method; GET's is HEAD's too. */
  has(method: string, url: string): boolean {
    if (this.methods.has(method) && this.paths.find(method, url) !== undefined) return true
    return method === "HEAD" && this.has("GET", url)
  }

  /** The methods of a target, with those that are answered for them; empty where it has no route. */
  methodsAt(url: string): ReadonlyArray<string> {
    const found = new Set<string>()
    for (const method of this.methods) {
      if (this.paths.find(method, url) === undefined) continue
      found.add(method)
      if (method === "GET") found.add("HEAD")
    }
    if (found.size > 0) found.add("OPTIONS")
    return [...commonMethods.filter((method) => found.delete(method)), ...found]
  }
}

const commonMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]
