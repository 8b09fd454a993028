/**
 * Fields behind a body (RFC 9110 §6.5): checksums, signatures, and how a
 * response that was streamed has ended. With HTTP/1.1 they come in chunks, with
 * HTTP/2 as a header block of their own; programs see no difference.
 *
 * ```ts
 * const Upload = Effect.gen(function* () {
 *   const request = yield* HttpServerRequest.HttpServerRequest
 *   let byteCount = 0
 *   yield* Stream.runForEach(request.stream, (part) => Effect.sync(() => void (byteCount += part.length)))
 *   const trailers = yield* HttpTrailers.received
 *   yield* HttpTrailers.send({ "x-byte-count": String(byteCount) })
 *   return HttpServerResponse.text(trailers["x-checksum"] === undefined ? "unchecked" : "checked")
 * })
 *
 * const Main = HttpRouter.serve(HttpRouter.add("POST", "/upload", Upload)).pipe(
 *   Layer.provide(NodeWebServer.layer({ port: 3000 }))
 * )
 * ```
 *
 * Many recipients drop trailers, and a proxy may: nothing should depend on
 * them that has another place.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpField from "../protocol/http/HttpField.ts"
import type { HttpFields } from "../protocol/http/HttpFields.ts"
import { type HttpExchange, isHttpExchange } from "../session/HttpExchange.ts"
import { HttpRequest } from "./HttpRequest.ts"

/**
 * The trailers of the current request; empty where none came. What of the body
 * was not read yet is read first, and kept: `text` and its like still have it.
 * So it fails as they do, for a body that is too large or does not end. A body
 * that another fiber is reading is a defect.
 *
 * Fields that must not be trailers, as `content-length` and `authorization`,
 * are left out (RFC 9110 §6.5.1).
 *
 * @category receiving
 */
export const received: Effect.Effect<Headers.Headers, HttpServerError, HttpServerRequest.HttpServerRequest> =
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    if (!(request instanceof HttpRequest)) return notOurs
    const { body } = request.source
    if (body === undefined) return Effect.succeed(Headers.empty)
    return Effect.map(request.bytes, () => (body.trailers === undefined ? Headers.empty : headersOf(body.trailers)))
  })

/**
 * Sends fields behind the response of the current request, besides those that
 * were given before. Until the body has ended it is early enough: the stream
 * of a response may say in its end what it has counted.
 *
 * Where a response has no body, or goes to HTTP/1.0, there is no place for
 * them, and they are dropped; so are those that come, over HTTP/1.1, behind the
 * head of a response that has said how long it is. A field that cannot be a trailer, or is no valid
 * field, is a defect.
 *
 * @category sending
 */
export const send = (
  fields: Readonly<Record<string, string>>
): Effect.Effect<void, never, HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ source }) => {
    if (!isHttpExchange(source)) return notOurs
    const wrong = Object.keys(fields).find((name) => !isTrailer(name, fields[name]!))
    if (wrong !== undefined) return Effect.die(new RangeError(`${wrong} cannot be sent as a trailer`))
    add(source, fields)
    return Effect.void
  })

const add = (exchange: HttpExchange, fields: Readonly<Record<string, string>>): void => {
  exchange.trailers = { ...exchange.trailers, ...fields }
}

const isTrailer = (name: string, value: string): boolean =>
  HttpField.isName(name) && HttpField.isTrailerName(name.toLowerCase()) && HttpField.isValue(value)

const headersOf = (trailers: HttpFields): Headers.Headers => {
  const record = trailers.headers()
  const allowed: Record<string, string> = {}
  for (const name in record) if (HttpField.isTrailerName(name)) allowed[name] = record[name]!
  return Headers.fromInput(allowed)
}

const notOurs = Effect.die(new Error("HttpTrailers needs a request of Sluice's server"))
