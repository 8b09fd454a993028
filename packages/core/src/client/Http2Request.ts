/**
 * A request of an HTTP/2 session, from its options to its response.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import * as Code from "../protocol/http2/Http2ErrorCode.ts"
import type { Http2Fields } from "../protocol/http2/Http2Fields.ts"
import type { Http2ResponseHead } from "../protocol/http2/Http2Head.ts"
import * as Limit from "../protocol/Limit.ts"
import type { Http2Call, Receiver, Request } from "../session/Http2Call.ts"
import * as Http2ClientError from "../session/Http2ClientError.ts"
import type { Http2ClientSession } from "../session/Http2ClientSession.ts"
import { BodyLost, type Flow, IncomingBody } from "../session/HttpBody.ts"
import { Signal } from "../session/Signal.ts"
import { Timer, type Timers } from "../session/Timers.ts"
import * as Http2Response from "./Http2Response.ts"
import { Http2Upload } from "./Http2Upload.ts"

/** What is sent: `undefined` for nothing; text as UTF-8; bytes nobody may change until they are sent. @category models */
export type Body<E = unknown> = Uint8Array | string | Stream.Stream<Uint8Array, E> | undefined

/** @category options */
export interface Options {
  /** Default `GET`. */
  readonly method?: string | undefined
  /** Path and query, `*` for OPTIONS. Default `/`; none for CONNECT. */
  readonly path?: string | undefined
  /** Default: that of the session. */
  readonly scheme?: "http" | "https" | undefined
  /** Host and port, in the place of `Host`. Default: that of the session. */
  readonly authority?: string | undefined
  readonly headers?: FieldsInput | undefined
  /**
   * A stream is taken from no faster than the server reads, with at most
   * `sendBufferSize` and one of its arrays ahead. Its failure ends the request
   * with `RequestBodyFailed`. Default: none.
   */
  readonly body?: Body | undefined
  /** Fields behind the body; a function is asked when the body has ended. Default: none. */
  readonly trailers?: FieldsInput | (() => FieldsInput) | undefined
  /**
   * How long the head of the response may take, from the request on, with the
   * wait for a place and the sending of its body. Above 0. Default: that of the
   * session, 5 minutes. Above: `ResponseTimeout`. What comes of the body has
   * `bodyTimeout` of the session.
   */
  readonly responseTimeout?: Duration.Input | "unbounded" | undefined
  /** Hears of each response of 1xx, such as 103 with its `Link`, at once. */
  readonly onInterim?: ((status: number, headers: Headers.Headers) => void) | undefined
}

/** What a session fills in. @category options */
export interface Defaults {
  readonly scheme: "http" | "https"
  readonly authority: string
  readonly responseMillis: number
}

/**
 * Sends a request, and succeeds with the head of its response. Before that an
 * interruption, and after it the end of the scope, gives up what is not over
 * yet: RST_STREAM with CANCEL.
 *
 * @category constructors
 */
export const send = (
  session: Http2ClientSession,
  defaults: Defaults,
  options: Options
): Effect.Effect<Http2Response.Http2Response, Http2ClientError.Http2ClientError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.context<never>(), (context) => {
      const responseMillis =
        options.responseTimeout === undefined
          ? defaults.responseMillis
          : Limit.millisOrUnbounded("responseTimeout", options.responseTimeout)
      const sending = new Sending(options, context, session.timers)
      return restore(sending.run(session, requestOf(defaults, options), responseMillis)).pipe(
        // Also where the response and an interruption come at the same time.
        Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : sending.release)),
        Effect.tap(() => Effect.addFinalizer(() => sending.release))
      )
    })
  )

const requestOf = (defaults: Defaults, options: Options): Request => {
  const { body, method = "GET", trailers } = options
  const isWhole = trailers === undefined && (body === undefined || typeof body === "string" || isBytes(body))
  return {
    method,
    scheme: options.scheme ?? defaults.scheme,
    authority: options.authority ?? defaults.authority,
    // RFC 9113 §8.5: CONNECT has none.
    path: options.path ?? (method === "CONNECT" ? undefined : "/"),
    headers: options.headers ?? noFields,
    body: isWhole ? (body as Uint8Array | string | undefined) : undefined,
    rest: isWhole ? "whole" : "open"
  }
}

type Answer = (exit: Exit.Exit<Http2Response.Http2Response, Http2ClientError.Http2ClientError>) => void

class Sending implements Receiver, Flow, Http2Response.Source {
  readonly over = new Signal()
  body!: IncomingBody
  failure: Http2ClientError.Reason | undefined = undefined
  private readonly options: Options
  private readonly context: Context.Context<never>
  private call: Http2Call | undefined = undefined
  private upload: Http2Upload | undefined = undefined
  private uploading: Fiber.Fiber<void, unknown> | undefined = undefined
  private readonly timers: Timers
  private timer: Timer | undefined = undefined
  /** For who waits for the response's head. */
  private answer: Answer | undefined = undefined

  constructor(options: Options, context: Context.Context<never>, timers: Timers) {
    this.options = options
    this.context = context
    this.timers = timers
  }

  run(
    session: Http2ClientSession,
    request: Request,
    responseMillis: number
  ): Effect.Effect<Http2Response.Http2Response, Http2ClientError.Http2ClientError> {
    return Effect.callback((resume) => {
      this.answer = resume
      this.timer = new Timer(() => {
        const retry = this.call?.request === undefined ? "MaybeProcessed" : "NotSent"
        this.giveUp(new Http2ClientError.ResponseTimeout(retry, responseMillis))
      })
      this.timers.set(this.timer, this.timers.now() + responseMillis)
      const opened = session.openUnsafe(request, this)
      if ("_tag" in opened) {
        this.onClosed(opened)
        return
      }
      this.call = opened
      if (request.rest === "open") this.startUpload(opened)
    })
  }

  /** Gives up what is not over, and waits until the request's body has let go of what it holds. */
  readonly release: Effect.Effect<void> = Effect.suspend(() => {
    this.answered()
    this.call?.release()
    return this.uploading === undefined ? Effect.void : Fiber.interrupt(this.uploading)
  })

  // What the call says.

  onInterim(head: Http2ResponseHead): void {
    try {
      this.options.onInterim?.(head.status, Headers.fromInput(head.headers()))
    } catch (defect) {
      // It is a mistake of this request alone: others are on the same connection.
      this.answered()?.(Exit.die(defect))
      this.call!.reset(Code.Cancel)
    }
  }

  onHead(head: Http2ResponseHead, ended: boolean): void {
    this.body = new IncomingBody(ended ? 0 : head.lengthBytes, this)
    this.answered()?.(Exit.succeed(Http2Response.make(head, this)))
  }

  onData(data: Uint8Array): void {
    this.body.push(data)
  }

  onEnd(trailers: Http2Fields | undefined): void {
    this.body.end(trailers)
    this.over.fire()
  }

  onWritable(): void {
    this.upload?.wake()
  }

  onClosed(failure: Http2ClientError.Reason | undefined): void {
    this.uploading?.interruptUnsafe()
    if (failure === undefined) return
    this.failure ??= failure
    this.answered()?.(Exit.fail(Http2ClientError.make(this.failure)))
    this.body?.fail(new BodyLost())
    this.over.fire()
  }

  // What the response and its body say.

  wanted(): void {
    this.call!.awaitBody("waiting")
  }

  unwanted(): void {
    this.call!.awaitBody("none")
  }

  /** The server's windows do it. */
  pause(): void {}

  resume(): void {}

  credit(byteCount: number): void {
    this.call!.consume(byteCount)
  }

  giveUp(reason: Http2ClientError.Reason): void {
    this.failure ??= reason
    this.call?.reset(Code.Cancel)
  }

  /** Nobody waits for the head any more; returns who did. */
  private answered(): Answer | undefined {
    const { answer, timer } = this
    this.answer = undefined
    if (timer !== undefined) this.timers.clear(timer)
    return answer
  }

  private startUpload(call: Http2Call): void {
    const { body, trailers } = this.options
    const upload = new Http2Upload()
    this.upload = upload
    const running = upload.run(call, streamOf(body), () => (typeof trailers === "function" ? trailers() : trailers))
    this.uploading = Effect.runForkWith(this.context)(running)
    this.uploading.addObserver((exit) => {
      if (Exit.isSuccess(exit) || call.isOver) return
      const failure = Cause.squash(exit.cause)
      this.giveUp(
        failure instanceof Http2ClientError.InvalidRequest ? failure : new Http2ClientError.RequestBodyFailed(failure)
      )
    })
  }
}

const isBytes = (body: unknown): body is Uint8Array => body instanceof Uint8Array

const streamOf = (body: Body): Stream.Stream<Uint8Array, unknown> => {
  if (body === undefined) return Stream.empty
  if (typeof body === "string") return Stream.succeed(textEncoder.encode(body))
  return isBytes(body) ? Stream.succeed(body) : body
}

const textEncoder = new TextEncoder()

const noFields: FieldsInput = {}
