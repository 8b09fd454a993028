/**
 * Lets a request through that carries a bearer token (RFC 6750), and gives its
 * handler the identity that the token stands for.
 *
 * The identity is a service of the program's choice; a handler that needs it
 * does not compile on a route without the middleware.
 *
 * ```ts
 * import * as BearerAuth from "@sluice/core/middleware/BearerAuth"
 * import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Layer from "effect/Layer"
 * import * as Option from "effect/Option"
 * import * as Redacted from "effect/Redacted"
 *
 * class Robot extends Context.Service<Robot, { readonly name: string }>()("Robot") {}
 * const secret = Redacted.make("t0ken")
 *
 * const Authenticated = HttpRouter.middleware<{ provides: Robot }>()(
 *   BearerAuth.make(Robot, {
 *     verify: (token) =>
 *       Effect.succeed(ConstantTime.matches(token, secret) ? Option.some({ name: "r2" }) : Option.none())
 *   })
 * )
 * const Routes = HttpRouter.add(
 *   "GET",
 *   "/whoami",
 *   Effect.map(Robot, (robot) => HttpServerResponse.text(robot.name))
 * ).pipe(Layer.provide(Authenticated.layer))
 * const { handler } = HttpRouter.toWebHandler(Routes)
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Limit from "../protocol/Limit.ts"
import * as Authorization from "./Authorization.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category options */
export interface Options<S, E = never, R = never> {
  /**
   * Whom the token stands for; none refuses it. Compare secrets with
   * `ConstantTime.matches`. A failure is the request's failure.
   */
  readonly verify: (token: Redacted.Redacted) => Effect.Effect<Option.Option<S>, E, R>
  /** Named in the challenge: printable ASCII without quotes. Default `api`. */
  readonly realm?: string | undefined
  /** The longest token in characters; longer ones are refused unverified. At least 1. Default 4,096. */
  readonly maxTokenLength?: number | undefined
}

/**
 * Wraps an app that needs `identity`.
 *
 * @category constructors
 */
export const make = <I, S, E = never, R = never>(
  identity: Context.Key<I, S>,
  options: Options<S, E, R>
): Authorization.Authenticating<I, E, R> => {
  const challenge = Authorization.challenge("Bearer", options.realm ?? "api")
  const maxLength = Limit.count("maxTokenLength", options.maxTokenLength ?? 4096)
  // RFC 6750 §3.1: no error code where no credentials came; invalid_token for "expired, revoked, malformed, or invalid".
  const missing = RequestRefused.fail(new RequestRefused.Unauthenticated("missing", challenge))
  const malformed = RequestRefused.fail(
    new RequestRefused.Unauthenticated("malformed", `${challenge}, error="invalid_token"`)
  )
  const refused = RequestRefused.fail(
    new RequestRefused.Unauthenticated("refused", `${challenge}, error="invalid_token"`)
  )
  return <E1, R1>(app: Effect.Effect<HttpServerResponse, E1, R1>) =>
    Effect.withFiber(
      (fiber): Effect.Effect<HttpServerResponse, E | E1 | RequestRefused.RequestRefused, R | Exclude<R1, I>> => {
        const { headers } = Context.getUnsafe(fiber.context, HttpServerRequest)
        const token = Authorization.credentials(headers.authorization, "Bearer")
        if (token === undefined) return missing
        if (token.length > maxLength || !isToken68(token)) return malformed
        return Authorization.provide(options.verify(Redacted.make(token)), identity, app, refused)
      }
    )
}

/**
 * For every route of a router: they may all use `identity`.
 *
 * @category layers
 */
export const layer = <I, S, E = never, R = never>(
  identity: Context.Key<I, S>,
  options: Options<S, E, R>
): Authorization.AuthenticatingLayer<I, E, R> => Authorization.layer(make(identity, options))

/** RFC 9110 §11.2. */
const isToken68 = (text: string): boolean => /^[A-Za-z0-9._~+/-]+=*$/.test(text)
