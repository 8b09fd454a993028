/**
 * A limit for the requests that are handled at a time, which sheds load.
 *
 * Beyond `maxConcurrent`, requests wait in order for a place; beyond
 * `maxWaiting`, or after `maxWait`, they get 503 with `Retry-After`. A server
 * that answers some and refuses the rest at once stays useful; one that takes
 * all of them answers nobody in time.
 *
 * A request has its place until its handler has a response. What streams after
 * it counts as a connection or a stream, which have limits of their own. The
 * handler of a WebSocket has its place until the WebSocket ends: put those on
 * routes without this middleware.
 *
 * ```ts
 * import * as RequestConcurrency from "@sluice/core/middleware/RequestConcurrency"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const { handler } = HttpRouter.toWebHandler(
 *   Layer.mergeAll(RequestConcurrency.layer({ maxConcurrent: 200, maxWait: "500 millis" }), Routes)
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Limit from "../protocol/Limit.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options {
  /** Requests that are handled at a time; at least 1. Default 1,000. */
  readonly maxConcurrent?: number | undefined
  /** Requests that may wait for a place; at least 0. Default 1,000. */
  readonly maxWaiting?: number | undefined
  /** How long a request may wait; above 0. Default 1 second. */
  readonly maxWait?: Duration.Input | undefined
  /** What a refused client is told in `Retry-After`, rounded up to seconds. Default 1 second. */
  readonly retryAfter?: Duration.Input | undefined
}

/**
 * What is made once has its places once, on however many routes it is used.
 *
 * @category constructors
 */
export const make = (options?: Options): Middleware<RequestRefused.RequestRefused> => {
  const maxConcurrent = Limit.count("maxConcurrent", options?.maxConcurrent ?? 1000)
  const retryAfterMillis = Limit.millis("retryAfter", options?.retryAfter ?? "1 second")
  const places = new Places(
    maxConcurrent,
    Limit.count("maxWaiting", options?.maxWaiting ?? 1000, 0),
    Limit.millis("maxWait", options?.maxWait ?? "1 second"),
    RequestRefused.fail(
      new RequestRefused.Overloaded(maxConcurrent, RequestRefused.retryAfterSeconds(retryAfterMillis))
    )
  )
  return (app) => places.around(app)
}

/** @category layers */
export const layer = (options?: Options): RouterLayer<RequestRefused.RequestRefused> =>
  HttpRouter.use((router) => router.addGlobalMiddleware(make(options)))

/** A request's claim. Whoever gives it a place does so here, so that it is given back however the request ends. */
interface Claim {
  state: "None" | "Waiting" | "Held"
  granted: () => void
}

const nothing = (): void => {}

type Refusal = Effect.Effect<never, RequestRefused.RequestRefused>

class Places {
  private readonly maxConcurrent: number
  private readonly maxWaiting: number
  private readonly maxWaitMillis: number
  /** Made once: to refuse must cost next to nothing. */
  private readonly overloaded: Refusal
  private taken = 0
  private readonly waiting = new Set<Claim>()

  constructor(maxConcurrent: number, maxWaiting: number, maxWaitMillis: number, overloaded: Refusal) {
    this.maxConcurrent = maxConcurrent
    this.maxWaiting = maxWaiting
    this.maxWaitMillis = maxWaitMillis
    this.overloaded = overloaded
  }

  around<A, E, R>(app: Effect.Effect<A, E, R>): Effect.Effect<A, E | RequestRefused.RequestRefused, R> {
    return Effect.suspend(() => {
      const claim: Claim = { state: "None", granted: nothing }
      // The finalizer is there before the claim is made: an interrupt between the two loses no place.
      return Effect.onExitPrimitive(
        Effect.suspend((): Effect.Effect<A, E | RequestRefused.RequestRefused, R> => {
          if (this.taken < this.maxConcurrent) {
            this.taken++
            claim.state = "Held"
            return app
          }
          if (this.waiting.size >= this.maxWaiting) return this.overloaded
          return Effect.andThen(this.wait(claim), app)
        }),
        () => {
          this.end(claim)
          return undefined
        }
      )
    })
  }

  /** Waits interruptibly: a client that went away leaves the line. */
  private wait(claim: Claim): Effect.Effect<void, RequestRefused.RequestRefused> {
    const granted = Effect.callback<void>((resume) => {
      claim.state = "Waiting"
      claim.granted = () => resume(Effect.void)
      this.waiting.add(claim)
    })
    return Effect.interruptible(
      Effect.timeoutOrElse(granted, {
        duration: this.maxWaitMillis,
        orElse: () => this.overloaded
      })
    )
  }

  private end(claim: Claim): void {
    if (claim.state === "Waiting") this.waiting.delete(claim)
    if (claim.state !== "Held") return
    for (const next of this.waiting) {
      this.waiting.delete(next)
      next.state = "Held"
      next.granted()
      return
    }
    this.taken--
  }
}
