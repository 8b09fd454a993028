/**
 * One attempt of a call: its request on its way, its time, and the rules of the
 * response. What is done with the messages is up to those who extend it.
 *
 * ```text
 *  waiting ──▶ replying ──▶ ended ──▶ over
 *     │            │ the server has said its status, and not all is taken
 *     └────────────┴─────────────────▶ over
 * ```
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as GrpcEncoding from "../../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMetadata from "../../protocol/grpc/GrpcMetadata.ts"
import * as Code from "../../protocol/http2/Http2ErrorCode.ts"
import type { Http2Fields } from "../../protocol/http2/Http2Fields.ts"
import type { Http2ResponseHead } from "../../protocol/http2/Http2Head.ts"
import { Timer } from "../../session/Timers.ts"
import { GrpcInbound } from "../GrpcInbound.ts"
import { AttemptFailed, type AttemptStart, type FailedOptions } from "./GrpcAttempts.ts"
import type { GrpcClientCall, Requests } from "./GrpcClientCall.ts"
import * as GrpcClientCallResponse from "./GrpcClientCallResponse.ts"
import * as GrpcClientError from "./GrpcClientError.ts"
import { GrpcClientStreamRequests } from "./GrpcClientStreamRequests.ts"
import type { AttemptReceiver, Failure, GrpcStream } from "./GrpcConnector.ts"

/** @category models */
export abstract class GrpcClientCallAttempt implements AttemptReceiver {
  readonly call: GrpcClientCall
  protected phase: "waiting" | "replying" | "ended" | "over" = "waiting"
  /** There from `replying` on. */
  protected inbound: GrpcInbound | undefined = undefined
  /** `undefined` where it could not be sent. */
  protected stream: GrpcStream | undefined = undefined
  private start: AttemptStart | undefined = undefined
  private head: Http2ResponseHead | undefined = undefined
  private fields: Http2Fields | undefined = undefined
  private timer: Timer | undefined = undefined
  private upload: GrpcClientStreamRequests | undefined = undefined
  private uploading: Fiber.Fiber<void, unknown> | undefined = undefined

  constructor(call: GrpcClientCall) {
    this.call = call
  }

  /** Sends it, or fails at once. */
  open(start: AttemptStart): void {
    const { call } = this
    const { connector } = call.calls
    this.start = start
    let leftMillis = Number.POSITIVE_INFINITY
    if (call.untilMillis !== Number.POSITIVE_INFINITY) {
      leftMillis = call.untilMillis - connector.timers.now()
      if (!(leftMillis > 0)) {
        this.fail(GrpcClientError.expired("NotSent"), { isCommitted: true })
        return
      }
    }
    const attempt = {
      path: call.method.path,
      headers: call.head.of(call.options.metadata, leftMillis, start.previousAttempts),
      body: call.body,
      rest: call.requests === undefined ? ("whole" as const) : ("open" as const),
      waitForReady: call.waitForReady,
      besides: start.besides
    }
    const opened = connector.openUnsafe(attempt, this)
    if ("_tag" in opened) {
      this.fail(GrpcClientError.of(opened), { failure: opened })
      return
    }
    this.stream = opened
    start.onStream(opened)
    if (call.watch === "attempt") this.arm()
    if (call.requests !== undefined) this.startUpload(opened, call.requests)
  }

  /** Nobody wants the reply any more, or what is left of it. Nothing for an attempt that is over. */
  release(): void {
    if (this.phase === "over") return
    this.phase = "over"
    this.letGo()
    this.inbound?.release()
    this.stream?.release()
  }

  /** Ends when the stream of requests has let go of what it holds. */
  get stopped(): Effect.Effect<void> {
    return Effect.suspend(() => (this.uploading === undefined ? Effect.void : Fiber.interrupt(this.uploading)))
  }

  // What the connection says.

  onHead(head: Http2ResponseHead, ended: boolean): void {
    if (this.phase !== "waiting") return
    this.head = head
    if (ended) {
      this.finish(head, undefined)
      return
    }
    const inbound = this.inboundOf(head)
    if (inbound instanceof GrpcError.GrpcError) {
      this.fail(inbound)
      return
    }
    this.inbound = inbound
    this.phase = "replying"
    this.start!.onCommitted()
    if (this.tell(this.call.options.onMetadata, head)) this.began()
  }

  onData(data: Uint8Array): void {
    if (this.phase === "replying") this.received(data)
    else this.stream!.consume(data.length)
  }

  onEnd(trailers: Http2Fields | undefined): void {
    if (this.phase === "replying") this.finish(this.head!, trailers)
  }

  onWritable(): void {
    this.upload?.wake()
  }

  onClosed(failure: Failure | undefined): void {
    if (this.phase === "ended") this.closed()
    else if (this.phase !== "over" && failure !== undefined) this.lost(GrpcClientError.of(failure), failure)
  }

  // What is done with that.

  /** Metadata has come, and messages may. */
  protected abstract began(): void

  /** A part of the messages, which is still to be consumed. */
  protected abstract received(data: Uint8Array): void

  /** The response is whole, and `error` is its status. {@link closed} follows. */
  protected abstract ended(error: GrpcError.GrpcError | undefined): void

  /** The stream of a response that is whole is gone. */
  protected abstract closed(): void

  /** It is over without a reply, or with only a part of it. */
  protected abstract failed(failure: AttemptFailed): void

  /** A listener of the caller has thrown. */
  protected abstract died(defect: unknown): void

  /** The stream is gone before the response was whole. */
  protected lost(error: GrpcError.GrpcError, failure: Failure): void {
    this.fail(error, { failure })
  }

  /** Ends it with an error: the server is told, where it does not know. */
  protected fail(error: GrpcError.GrpcError, options?: FailedOptions): void {
    if (this.phase === "over") return
    const failure = this.failureOf(error, options)
    this.release()
    this.failed(failure)
  }

  /** What the response of the server has ended with. */
  protected statusFailure(error: GrpcError.GrpcError): AttemptFailed {
    const pushback = this.inbound === undefined ? this.trailers.header("grpc-retry-pushback-ms") : undefined
    return this.failureOf(error, { pushback })
  }

  private failureOf(error: GrpcError.GrpcError, options?: FailedOptions): AttemptFailed {
    const isCommitted = this.inbound !== undefined || this.upload?.hasTaken === true || options?.isCommitted
    return new AttemptFailed(error, { ...options, isCommitted, stream: this.stream })
  }

  /** Tells the caller of metadata; `false`: that failed, and the attempt with it. */
  protected tell(listener: ((metadata: GrpcMetadata.GrpcMetadata) => void) | undefined, fields: Http2Fields): boolean {
    if (listener === undefined) return true
    try {
      listener(GrpcMetadata.fromFields(fields))
      return true
    } catch (defect) {
      // It is a mistake of this call alone: others are on the same connection.
      this.release()
      this.died(defect)
      return false
    }
  }

  /** What the status came with. */
  protected get trailers(): Http2Fields {
    return this.fields!
  }

  /** Who reads the messages behind a head, or why none can come. */
  private inboundOf(head: Http2ResponseHead): GrpcInbound | GrpcError.GrpcError {
    const { calls, maxReceiveBytes, method } = this.call
    const error = GrpcClientCallResponse.headError(head)
    if (error !== undefined) return error
    const compressor = calls.connector.encodings.forReceiving("client", head.header("grpc-encoding"))
    if (GrpcEncoding.isUnsupported(compressor)) return GrpcError.fromViolation(compressor)
    return new GrpcInbound(method.response, compressor, maxReceiveBytes)
  }

  private finish(head: Http2ResponseHead, trailers: Http2Fields | undefined): void {
    this.fields = trailers ?? head
    this.conclude()
    this.ended(GrpcClientCallResponse.endError(head, trailers))
    // "Early Server Closure": what of the request is not sent yet is not wanted any more.
    this.stream!.reset(Code.NoError)
  }

  /** No more is sent, and no more comes. */
  protected conclude(): void {
    this.phase = "ended"
    this.letGo()
  }

  /** Looks at the time from now on. */
  protected arm(): void {
    const { calls, untilMillis } = this.call
    if (this.timer !== undefined || untilMillis === Number.POSITIVE_INFINITY) return
    this.timer = new Timer(() => this.fail(GrpcClientError.expired("MaybeProcessed"), { isCommitted: true }))
    calls.connector.timers.set(this.timer, untilMillis)
  }

  private letGo(): void {
    if (this.timer !== undefined) this.call.calls.connector.timers.clear(this.timer)
    this.uploading?.interruptUnsafe()
  }

  private startUpload(stream: GrpcStream, requests: Requests): void {
    const { call } = this
    const upload = new GrpcClientStreamRequests()
    this.upload = upload
    const run = upload.run(stream, requests.stream, (request) => call.encode(request))
    const uploading = Effect.runForkWith(call.context as Context.Context<unknown>)(run)
    this.uploading = uploading
    if (!this.isOpen) uploading.interruptUnsafe()
    uploading.addObserver((exit) => {
      if (Exit.isSuccess(exit) || !this.isOpen) return
      requests.failure = exit.cause
      this.fail(GrpcClientError.requestsFailed(Cause.squash(exit.cause)), { isCommitted: true })
    })
  }

  private get isOpen(): boolean {
    return this.phase === "waiting" || this.phase === "replying"
  }
}
