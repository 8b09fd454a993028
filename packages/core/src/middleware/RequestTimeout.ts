/**
 * A limit for the time of a handler. Beyond it the handler is interrupted, and
 * the client gets 503.
 *
 * Why 503: the server was too slow, not the client. 408 would blame the client
 * (RFC 9110 §15.5.9), and some send the request again by themselves when they
 * read it. 504 is for a server that waited for another one; a gateway can
 * choose it. There is no `Retry-After` unless one is given: what the handler
 * did before it was cut is not undone, and not every request can be repeated.
 *
 * The time is that until the handler has a response. A body that streams after
 * it has the server's limits for stalls, and a WebSocket its own. Routes that are `uninterruptible` are
 * waited for, and then answered with the same 503.
 *
 * A handler that ends without waiting for anything arms no timer.
 *
 * ```ts
 * import * as RequestTimeout from "@sluice/core/middleware/RequestTimeout"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 *
 * const Routes = HttpRouter.add("GET", "/never", Effect.never)
 * const { handler } = HttpRouter.toWebHandler(
 *   Layer.mergeAll(RequestTimeout.layer({ timeout: "5 seconds" }), Routes)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Limit from "../protocol/Limit.ts"
import { isHttpExchange } from "../session/HttpExchange.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options {
  /** The time of a handler; above 0. Default 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** The answer. Default 503; 504 for a gateway. */
  readonly status?: 503 | 504 | undefined
  /** The value of `Retry-After`, rounded up to seconds. Default: the field is not sent. */
  readonly retryAfter?: Duration.Input | undefined
}

/** @category constructors */
export const make = (options?: Options): Middleware<RequestRefused.RequestRefused> => {
  const limitMillis = Limit.millis("timeout", options?.timeout ?? "30 seconds")
  const headers: Record<string, string> = {}
  if (options?.retryAfter !== undefined) {
    headers["retry-after"] = String(RequestRefused.retryAfterSeconds(Limit.millis("retryAfter", options.retryAfter)))
  }
  const timedOut = RequestRefused.fail(new RequestRefused.TimedOut(limitMillis, options?.status ?? 503, headers))
  return (app) =>
    Effect.flatMap(
      // "inherit": the router makes a route interruptible by itself, or leaves it as it is.
      Effect.forkChild(app, { startImmediately: true, uninterruptible: "inherit" }),
      (handler) => handler.pollUnsafe() ?? Effect.interruptible(withTimer(handler, limitMillis, timedOut))
    )
}

/** @category layers */
export const layer = (options?: Options): RouterLayer<RequestRefused.RequestRefused> =>
  HttpRouter.middleware(make(options), { global: true })

/** What became a WebSocket or another protocol is answered: it may take as long as it likes. */
const isUpgraded = (context: Context.Context<never>): boolean => {
  const source = Context.getOrUndefined(context, HttpServerRequest)?.source
  return isHttpExchange(source) && source.phase === "upgraded"
}

/** Waits for the handler or the timer. When the client goes away first, the handler is interrupted. */
const withTimer = <E>(
  handler: Fiber.Fiber<HttpServerResponse, E>,
  limitMillis: number,
  timedOut: Effect.Effect<never, RequestRefused.RequestRefused>
): Effect.Effect<HttpServerResponse, E | RequestRefused.RequestRefused> =>
  Effect.withFiber((fiber) =>
    Effect.callback<HttpServerResponse, E | RequestRefused.RequestRefused>((resume) => {
      const timer = Effect.runForkWith(fiber.context)(Effect.sleep(limitMillis))
      timer.addObserver((exit) => {
        if (exit._tag === "Success" && !isUpgraded(fiber.context)) {
          resume(Effect.andThen(Fiber.interrupt(handler), timedOut))
        }
      })
      handler.addObserver((exit) => {
        timer.interruptUnsafe()
        resume(exit)
      })
      return Effect.suspend(() => {
        timer.interruptUnsafe()
        return Fiber.interrupt(handler)
      })
    })
  )
