/**
 * Lets a request through that carries a name and a password (RFC 7617), and
 * gives its handler the identity that they stand for.
 *
 * Browsers send them with every request once they have them, so pair it with
 * `Csrf`; and they are readable on a connection without TLS.
 *
 * ```ts
 * import * as BasicAuth from "@sluice/core/middleware/BasicAuth"
 * import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Layer from "effect/Layer"
 * import * as Option from "effect/Option"
 * import * as Redacted from "effect/Redacted"
 *
 * class Admin extends Context.Service<Admin, { readonly name: string }>()("Admin") {}
 * const secret = Redacted.make("opensesame")
 *
 * const Authenticated = HttpRouter.middleware<{ provides: Admin }>()(
 *   BasicAuth.make(Admin, {
 *     verify: ({ name, password }) =>
 *       Effect.succeed(ConstantTime.matches(password, secret) ? Option.some({ name }) : Option.none())
 *   })
 * )
 * const Routes = HttpRouter.add(
 *   "GET",
 *   "/admin",
 *   Effect.map(Admin, (admin) => HttpServerResponse.text(admin.name))
 * ).pipe(Layer.provide(Authenticated.layer))
 * const { handler } = HttpRouter.toWebHandler(Routes)
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Limit from "../protocol/Limit.ts"
import * as Authorization from "./Authorization.ts"
import * as RequestRefused from "./RequestRefused.ts"

/** @category models */
export interface Credentials {
  readonly name: string
  readonly password: Redacted.Redacted
}

/** @category options */
export interface Options<S, E = never, R = never> {
  /**
   * Whom the credentials stand for; none refuses them. Compare passwords with
   * `ConstantTime.matches`, or with a slow hash where they are stored. A
   * failure is the request's failure.
   */
  readonly verify: (credentials: Credentials) => Effect.Effect<Option.Option<S>, E, R>
  /** What browsers show: printable ASCII without quotes. Default `restricted`. */
  readonly realm?: string | undefined
  /** The longest name and password in encoded characters; longer ones are refused unread. At least 4. Default 1,024. */
  readonly maxCredentialsLength?: number | undefined
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
  const maxLength = Limit.count("maxCredentialsLength", options.maxCredentialsLength ?? 1024, 4)
  const challenge = `${Authorization.challenge("Basic", options.realm ?? "restricted")}, charset="UTF-8"`
  const missing = RequestRefused.fail(new RequestRefused.Unauthenticated("missing", challenge))
  const malformed = RequestRefused.fail(new RequestRefused.Unauthenticated("malformed", challenge))
  const refused = RequestRefused.fail(new RequestRefused.Unauthenticated("refused", challenge))
  return <E1, R1>(app: Effect.Effect<HttpServerResponse, E1, R1>) =>
    Effect.withFiber(
      (fiber): Effect.Effect<HttpServerResponse, E | E1 | RequestRefused.RequestRefused, R | Exclude<R1, I>> => {
        const { headers } = Context.getUnsafe(fiber.context, HttpServerRequest)
        const encoded = Authorization.credentials(headers.authorization, "Basic")
        if (encoded === undefined) return missing
        const credentials = encoded.length > maxLength ? undefined : decode(encoded)
        if (credentials === undefined) return malformed
        return Authorization.provide(options.verify(credentials), identity, app, refused)
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

/** RFC 7617 §2: the first colon ends the name; neither part has control characters. */
const decode = (encoded: string): Credentials | undefined => {
  const decoded = Result.getOrUndefined(Base64.decodeString(encoded))
  if (decoded === undefined || /\p{Cc}/u.test(decoded)) return undefined
  const colon = decoded.indexOf(":")
  if (colon === -1) return undefined
  return { name: decoded.slice(0, colon), password: Redacted.make(decoded.slice(colon + 1)) }
}
