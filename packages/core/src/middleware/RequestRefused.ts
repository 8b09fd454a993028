/**
 * Why a middleware did not let a request through, or cut it off.
 *
 * A reason knows who is at fault, and its answer: status and fields. Effect's
 * server sends that answer by itself, because the error is a `Respondable`; a
 * program that wants another one catches the reason:
 *
 * ```ts
 * import * as RequestRate from "@sluice/core/middleware/RequestRate"
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 *
 * const limit = RequestRate.make({ limit: 10, window: "1 minute" })
 * const app = limit(Effect.succeed(HttpServerResponse.text("hello")))
 * const friendly = Effect.catchReason(app, "RequestRefused", "TooManyRequests", (reason) =>
 *   Effect.succeed(HttpServerResponse.html(`<p>Please come back in ${reason.retryAfterSeconds} seconds.</p>`))
 * )
 * ```
 *
 * Refusals are the middleware's work, not a fault of the server: error
 * reporters leave them out.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Who is at fault: the client broke a rule, or a limit of ours was reached. @category models */
export type Fault = "peer" | "limit"

/** What all reasons have. @category models */
export interface Answer {
  readonly fault: Fault
  readonly status: number
  /** Fields of the response, by name in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** The handler took longer than its limit, and was interrupted. @category reasons */
export class TimedOut implements Answer {
  readonly _tag = "TimedOut"
  readonly fault: Fault = "limit"
  readonly limitMillis: number
  readonly status: 503 | 504
  readonly headers: Readonly<Record<string, string>>
  constructor(limitMillis: number, status: 503 | 504, headers: Readonly<Record<string, string>>) {
    this.limitMillis = limitMillis
    this.status = status
    this.headers = headers
  }
  get message() {
    return `the handler took longer than ${this.limitMillis} ms`
  }
}

/** RFC 9110 §15.5.14: the body is said to be longer than the limit. @category reasons */
export class BodyTooLarge implements Answer {
  readonly _tag = "BodyTooLarge"
  readonly fault: Fault = "limit"
  readonly status = 413
  readonly headers = {}
  readonly limitBytes: number
  readonly declaredBytes: number
  constructor(limitBytes: number, declaredBytes: number) {
    this.limitBytes = limitBytes
    this.declaredBytes = declaredBytes
  }
  get message() {
    return `the body of ${this.declaredBytes} bytes is longer than ${this.limitBytes}`
  }
}

/** Too many requests are being handled, and no place became free in time. @category reasons */
export class Overloaded implements Answer {
  readonly _tag = "Overloaded"
  readonly fault: Fault = "limit"
  readonly status = 503
  readonly maxConcurrent: number
  readonly retryAfterSeconds: number
  constructor(maxConcurrent: number, retryAfterSeconds: number) {
    this.maxConcurrent = maxConcurrent
    this.retryAfterSeconds = retryAfterSeconds
  }
  get headers() {
    return { "retry-after": String(this.retryAfterSeconds) }
  }
  get message() {
    return `${this.maxConcurrent} requests are being handled already`
  }
}

/** RFC 6585 §4: the client sent more requests than its share. @category reasons */
export class TooManyRequests implements Answer {
  readonly _tag = "TooManyRequests"
  readonly fault: Fault = "limit"
  readonly status = 429
  readonly retryAfterSeconds: number
  readonly headers: Readonly<Record<string, string>>
  constructor(retryAfterSeconds: number, headers: Readonly<Record<string, string>>) {
    this.retryAfterSeconds = retryAfterSeconds
    this.headers = { ...headers, "retry-after": String(retryAfterSeconds) }
  }
  get message() {
    return `too many requests; the next may come in ${this.retryAfterSeconds} s`
  }
}

/** RFC 9110 §15.5.2: credentials are missing, or were not accepted. @category reasons */
export class Unauthenticated implements Answer {
  readonly _tag = "Unauthenticated"
  readonly fault: Fault = "peer"
  readonly status = 401
  readonly problem: "missing" | "malformed" | "refused"
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string
  constructor(problem: Unauthenticated["problem"], challenge: string) {
    this.problem = problem
    this.challenge = challenge
  }
  get headers() {
    return { "www-authenticate": this.challenge }
  }
  get message() {
    return `the credentials are ${this.problem}`
  }
}

/** A browser sent the request for a page of another origin. @category reasons */
export class CrossOrigin implements Answer {
  readonly _tag = "CrossOrigin"
  readonly fault: Fault = "peer"
  readonly status = 403
  readonly headers = {}
  readonly origin: string | undefined
  constructor(origin: string | undefined) {
    this.origin = origin
  }
  get message() {
    return `a request that changes something came from ${this.origin ?? "another site"}`
  }
}

/** RFC 9110 §15.5.6: the path has routes, and none for this method. @category reasons */
export class MethodNotAllowed implements Answer {
  readonly _tag = "MethodNotAllowed"
  readonly fault: Fault = "peer"
  readonly status = 405
  readonly method: string
  /** The methods that the path has. */
  readonly allowed: ReadonlyArray<string>
  constructor(method: string, allowed: ReadonlyArray<string>) {
    this.method = method
    this.allowed = allowed
  }
  get headers() {
    return { allow: this.allowed.join(", ") }
  }
  get message() {
    return `${this.method} is none of ${this.allowed.join(", ")}`
  }
}

/** @category models */
export type Reason =
  | TimedOut
  | BodyTooLarge
  | Overloaded
  | TooManyRequests
  | Unauthenticated
  | CrossOrigin
  | MethodNotAllowed

/** @category errors */
export class RequestRefused
  extends Data.TaggedError("RequestRefused")<{ readonly reason: Reason }>
  implements HttpServerRespondable.Respondable
{
  override readonly [ErrorReporter.ignore] = true

  override get message(): string {
    return this.reason.message
  }

  [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    const { status, headers } = this.reason
    return Effect.succeed(HttpServerResponse.empty({ status, headers }))
  }
}

/**
 * A failure with `reason`.
 *
 * It has no stack: refusals come in floods, their stacks would all be the
 * same, and to write one takes longer than all the rest of the request.
 *
 * @category constructors
 */
export const fail = (reason: Reason): Effect.Effect<never, RequestRefused> => {
  // Where errors have no such limit, or it cannot be changed, this does nothing.
  const depth: unknown = Reflect.get(Error, "stackTraceLimit")
  Reflect.set(Error, "stackTraceLimit", 0)
  const refused = new RequestRefused({ reason })
  Reflect.set(Error, "stackTraceLimit", depth)
  return Effect.fail(refused)
}

/**
 * The value of `Retry-After` (RFC 9110 §10.2.3): whole seconds, never too
 * early, and at least one.
 *
 * @category converting
 */
export const retryAfterSeconds = (millis: number): number => Math.max(1, Math.ceil(millis / 1000))
