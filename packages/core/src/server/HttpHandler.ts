/**
 * Runs an Effect HTTP application for each exchange, on a fiber of its own.
 *
 * Most fibers have ended when the call that began them returns: nothing is
 * kept of them then. The others can be interrupted, whether a router is there
 * or not; a route that says `uninterruptible` is left alone.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpMiddleware } from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import { ClientAbort } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type { Serving } from "../session/HttpEnvironment.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"
import * as FlatContext from "./FlatContext.ts"
import { HttpRequest } from "./HttpRequest.ts"
import * as HttpResponder from "./HttpResponder.ts"

/** What a server serves with. @category models */
export type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  unknown,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

/** @category options */
export interface Options {
  readonly middleware: HttpMiddleware | undefined
  /** The most that a body has which is read whole; `Infinity` for no limit. */
  readonly maxBodyBytes: number
  /** What each request finds where whoever serves says nothing else. */
  readonly defaults: Context.Context<never>
  /** What each request finds beside the services of whoever serves. */
  readonly services: Context.Context<never>
}

/** @category constructors */
export const make = (app: App, options: Options): Effect.Effect<(exchange: HttpExchange) => Serving | undefined> =>
  Effect.withFiber((parent) => {
    const { maxBodyBytes, middleware } = options
    const handled = HttpEffect.toHandled(Effect.interruptible(app), HttpResponder.send, middleware)
    const base = FlatContext.make(Context.mergeAll(options.defaults, parent.context, options.services))
    // A logging middleware and a reporter tell of failures themselves.
    const silent = middleware !== undefined || Context.get(base, ErrorReporter.CurrentErrorReporters).size > 0
    return Effect.succeed((exchange) => {
      const request = new HttpRequest(exchange, maxBodyBytes)
      const context = Context.add(base, HttpServerRequest.HttpServerRequest, request)
      const fiber = Effect.runForkWith(context)(handled)
      const exit = fiber.pollUnsafe()
      if (exit === undefined) {
        if (!silent) fiber.addObserver((exit) => report(base, request, exit))
        return new FiberServing(fiber, parent.id)
      }
      if (!silent && exit._tag === "Failure") report(base, request, exit)
      return undefined
    })
  })

class FiberServing implements Serving {
  private readonly fiber: Fiber.Fiber<void>
  private readonly parentId: number

  constructor(fiber: Fiber.Fiber<void>, parentId: number) {
    this.fiber = fiber
    this.parentId = parentId
  }

  observe(ended: () => void): void {
    this.fiber.addObserver(ended)
  }

  interrupt(by: "peer" | "server"): void {
    const route = Context.getOrUndefined(this.fiber.context, HttpRouter.RouteContext)
    if (route?.route.uninterruptible === true) return
    this.fiber.interruptUnsafe(this.parentId, by === "peer" ? ClientAbort.annotation : undefined)
  }
}

/** A failure that the client was told of as 5xx is ours, and would leave no trace otherwise. */
const report = (
  context: Context.Context<never>,
  request: HttpServerRequest.HttpServerRequest,
  exit: Exit.Exit<unknown, unknown>
): void => {
  if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return
  const failures: Array<Cause.Reason<unknown>> = []
  for (const reason of exit.cause.reasons) {
    if (reason._tag === "Die" && HttpServerResponse.isHttpServerResponse(reason.defect)) {
      if (reason.defect.status < 500) return
    } else if (reason._tag !== "Interrupt" && !isIgnored(reason._tag === "Fail" ? reason.error : reason.defect)) {
      failures.push(reason)
    }
  }
  if (failures.length === 0) return
  Effect.runForkWith(context)(
    Effect.logError("Unhandled error in an HTTP handler", Cause.fromReasons(failures)).pipe(
      Effect.annotateLogs({ method: request.method, url: request.url })
    )
  )
}

const isIgnored = (failure: unknown): boolean =>
  typeof failure === "object" && failure !== null && ErrorReporter.isIgnored(failure)
