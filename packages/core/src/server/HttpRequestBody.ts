/**
 * The body of a request in the forms in which Effect's `HttpServerRequest`
 * shows it. Read whole, it is read once, and all forms share the bytes.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import { HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Multipart from "effect/http/Multipart"
import * as UrlParams from "effect/http/UrlParams"
import type * as Pull from "effect/Pull"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type BodyFailure, BodyTooLarge, type HttpBody, type Parts } from "../session/HttpBody.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"

/** @category models */
export class HttpRequestBody {
  private readonly request: HttpServerRequest
  private readonly exchange: HttpExchange
  private readonly maxBodyBytes: number
  private whole: Exit.Exit<Uint8Array, HttpServerError> | undefined = undefined
  /** Completes with nothing when its reader was interrupted. */
  private reading: Deferred.Deferred<Uint8Array | undefined, HttpServerError> | undefined = undefined
  private persisted: HttpServerRequest["multipart"] | undefined = undefined

  /** `maxBodyBytes`: the most that is read whole where `MaxBodySize` says nothing; `Infinity` for no limit. */
  constructor(request: HttpServerRequest, exchange: HttpExchange, maxBodyBytes: number) {
    this.request = request
    this.exchange = exchange
    this.maxBodyBytes = maxBodyBytes
  }

  /** All of it. Later calls get the same bytes, which nobody may change. */
  readonly bytes: Effect.Effect<Uint8Array, HttpServerError> = Effect.withFiber((fiber) => {
    if (this.whole !== undefined) return this.whole
    if (this.reading !== undefined) {
      return Effect.flatMap(Deferred.await(this.reading), (read) =>
        read === undefined ? this.bytes : Effect.succeed(read)
      )
    }
    const { body } = this.exchange
    if (body === undefined) return nothing
    const limit = fiber.getRef(HttpIncomingMessage.MaxBodySize)
    const maxBytes = limit === undefined ? this.maxBodyBytes : Number(limit)
    const known = body.collectNow(maxBytes)
    if (known === undefined) return this.wait(body, maxBytes)
    const whole = Exit.mapError(known, (failure) => this.errorOf(failure))
    this.whole = whole
    return whole
  })

  private wait(body: HttpBody, maxBytes: number): Effect.Effect<Uint8Array, HttpServerError> {
    const reading = Deferred.makeUnsafe<Uint8Array | undefined, HttpServerError>()
    this.reading = reading
    return Effect.onExit(
      Effect.mapError(body.collect(maxBytes), (failure) => this.errorOf(failure)),
      (exit) => {
        this.reading = undefined
        // A reader that was interrupted has taken nothing: the next one begins again, one that waits for it too.
        const isInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        if (!isInterrupted) this.whole = exit
        Deferred.doneUnsafe(reading, isInterrupted ? Exit.succeed(undefined) : exit)
        return Effect.void
      }
    )
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpServerError> {
    return Effect.map(this.bytes, bufferOf)
  }

  get text(): Effect.Effect<string, HttpServerError> {
    return Effect.map(this.bytes, decodeText)
  }

  get json(): Effect.Effect<Schema.Json, HttpServerError> {
    return Effect.flatMap(this.bytes, (bytes) => {
      try {
        return Effect.succeed(bytes.length === 0 ? null : (JSON.parse(decodeText(bytes)) as Schema.Json))
      } catch (cause) {
        return Effect.fail(this.parseError(cause))
      }
    })
  }

  get urlParams(): Effect.Effect<UrlParams.UrlParams, HttpServerError> {
    return Effect.map(this.bytes, (bytes) =>
      // A "?" in front is data of the form, which URLSearchParams would drop.
      UrlParams.fromInput(new URLSearchParams(formDecoder.decode(bytes).replace(/^\?/, "%3F")))
    )
  }

  get stream(): Stream.Stream<Uint8Array, HttpServerError> {
    return Stream.unwrap(
      Effect.withFiber((fiber) => {
        const { body } = this.exchange
        if (body === undefined) return Effect.succeed(Stream.empty)
        const limit = fiber.getRef(HttpIncomingMessage.MaxBodySize)
        const pull = limit === undefined ? body.pull : limited(body.pull, Number(limit))
        return Effect.succeed(
          Stream.fromPull(
            Effect.succeed(
              Effect.mapError(pull, (failure) => (failure._tag === "Done" ? failure : this.errorOf(failure)))
            )
          )
        )
      })
    )
  }

  get multipartStream(): Stream.Stream<Multipart.Part, Multipart.MultipartError> {
    return Stream.pipeThroughChannel(
      Stream.mapError(this.stream, (cause) =>
        Multipart.MultipartError.fromReason(isTooLarge(cause) ? "BodyTooLarge" : "InternalError", cause)
      ),
      Multipart.makeChannel(this.request.headers)
    )
  }

  get multipart(): HttpServerRequest["multipart"] {
    this.persisted ??= Effect.runSync(Effect.cached(Multipart.toPersisted(this.multipartStream)))
    return this.persisted
  }

  private errorOf(failure: BodyFailure): HttpServerError {
    switch (failure._tag) {
      case "BodyTooLarge":
        return this.tooLarge(failure)
      case "BodyViolation":
        return failure.violation.status === 413 ? this.tooLarge(failure) : this.parseError(failure)
      case "BodyLost":
        return this.parseError(failure)
    }
  }

  private tooLarge(cause: BodyFailure): HttpServerError {
    const { message: description } = cause
    return new HttpServerError({
      reason: new RequestParseError({ request: this.request, reason: "BodyTooLarge", description, cause })
    })
  }

  private parseError(cause: unknown): HttpServerError {
    const description = cause instanceof Error ? cause.message : String((cause as BodyFailure).message)
    return new HttpServerError({ reason: new RequestParseError({ request: this.request, description, cause }) })
  }
}

/** The memory of `bytes`, which others may share a part of: then a copy. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer => {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? buffer : new Uint8Array(bytes).buffer
}

const isTooLarge = (error: HttpServerError): boolean =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"

/** Ends a body that grows above its limit. */
const limited = (pull: Pull.Pull<Parts, BodyFailure>, maxBytes: number): Pull.Pull<Parts, BodyFailure> => {
  let takenBytes = 0
  return Effect.flatMap(pull, (parts) => {
    for (const part of parts) takenBytes += part.length
    return takenBytes > maxBytes ? Effect.fail(new BodyTooLarge(maxBytes)) : Effect.succeed(parts)
  })
}

/** Bytes that are no UTF-8 become U+FFFD, as everywhere on the web. */
const textDecoder = new TextDecoder()

/** A byte order mark is data of the form. */
const formDecoder = new TextDecoder("utf-8", { ignoreBOM: true })

const decodeText = (bytes: Uint8Array): string => (bytes.length === 0 ? "" : textDecoder.decode(bytes))

const nothing = Exit.succeed(new Uint8Array(0))
