/**
 * What ways to authenticate share: the `Authorization` field, the challenge
 * that asks for it (RFC 9110 §11), and the identity for the handler.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as RequestRefused from "./RequestRefused.ts"

/** Wraps an app that needs the identity `I`. @category models */
export type Authenticating<I, E, R> = <E1, R1>(
  app: Effect.Effect<HttpServerResponse, E1, R1>
) => Effect.Effect<HttpServerResponse, E1 | E | RequestRefused.RequestRefused, Exclude<R1, I> | R | HttpServerRequest>

/** The same for every route of a router. @category models */
export type AuthenticatingLayer<I, E, R> = Layer.Layer<
  HttpRouter.Request.From<"Requires" | "GlobalRequires", I>,
  never,
  | HttpRouter.HttpRouter
  | HttpRouter.Request.From<"GlobalError", E | RequestRefused.RequestRefused>
  | HttpRouter.Request.From<"GlobalRequires", Exclude<R, HttpRouter.GlobalProvided>>
>

/**
 * What follows the scheme: `undefined` where the field is missing or has
 * another scheme. RFC 9110 §11.1: schemes are case-insensitive; credentials
 * follow one or more spaces.
 *
 * @category parsing
 */
export const credentials = (field: string | undefined, scheme: string): string | undefined => {
  if (field === undefined || field.charCodeAt(scheme.length) !== 0x20) return undefined
  if (field.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return undefined
  let start = scheme.length
  while (field.charCodeAt(start) === 0x20) start++
  return field.slice(start)
}

/**
 * `scheme realm="…"`. A realm is printable ASCII without quotes and backslashes.
 *
 * @category formatting
 */
export const challenge = (scheme: string, realm: string): string => {
  if (/^[ !#-[\]-~]*$/.test(realm)) return `${scheme} realm="${realm}"`
  throw new RangeError(`realm must be printable ASCII without quotes and backslashes, but is ${realm}`)
}

/**
 * Runs the app with the identity that was verified; refuses it where there is none.
 *
 * @category combinators
 */
export const provide = <I, S, E, R, E1, R1>(
  verified: Effect.Effect<Option.Option<S>, E, R>,
  identity: Context.Key<I, S>,
  app: Effect.Effect<HttpServerResponse, E1, R1>,
  refused: Effect.Effect<never, RequestRefused.RequestRefused>
): Effect.Effect<HttpServerResponse, E | E1 | RequestRefused.RequestRefused, R | Exclude<R1, I>> =>
  Effect.flatMapEager(
    verified,
    (found): Effect.Effect<HttpServerResponse, E1 | RequestRefused.RequestRefused, Exclude<R1, I>> =>
      found._tag === "Some" ? Effect.provideService(app, identity, found.value) : refused
  )

/** @category layers */
export const layer = <I, E, R>(wrap: Authenticating<I, E, R>): AuthenticatingLayer<I, E, R> =>
  // The router's own type asks a condition of E, which cannot be decided for every E.
  HttpRouter.middleware(wrap as never, { global: true }) as AuthenticatingLayer<I, E, R>
