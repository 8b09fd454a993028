/**
 * A limit for the requests of one client: a token bucket for each address.
 *
 * A client may send `limit` requests at once, and regains them evenly over
 * `window`. Beyond that it gets 429 with `Retry-After`. All responses carry
 * `RateLimit-Limit`, `-Remaining`, `-Reset` and `-Policy` (the fields that
 * Effect's `HttpClient.withRateLimiter` reads), so that clients can slow down
 * before.
 *
 * Buckets are kept in bounded memory. Several processes share theirs through
 * Effect's `RateLimiter`, for instance with its Redis store:
 *
 * ```ts
 * import * as RequestRate from "@sluice/core/middleware/RequestRate"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { RateLimiter } from "effect/persistence/RateLimiter"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const Local = RequestRate.layer({ limit: 100, window: "1 minute" })
 *
 * const Shared = HttpRouter.use((router) =>
 *   Effect.flatMap(RateLimiter, (limiter) =>
 *     router.addGlobalMiddleware(
 *       RequestRate.make({ limit: 100, window: "1 minute", store: RequestRate.fromRateLimiter(limiter) })
 *     )
 *   )
 * )
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(Local, Routes))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as RateLimiter from "effect/persistence/RateLimiter"
import * as Limit from "../protocol/Limit.ts"
import type { Taken } from "../service/RateBuckets.ts"
import * as RateStore from "../service/RateStore.ts"
import * as ClientAddress from "./ClientAddress.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** The bucket that a request takes a token from. @category models */
export type Bucket = RateStore.Bucket

/**
 * Where buckets are kept. A failure is no verdict: see `onStoreFailure`.
 *
 * @category models
 */
export type Store = RateStore.RateStore<unknown>

/** @category options */
export interface Options {
  /** Requests that a client may send at once, and in each `window`; at least 1. */
  readonly limit: number
  /** The time in which a client regains `limit` requests; above 0. */
  readonly window: Duration.Input
  /**
   * Whom a request counts for; `undefined` is not counted. Default: the
   * client's address, IPv6 by its /64. Behind a proxy, apply Effect's
   * `HttpMiddleware.xForwardedHeaders` first.
   */
  readonly key?: ((request: HttpServerRequest) => string | undefined) | undefined
  /** Default: in memory, for up to 65,536 keys (about 8 MiB). */
  readonly store?: Store | undefined
  /** What happens to requests while the store fails. Default `"allow"`; the first failure is logged. */
  readonly onStoreFailure?: "allow" | "refuse" | undefined
  /** Which responses carry `RateLimit-…`. Default `"always"`. */
  readonly fields?: "always" | "on refusal" | undefined
}

/**
 * What is made once has its buckets once, on however many routes it is used.
 *
 * @category constructors
 */
export const make = (options: Options): Middleware<RequestRefused.RequestRefused> => {
  const limit = Limit.count("limit", options.limit)
  const windowMillis = Limit.millis("window", options.window)
  const keyOf = options.key ?? ClientAddress.keyOf
  const take = guarded(options.store ?? makeMemoryStore(), options.onStoreFailure ?? "allow")
  const fields = fieldsOf(limit, windowMillis)
  const always = options.fields !== "on refusal"
  return <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.withFiber((fiber): Refusable<E, R> => {
      const key = keyOf(Context.getUnsafe(fiber.context, HttpServerRequest))
      if (key === undefined) return app
      const nowMillis = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      return Effect.flatMapEager(take({ key, limit, windowMillis, nowMillis }), (taken): Refusable<E, R> => {
        if (!taken.allowed) {
          const seconds = RequestRefused.retryAfterSeconds(taken.retryAfterMillis)
          return RequestRefused.fail(new RequestRefused.TooManyRequests(seconds, fields(taken)))
        }
        if (always) {
          HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_, response) =>
            Effect.succeed(HttpServerResponse.setHeaders(response, fields(taken)))
          )
        }
        return app
      })
    })
}

/** @category layers */
export const layer = (options: Options): RouterLayer<RequestRefused.RequestRefused> =>
  HttpRouter.use((router) => router.addGlobalMiddleware(make(options)))

/**
 * Buckets in memory, for up to `maxKeys` keys; those that were not used for
 * longest are forgotten first. At least 2; default 65,536.
 *
 * @category constructors
 */
export const makeMemoryStore = (options?: { readonly maxKeys?: number | undefined }): Store =>
  RateStore.makeMemory(options)

/**
 * The buckets of Effect's `RateLimiter`. `prefix` keeps them apart from other
 * users of the same store; default `http:`.
 *
 * @category constructors
 */
export const fromRateLimiter = (
  limiter: RateLimiter.RateLimiter,
  options?: { readonly prefix?: string | undefined }
): Store => RateStore.fromRateLimiter(limiter, { prefix: options?.prefix ?? "http:" })

type Refusable<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E | RequestRefused.RequestRefused, R>

/** The store, with a verdict while it fails. Only the first failure in a row is logged. */
const guarded = (store: Store, choice: "allow" | "refuse"): ((bucket: Bucket) => Effect.Effect<Taken>) => {
  let failing = false
  return (bucket) =>
    Effect.matchCauseEffectEager(store.take(bucket), {
      onSuccess: (taken) => {
        failing = false
        return Effect.succeed(taken)
      },
      onFailure: (cause) => {
        const allowed = choice === "allow"
        const verdict = { allowed, remaining: allowed ? bucket.limit : 0, resetMillis: 0, retryAfterMillis: 1000 }
        if (failing) return Effect.succeed(verdict)
        failing = true
        return Effect.as(Effect.logWarning(`rate limits cannot be kept (${choice} all)`, cause), verdict)
      }
    })
}

/** draft-ietf-httpapi-ratelimit-headers-06, which clients read; later drafts have other fields. */
const fieldsOf = (limit: number, windowMillis: number) => {
  const policy = `${limit};w=${Math.ceil(windowMillis / 1000)}`
  const most = String(limit)
  return (taken: Taken): Record<string, string> => ({
    "ratelimit-limit": most,
    "ratelimit-remaining": String(taken.remaining),
    "ratelimit-reset": String(Math.ceil(taken.resetMillis / 1000)),
    "ratelimit-policy": policy
  })
}
