/**
 * Sends Effect's `HttpServerResponse` as the response of an exchange.
 *
 * A response whose bytes are there is handed over at once, and the effect that
 * comes back is done: the request's fiber never waits. The others are written
 * as fast as the peer reads.
 *
 * Hot path: `bench/` rows "http1".
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import { HttpServerError, ResponseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import * as HttpMessage from "../protocol/http/HttpMessage.ts"
import type { Refusal } from "../protocol/http/HttpReason.ts"
import type { HttpExchange, ResponseParts } from "../session/HttpExchange.ts"
import * as HttpResponseSource from "./HttpResponseSource.ts"

/**
 * Answers `request`, whose source is an exchange. Succeeds when the response
 * was handed over, and when nobody is left to read it; with the response that
 * was sent in place of this one, where the protocol was changed.
 *
 * @category sending
 */
export const send = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): Effect.Effect<unknown, HttpServerError> => {
  const exchange = request.source as HttpExchange
  if (exchange.phase !== "unanswered") {
    return exchange.phase === "upgraded" ? upgraded : HttpResponseSource.cancel(response.body)
  }
  const { body, status } = response
  if (HttpMessage.isBodiless(exchange.method, status) || status === 205) {
    const sent = sendWhole(request, response, undefined)
    return body._tag === "Raw" ? Effect.andThen(HttpResponseSource.cancel(body), sent) : sent
  }
  switch (body._tag) {
    case "Empty":
      return sendWhole(request, response, undefined)
    case "Uint8Array":
      return sendWhole(request, response, body.text ?? body.body)
    case "Stream":
      return sendStream(request, response, response.status, headersOf(response), body.stream)
    default: {
      const source = HttpResponseSource.make(body)
      if (source._tag === "Bytes") return sendWhole(request, response, source.bytes)
      const headers = { ...source.headers, ...headersOf(response) }
      return sendStream(request, response, source.status ?? response.status, headers, source.stream)
    }
  }
}

const sendWhole = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  body: Uint8Array | string | undefined
): Effect.Effect<unknown, HttpServerError> => {
  const { status, statusText } = response
  const exchange = request.source as HttpExchange
  const parts: ResponseParts = { status, statusText, headers: headersOf(response) }
  const refusal =
    takesTrailers(exchange) && !HttpMessage.isBodiless(exchange.method, status)
      ? respondInParts(exchange, parts, body)
      : exchange.respond(parts, body)
  return refusal === undefined ? Effect.void : refused(request, response, refusal)
}

/** Trailers go behind a body that is sent in parts, also where it is there. */
const respondInParts = (
  exchange: HttpExchange,
  parts: ResponseParts,
  body: Uint8Array | string | undefined
): Refusal | undefined =>
  exchange.begin(withTrailers(exchange, parts)) ??
  (body === undefined ? undefined : exchange.write(body)) ??
  exchange.end(exchange.trailers)

/** HTTP/1.0 knows none. */
const takesTrailers = (exchange: HttpExchange): boolean => exchange.trailers !== undefined && exchange.version !== "1.0"

/**
 * RFC 9110 §6.6.2: the head says which trailers to expect, where they are known
 * already. HTTP/1.1 has no place for them behind a `Content-Length`.
 */
const withTrailers = (exchange: HttpExchange, parts: ResponseParts): ResponseParts => {
  if (!takesTrailers(exchange)) return parts
  const headers: Record<string, string | ReadonlyArray<string> | undefined> = {
    trailer: Object.keys(exchange.trailers!).join(", "),
    ...parts.headers
  }
  if (exchange.version === "1.1") headers["content-length"] = undefined
  return { ...parts, headers }
}

const sendStream = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  status: number,
  headers: FieldsInput,
  stream: Stream.Stream<Uint8Array, unknown>
): Effect.Effect<unknown, HttpServerError> => {
  const exchange = request.source as HttpExchange
  const head: ResponseParts = { status, statusText: response.statusText, headers }
  // A body that is made of the request's: its first part comes behind the 100 that lets the client send.
  const late = exchange.awaitsContinue
  const refusal = late ? undefined : begin(exchange, head)
  if (refusal !== undefined) return refused(request, response, refusal)
  return Stream.runForEachArray(stream, (parts) => writeParts(exchange, head, parts)).pipe(
    Effect.interruptible,
    Effect.matchCauseEffect({
      onSuccess: () => {
        const refusal = begin(exchange, head) ?? exchange.end(exchange.trailers)
        return refusal === undefined ? Effect.void : refused(request, response, refusal)
      },
      onFailure: (cause) => {
        const interrupted = Cause.hasInterruptsOnly(cause)
        const failure = Cause.squash(cause)
        const status = interrupted ? 503 : statusOf(failure)
        // To end what has begun in good order would make a part look like the whole.
        if (exchange.phase === "begun") exchange.abort()
        else exchange.respond({ status, headers: noHeaders }, undefined)
        if (interrupted) return Effect.failCause(cause as Cause.Cause<never>)
        if (status < 500) return ofClient(failure as HttpServerError, status)
        return failure instanceof Refused
          ? refused(request, response, failure.refusal)
          : Effect.fail(failed(request, response, "the body failed", failure))
      }
    })
  )
}

/** Sends the head, if it was not sent yet. */
const begin = (exchange: HttpExchange, head: ResponseParts): Refusal | undefined =>
  exchange.phase === "unanswered" ? exchange.begin(withTrailers(exchange, head)) : undefined

/** Writes the parts from `first` on, and waits whenever the peer does not keep up. */
const writeParts = (
  exchange: HttpExchange,
  head: ResponseParts,
  parts: ReadonlyArray<Uint8Array>,
  first = 0
): Effect.Effect<void, Refused> => {
  const refusal = begin(exchange, head)
  if (refusal !== undefined) return Effect.fail(new Refused(refusal))
  for (let index = first; index < parts.length; index++) {
    const refusal = exchange.write(parts[index]!)
    if (refusal !== undefined) return Effect.fail(new Refused(refusal))
    if (!exchange.isWritable) {
      return Effect.andThen(
        awaitWritable(exchange),
        Effect.suspend(() => writeParts(exchange, head, parts, index + 1))
      )
    }
  }
  return Effect.void
}

const awaitWritable = (exchange: HttpExchange): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (exchange.isWritable) return resume(Exit.void)
    const forget = exchange.onWritable(() => resume(Exit.void))
    return Effect.sync(forget)
  })

/** What a response's stream failed with, as a status: a request's body that is passed on fails as the client's. */
const statusOf = (failure: unknown): 400 | 413 | 500 => {
  if (!(failure instanceof HttpServerError) || failure.reason._tag !== "RequestParseError") return 500
  return failure.reason.reason === "BodyTooLarge" ? 413 : 400
}

/** What the client did wrong, with the status that stands for it, as Effect tells it of handlers. */
const ofClient = (failure: HttpServerError, status: number): Effect.Effect<never, HttpServerError> =>
  Effect.failCause(
    Cause.fromReasons([Cause.makeFailReason(failure), Cause.makeDieReason(HttpServerResponse.empty({ status }))])
  )

/** A refusal on its way through a stream. */
class Refused {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

/**
 * A client that was faster is nobody's fault here: the client's going is told
 * by its own way. A response that cannot be sent is the handler's: the client
 * gets 500, and whoever reads the log gets the reason.
 */
const refused = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  refusal: Refusal
): Effect.Effect<void, HttpServerError> => {
  const exchange = request.source as HttpExchange
  const cancelled = HttpResponseSource.cancel(response.body)
  if (refusal.fault === "transport") return cancelled
  if (exchange.phase === "unanswered") exchange.respond({ status: 500, headers: noHeaders }, undefined)
  else exchange.abort()
  return Effect.andThen(cancelled, Effect.fail(failed(request, response, refusal.message, refusal)))
}

const failed = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  description: string,
  cause: unknown
): HttpServerError => new HttpServerError({ reason: new ResponseError({ request, response, description, cause }) })

const headersOf = (response: HttpServerResponse.HttpServerResponse): FieldsInput => {
  const { cookies, headers, status } = response
  const hasCookies = !Cookies.isEmpty(cookies)
  const dropsLength = status === 205 && headers["content-length"] !== undefined
  if (!hasCookies && !dropsLength) return headers
  const fields: Record<string, string | ReadonlyArray<string> | undefined> = { ...headers }
  if (dropsLength) fields["content-length"] = undefined
  if (hasCookies) {
    const own = headers["set-cookie"]
    fields["set-cookie"] = [...Cookies.toSetCookieHeaders(cookies), ...(own === undefined ? [] : [own])]
  }
  return fields
}

const noHeaders: FieldsInput = {}

/** Told to middleware in place of the handler's response, which was not sent. */
const upgraded = Exit.succeed(HttpServerResponse.empty({ status: 101 }))
