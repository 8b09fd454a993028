/**
 * An `ETag` for responses whose body is in memory, and 304 without the body
 * for clients that have it already (RFC 9110 §13.1.2).
 *
 * The handler runs all the same: what is saved is the transfer. It acts on 200
 * to GET and HEAD, up to `maxBody`, unless `Cache-Control` says `no-store`.
 * Tags are weak, so that they stay true when a body is compressed. A response
 * that has an `ETag` keeps it, and is compared by it.
 *
 * ```ts
 * import * as DynamicEtag from "@sluice/core/middleware/DynamicEtag"
 * import * as Layer from "effect/Layer"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const Routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
 * const { handler } = HttpRouter.toWebHandler(Layer.mergeAll(DynamicEtag.layer({ maxBody: "64 KiB" }), Routes))
 * ```
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpField from "../protocol/http/HttpField.ts"
import * as Limit from "../protocol/Limit.ts"
import type { Middleware, RouterLayer } from "./Middleware.ts"

/** @category options */
export interface Options {
  /** The greatest body that gets a tag; at least 1 byte. Default 256 KiB, which takes about half a millisecond. */
  readonly maxBody?: ByteSize.Input | undefined
}

/** @category constructors */
export const make = (options?: Options): Middleware => {
  const maxBytes = Limit.bytes("maxBody", options?.maxBody, 256 * 1024)
  const handler: HttpEffect.PreResponseHandler = (request, response) =>
    Effect.succeed(tagged(request, response, maxBytes))
  return (app) =>
    Effect.withFiber((fiber) => {
      HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, handler)
      return app
    })
}

/** @category layers */
export const layer = (options?: Options): RouterLayer => HttpRouter.middleware(make(options), { global: true })

/**
 * A weak tag for a body: its length and 64 bits of its content. It finds
 * changes, and withstands nobody who looks for two bodies of one tag.
 *
 * @category constructors
 */
export const tagOf = (body: HttpBody.Uint8Array): string => {
  const hash = body.text === undefined ? hashBytes(body.body) : hashText(body.text)
  return `W/"${body.contentLength.toString(36)}-${hash}"`
}

/**
 * RFC 9110 §13.1.2: whether `If-None-Match` names the tag, by the weak
 * comparison of §8.8.3.2.
 *
 * @category guards
 */
export const matches = (ifNoneMatch: string, etag: string): boolean => {
  if (ifNoneMatch.trim() === "*") return true
  const opaque = opaqueTag(etag)
  for (const [listed] of ifNoneMatch.matchAll(/"[^"]*"/g)) if (listed === opaque) return true
  return false
}

const opaqueTag = (etag: string): string => (etag.startsWith("W/") ? etag.slice(2) : etag)

const tagged = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  maxBytes: number
): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (response.status !== 200 || body._tag !== "Uint8Array") return response
  if (request.method !== "GET" && request.method !== "HEAD") return response
  const own = response.headers.etag
  if (own === undefined && (body.contentLength > maxBytes || isNotStored(response))) return response
  const etag = own ?? tagOf(body)
  const ifNoneMatch = request.headers["if-none-match"]
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag)) return notModified(response, etag)
  return own === undefined ? HttpServerResponse.setHeader(response, "etag", etag) : response
}

const isNotStored = (response: HttpServerResponse.HttpServerResponse): boolean => {
  const directives = response.headers["cache-control"]
  return directives !== undefined && HttpField.hasToken(directives, "no-store")
}

/** RFC 9110 §15.4.5: all fields that a 200 would have had, but those that describe the content. */
const notModified = (
  response: HttpServerResponse.HttpServerResponse,
  etag: string
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 304,
    headers: Headers.set(Headers.removeMany(response.headers, contentFields), "etag", etag),
    cookies: response.cookies
  })

const contentFields = ["content-type", "content-length", "content-encoding", "content-language", "content-range"]

/**
 * Two lanes of 32 bits with different multipliers, each step one unit of the
 * body; the lanes are mixed into each other at the end.
 */
const hashText = (text: string): string => {
  let first = 0x9e3779b1
  let second = 0x85ebca6b
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    first = Math.imul(first ^ unit, 0x9e3779b1)
    second = Math.imul(second ^ unit, 0x5f356495)
  }
  return finish(first, second)
}

const hashBytes = (bytes: Uint8Array): string => {
  let first = 0x9e3779b1
  let second = 0x85ebca6b
  for (let index = 0; index < bytes.length; index++) {
    const unit = bytes[index]!
    first = Math.imul(first ^ unit, 0x9e3779b1)
    second = Math.imul(second ^ unit, 0x5f356495)
  }
  return finish(first, second)
}

const finish = (first: number, second: number): string => {
  const high = mix(first) ^ Math.imul(second ^ (second >>> 13), 0xc2b2ae35)
  const low = mix(second) ^ Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (high >>> 0).toString(36) + (low >>> 0).toString(36).padStart(7, "0")
}

const mix = (lane: number): number => {
  const mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b)
  return mixed ^ (mixed >>> 16)
}
