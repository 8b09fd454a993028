/**
 * Two routes for whoever runs the server: is the process alive, and may it get
 * requests?
 *
 * ```text
 *  GET /health/live     200 while the process answers at all: restart it when it does not
 *  GET /health/ready    200, or 503 while it drains or a check fails: send requests elsewhere
 * ```
 *
 * Checks run at the same time, each with a time limit, and their results are
 * kept for a moment: however often it is asked, a database is pinged once a
 * second. Bodies name the checks and not their errors, which are logged when
 * the state of a check changes. Probes are not in the access log.
 *
 * The drain is that of the server which answers. Probes on a server of their
 * own see the other one's by a check: `Effect.map(server.isDraining, (is) => !is)`.
 *
 * ```ts
 * import * as Health from "@sluice/core/middleware/Health"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const pingDatabase = Effect.sleep("5 millis")
 * const Probes = Health.layer({ checks: { database: pingDatabase, queue: Effect.succeed(true) } })
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(Probes, Routes))
 * // GET /health/ready: {"status":"ready","checks":{"database":"pass","queue":"pass"}}
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Limit from "../protocol/Limit.ts"
import { Draining } from "../server/Draining.ts"

/**
 * Passes when it succeeds with anything but `false`.
 *
 * @category models
 */
export type Check<R = never> = Effect.Effect<unknown, unknown, R>

/** @category options */
export interface Options<R = never> {
  /** What the server cannot do without, by the name that the body shows. Default none. */
  readonly checks?: Readonly<Record<string, Check<R>>> | undefined
  /** The time of one check, after which it fails; above 0. Default 2 seconds. */
  readonly checkTimeout?: Duration.Input | undefined
  /** How long results are kept; above 0. Default 1 second. */
  readonly cacheFor?: Duration.Input | undefined
  /** Default `/health/live`. */
  readonly livePath?: HttpRouter.PathInput | undefined
  /** Default `/health/ready`. */
  readonly readyPath?: HttpRouter.PathInput | undefined
}

/** @category layers */
export const layer = <R = never>(options?: Options<R>): Layer.Layer<never, never, HttpRouter.HttpRouter | R> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const results = yield* resultsOf(options ?? {}, yield* Effect.context<R>())
      yield* router.addAll([
        HttpRouter.route("GET", options?.livePath ?? "/health/live", HttpMiddleware.withLoggerDisabled(live)),
        HttpRouter.route(
          "GET",
          options?.readyPath ?? "/health/ready",
          HttpMiddleware.withLoggerDisabled(ready(results))
        )
      ])
    })
  )

type State = "pass" | "fail"

const headers = { "cache-control": "no-store" }

const live = Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "live" }, { headers }))

const draining = Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "draining" }, { status: 503, headers }))

const ready = (results: Effect.Effect<Readonly<Record<string, State>>>) =>
  Effect.withFiber<HttpServerResponse.HttpServerResponse>((fiber) => {
    if (Context.get(fiber.context, Draining).isDraining()) return draining
    return Effect.map(results, (checks) => {
      const passed = Object.values(checks).every((state) => state === "pass")
      return HttpServerResponse.jsonUnsafe(
        { status: passed ? "ready" : "not ready", checks },
        { status: passed ? 200 : 503, headers }
      )
    })
  })

/** The states of all checks; one run at a time, however many ask. */
const resultsOf = <R>(options: Options<R>, context: Context.Context<R>) => {
  const timeoutMillis = Limit.millis("checkTimeout", options.checkTimeout ?? "2 seconds")
  const cacheMillis = Limit.millis("cacheFor", options.cacheFor ?? "1 second")
  const watched = Object.entries(options.checks ?? {}).map(([name, check]) =>
    Effect.map(watch(name, Effect.timeout(check, timeoutMillis)), (state) => [name, state] as const)
  )
  return Effect.all(watched, { concurrency: "unbounded" }).pipe(
    Effect.map((states): Readonly<Record<string, State>> => Object.fromEntries(states)),
    Effect.provideContext(context),
    Effect.cachedWithTTL(cacheMillis)
  )
}

/** The state of a check; a change is logged. */
const watch = <R>(name: string, check: Check<R>): Effect.Effect<State, never, R> => {
  let last: State = "pass"
  const become = (state: State, log: Effect.Effect<void>): Effect.Effect<State> => {
    if (last === state) return Effect.succeed(state)
    last = state
    return Effect.as(log, state)
  }
  return Effect.matchCauseEffect(check, {
    onFailure: (cause) => become("fail", Effect.logWarning(`health check ${name} fails`, cause)),
    onSuccess: (value) =>
      value === false
        ? become("fail", Effect.logWarning(`health check ${name} fails`))
        : become("pass", Effect.logInfo(`health check ${name} passes again`))
  })
}
