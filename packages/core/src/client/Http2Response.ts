/**
 * The response of a server to a request of an HTTP/2 session.
 *
 * It lives as long as the scope of its request; then what is left of it is
 * given up.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as Stream from "effect/Stream"
import type { Http2ResponseHead } from "../protocol/http2/Http2Head.ts"
import * as Limit from "../protocol/Limit.ts"
import * as Http2ClientError from "../session/Http2ClientError.ts"
import type { BodyFailure, HttpBody } from "../session/HttpBody.ts"
import type { Signal } from "../session/Signal.ts"

/** @category options */
export interface ReadOptions {
  /** The largest body that is held whole. At least 1 byte. Default 2 MiB. */
  readonly maxSize?: ByteSize.Input | "unbounded" | undefined
}

/** @category models */
export interface Http2Response {
  readonly status: number
  /** All but `Set-Cookie`; values of one name are joined by ", ". */
  readonly headers: Headers.Headers
  /** The values of `Set-Cookie`, which cannot be joined. */
  readonly setCookies: ReadonlyArray<string>
  /** What the server said of the body's size. */
  readonly lengthBytes: number | undefined
  /** The body as it comes, once. The server sends no faster than it is taken. */
  readonly stream: Stream.Stream<Uint8Array, Http2ClientError.Http2ClientError>
  /** The body whole, once. Above `maxSize` the response is given up with `ResponseTooLarge`. */
  readonly bytes: (options?: ReadOptions) => Effect.Effect<Uint8Array, Http2ClientError.Http2ClientError>
  /** The same as text; what is no UTF-8 becomes U+FFFD. */
  readonly text: (options?: ReadOptions) => Effect.Effect<string, Http2ClientError.Http2ClientError>
  /**
   * The fields behind the body, none where there were none. Waits for the end
   * of the body, which somebody else reads: a large one does not end unread.
   */
  readonly trailers: Effect.Effect<Headers.Headers, Http2ClientError.Http2ClientError>
}

/** What a response asks of its request. @category models */
export interface Source {
  readonly body: HttpBody
  /** Whether the body is whole: fires at its end, and when it is lost. */
  readonly over: Signal
  /** Why the response did not become whole. */
  readonly failure: Http2ClientError.Reason | undefined
  /** Ends the request with `reason`. */
  giveUp(reason: Http2ClientError.Reason): void
}

/** @category constructors */
export const make = (head: Http2ResponseHead, source: Source): Http2Response => new Response(head, source)

/** DESIGN §4: what is read whole. */
const defaultBytes = 2 * 1024 * 1024

class Response implements Http2Response {
  readonly status: number
  private readonly head: Http2ResponseHead
  private readonly source: Source
  private record: Headers.Headers | undefined = undefined

  constructor(head: Http2ResponseHead, source: Source) {
    this.status = head.status
    this.head = head
    this.source = source
  }

  get headers(): Headers.Headers {
    this.record ??= Headers.fromInput(this.head.headers())
    return this.record
  }

  get setCookies(): ReadonlyArray<string> {
    return this.head.setCookies()
  }

  get lengthBytes(): number | undefined {
    return this.head.lengthBytes
  }

  get stream(): Http2Response["stream"] {
    const { source } = this
    const pull = Effect.mapError(source.body.pull, (failure) =>
      failure._tag === "Done" ? failure : this.errorOf(failure)
    )
    return Stream.fromPull(Effect.succeed(pull))
  }

  bytes(options?: ReadOptions): Effect.Effect<Uint8Array, Http2ClientError.Http2ClientError> {
    const maxBytes = Limit.bytesOrUnbounded("maxSize", options?.maxSize, defaultBytes)
    return Effect.mapError(this.source.body.collect(maxBytes), (failure) => this.errorOf(failure))
  }

  text(options?: ReadOptions): Effect.Effect<string, Http2ClientError.Http2ClientError> {
    return Effect.map(this.bytes(options), (bytes) => textDecoder.decode(bytes))
  }

  get trailers(): Http2Response["trailers"] {
    const { source } = this
    return Effect.flatMap(source.over.await, () =>
      source.failure === undefined
        ? Exit.succeed(Headers.fromInput(source.body.trailers?.headers()))
        : Exit.fail(Http2ClientError.make(source.failure))
    )
  }

  private errorOf(failure: BodyFailure): Http2ClientError.Http2ClientError {
    if (failure._tag === "BodyTooLarge") {
      this.source.giveUp(new Http2ClientError.ResponseTooLarge("body", failure.limitBytes, "bytes"))
    }
    return Http2ClientError.make(this.source.failure ?? new Http2ClientError.Cancelled("MaybeProcessed"))
  }
}

const textDecoder = new TextDecoder()
