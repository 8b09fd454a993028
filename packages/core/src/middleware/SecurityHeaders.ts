/**
 * The response fields that keep browsers from doing more than the program
 * meant, with the values that OWASP's Secure Headers Project advises.
 *
 * A response that has one of the fields already keeps its own.
 * `Strict-Transport-Security` is sent on https only (RFC 6797 §7.2); behind a
 * proxy that ends TLS, apply Effect's `HttpMiddleware.xForwardedHeaders` first.
 *
 * ```ts
 * import * as SecurityHeaders from "@sluice/core/middleware/SecurityHeaders"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const Secure = SecurityHeaders.layer({
 *   contentSecurityPolicy: "default-src 'self'; img-src 'self' https://images.example",
 *   headers: { "cross-origin-embedder-policy": "omit" }
 * })
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(Secure, Routes))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpField from "../protocol/http/HttpField.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"

/** @category options */
export interface Options {
  /** Default: only the own origin, no plugins, no frames around it. */
  readonly contentSecurityPolicy?: string | "omit" | undefined
  /** Default one year, with subdomains. */
  readonly strictTransportSecurity?: string | "omit" | undefined
  /** Other fields, or other values; `"omit"` leaves one of `defaults` out. */
  readonly headers?: Readonly<Record<string, string | "omit">> | undefined
}

/** What is sent without options, by name in lower case. @category constants */
export const defaults: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-frame-options": "deny",
  "x-permitted-cross-domain-policies": "none"
}

/** @category constructors */
export const make = (options?: Options): Middleware => {
  const fields = fieldsOf(options)
  const onHttps = handlerOf(fields)
  const { "strict-transport-security": _, ...plain } = fields
  const onHttp = handlerOf(plain)
  return (app) =>
    Effect.withFiber((fiber) => {
      // The scheme is read here: a handler gets the request as the server received it, without what a proxy said.
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, isHttps(request) ? onHttps : onHttp)
      return app
    })
}

/** @category layers */
export const layer = (options?: Options): RouterLayer => HttpRouter.middleware(make(options), { global: true })

type Fields = Readonly<Record<string, string>>

/**
 * The response's own fields win. `setHeaders` would read ours anew for each
 * response, at twice the cost; `replaceCookies` takes the fields as they are.
 */
const handlerOf =
  (fields: Fields): HttpEffect.PreResponseHandler =>
  (_, response) => {
    const headers = Headers.fromRecordUnsafe({ ...fields, ...response.headers })
    return Effect.succeed(HttpServerResponse.replaceCookies({ ...response, headers }, response.cookies))
  }

const fieldsOf = (options: Options | undefined): Fields => {
  const headers = new Map(Object.entries(defaults))
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) return
    if (!HttpField.isName(name) || !HttpField.isValue(value)) {
      throw new RangeError(`headers must be valid fields, but ${JSON.stringify(name)} is ${JSON.stringify(value)}`)
    }
    if (value === "omit") headers.delete(name.toLowerCase())
    else headers.set(name.toLowerCase(), value)
  }
  for (const [name, value] of Object.entries(options?.headers ?? {})) set(name, value)
  set("content-security-policy", options?.contentSecurityPolicy)
  set("strict-transport-security", options?.strictTransportSecurity)
  return Object.fromEntries(headers)
}

/** As `HttpServerRequest.toURL` decides it, without making a URL. */
const isHttps = (request: HttpServerRequest): boolean =>
  request.protocol === undefined ? /^https:/i.test(request.originalUrl) : request.protocol === "https"
