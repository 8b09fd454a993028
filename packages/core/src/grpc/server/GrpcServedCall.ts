/**
 * A call that is served: reads its request, runs its handler on a fiber, and
 * sends what that answers.
 *
 * ```text
 *  unanswered ──▶ begun ──▶ ended      the head of the reply, then its trailers
 *       └───────────────────▲          trailers alone
 * ```
 *
 * It ends once: by its handler, by the deadline, or because the client is gone.
 * Whoever comes later finds it `ended`. A handler that has its answer at once
 * needs no fiber.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as NetAddress from "effect/net/NetAddress"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ProtobufCodec } from "../../protobuf/ProtobufCodec.ts"
import type { Compressor } from "../../protocol/grpc/GrpcEncoding.ts"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMetadata from "../../protocol/grpc/GrpcMetadata.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"
import type { Refusal } from "../../protocol/http/HttpReason.ts"
import type { Serving } from "../../session/HttpEnvironment.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import { Timer, type Timers } from "../../session/Timers.ts"
import type { TlsInfo } from "../../transport/Tls.ts"
import { GrpcDeadline } from "../GrpcDeadline.ts"
import * as GrpcMethod from "../GrpcMethod.ts"
import * as GrpcOutbound from "../GrpcOutbound.ts"
import { noFields } from "./GrpcNativeWire.ts"
import type { GrpcReply } from "./GrpcReply.ts"
import type { GrpcRequests } from "./GrpcRequests.ts"
import type { ServedMethod, ServerLimits } from "./GrpcServed.ts"
import * as GrpcServedFailure from "./GrpcServedFailure.ts"
import type { GrpcServerCall } from "./GrpcServerCall.ts"

/** What a call is served with. @category models */
export interface Parts {
  readonly served: ServedMethod
  readonly exchange: HttpExchange
  readonly reply: GrpcReply
  readonly requests: GrpcRequests
  readonly codec: ProtobufCodec
  readonly timers: Timers
  readonly limits: ServerLimits
  /** For the replies. */
  readonly compressor: Compressor | undefined
  /** The end of its time, by the timers; `Infinity` for none. */
  readonly untilMillis: number
  readonly onOver: (call: GrpcServedCall) => void
}

/** @category models */
export class GrpcServedCall implements GrpcServerCall, Serving {
  /** How it has ended. */
  code: GrpcStatus.Code = GrpcStatus.Unknown
  repliedCount = 0
  readonly parts: Parts
  private phase: "unanswered" | "begun" | "ended" = "unanswered"
  private fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** Whether something of it runs; `ended` behind the reply may be still to come. */
  private running: "yes" | "no" = "yes"
  private onEnd: (() => void) | undefined = undefined
  private interruptedBy: GrpcServedFailure.InterruptedBy = "nobody"
  private timer: Timer | undefined = undefined
  private compression: "on" | "off" = "on"
  private leading = GrpcMetadata.empty
  private trailing = GrpcMetadata.empty
  private received: GrpcMetadata.GrpcMetadata | undefined = undefined

  constructor(parts: Parts) {
    this.parts = parts
  }

  // What the handler sees.

  get method(): GrpcMethod.GrpcMethod {
    return this.parts.served.method
  }

  get metadata(): GrpcMetadata.GrpcMetadata {
    this.received ??= GrpcMetadata.fromFields(this.parts.exchange.fields)
    return this.received
  }

  get peer(): NetAddress.SocketAddress {
    return this.parts.exchange.transport.peer
  }

  get tls(): TlsInfo | undefined {
    return this.parts.exchange.transport.tls
  }

  get authority(): string {
    return this.parts.exchange.authority
  }

  get remaining(): Effect.Effect<Duration.Duration | undefined> {
    return Effect.sync(() => {
      const { timers, untilMillis } = this.parts
      if (untilMillis === Number.POSITIVE_INFINITY) return undefined
      return Duration.millis(Math.max(0, untilMillis - timers.now()))
    })
  }

  get previousAttempts(): number {
    const text = this.parts.exchange.header("grpc-previous-rpc-attempts")
    return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
  }

  get requestCount(): number {
    return this.parts.requests.count
  }

  get isRequestCompressed(): boolean {
    return this.parts.requests.form === "compressed"
  }

  addMetadata(metadata: GrpcMetadata.GrpcMetadata): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.phase === "begun") return Effect.die(new Error("the metadata in front of the reply was sent already"))
      this.leading = this.leading.merge(metadata)
      return Effect.void
    })
  }

  get sendMetadata(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.phase !== "unanswered") return Exit.void
      const failure = this.begin()
      return failure === undefined ? Exit.void : Exit.die(failure)
    })
  }

  addTrailers(metadata: GrpcMetadata.GrpcMetadata): Effect.Effect<void> {
    return Effect.sync(() => {
      this.trailing = this.trailing.merge(metadata)
    })
  }

  setCompression(compression: "on" | "off"): Effect.Effect<void> {
    return Effect.sync(() => {
      this.compression = compression
    })
  }

  // What the session sees.

  observe(ended: () => void): void {
    const { onEnd } = this
    this.onEnd = () => {
      onEnd?.()
      ended()
    }
  }

  interrupt(by: "peer" | "server"): void {
    if (this.interruptedBy === "nobody") this.interruptedBy = by
    this.fiber?.interruptUnsafe()
  }

  // What the server does.

  /** Serves the call; `undefined` when that has ended already. */
  start(): Serving | undefined {
    const { requests, served, timers, untilMillis } = this.parts
    if (untilMillis !== Number.POSITIVE_INFINITY) {
      this.timer = new Timer(() => this.expire())
      timers.set(this.timer, untilMillis)
    }
    if (GrpcMethod.takesMany(served.method)) return this.run(this.handled(requests.stream), this.finish)
    const request = requests.oneNow
    if (request === undefined) {
      return this.run(
        Effect.flatMap(requests.one, (request) => this.handled(request)),
        this.finish
      )
    }
    if (request instanceof GrpcError.GrpcError) return this.run(Exit.fail(request), this.finish)
    if (served.interceptor !== undefined || GrpcMethod.givesMany(served.method)) {
      return this.run(this.handled(request), this.finish)
    }
    return this.run(this.called(request) as Effect.Effect<object, GrpcError.GrpcError>, this.finishReply)
  }

  private run<A>(
    effect: Effect.Effect<A, GrpcError.GrpcError>,
    finish: (exit: Exit.Exit<A, GrpcError.GrpcError>) => void
  ): Serving | undefined {
    if (Exit.isExit(effect)) {
      finish(effect as Exit.Exit<A, GrpcError.GrpcError>)
      this.over()
      return undefined
    }
    const { served, untilMillis } = this.parts
    const scope = Scope.makeUnsafe()
    const scoped = Context.add(served.context, Scope.Scope, scope)
    const context = untilMillis === Number.POSITIVE_INFINITY ? scoped : Context.add(scoped, GrpcDeadline, untilMillis)
    const fiber = Effect.runForkWith(context)(effect)
    const ended = (exit: Exit.Exit<A, GrpcError.GrpcError>): void => {
      finish(exit)
      this.closeScope(scope, exit)
    }
    const exit = fiber.pollUnsafe()
    if (exit === undefined) {
      this.fiber = fiber
      fiber.addObserver(ended)
    } else ended(exit)
    return this.running === "yes" ? this : undefined
  }

  /** What the handler has left to its scope is done behind the reply. */
  private closeScope(scope: Scope.Closeable, exit: Exit.Exit<unknown, unknown>): void {
    const closing = Scope.closeUnsafe(scope, exit)
    if (closing === undefined) {
      this.over()
      return
    }
    Effect.runForkWith(this.parts.served.context)(Effect.uninterruptible(closing)).addObserver((exit) => {
      if (exit._tag === "Failure") GrpcServedFailure.report(this.parts.served, exit.cause)
      this.over()
    })
  }

  /** The handler's answer; a handler that throws has a defect. */
  private called(request: Message | Stream.Stream<Message, GrpcError.GrpcError>) {
    try {
      return this.parts.served.handler(request, this)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  /** All of the handling, whatever the kind of the method. */
  private handled(
    request: Message | Stream.Stream<Message, GrpcError.GrpcError>
  ): Effect.Effect<void, GrpcError.GrpcError> {
    const { interceptor } = this.parts.served
    const replied = Effect.suspend(() => {
      const answer = this.called(request)
      if (Stream.isStream(answer)) return Stream.runForEachArray(answer, (replies) => this.sendAll(replies, 0))
      return Effect.flatMap(answer as Effect.Effect<object, GrpcError.GrpcError>, (reply) => this.sendOne(reply))
    })
    if (interceptor === undefined) return replied
    try {
      return interceptor(this, replied)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  private sendOne(reply: object): Effect.Effect<void, GrpcError.GrpcError> {
    const failure = this.send(reply)
    return failure === undefined ? Exit.void : Exit.fail(failure)
  }

  /** Sends as fast as the client takes them. */
  private sendAll(replies: ReadonlyArray<object>, first: number): Effect.Effect<void, GrpcError.GrpcError> {
    const { exchange } = this.parts
    for (let index = first; index < replies.length; index++) {
      const failure = this.send(replies[index]!)
      if (failure !== undefined) return Exit.fail(failure)
      if (!exchange.isWritable) return Effect.flatMap(this.writable, () => this.sendAll(replies, index + 1))
    }
    return Exit.void
  }

  private get writable(): Effect.Effect<void> {
    const { exchange } = this.parts
    return Effect.callback((resume) => {
      if (exchange.isWritable) return resume(Exit.void)
      const forget = exchange.onWritable(() => resume(Exit.void))
      return Effect.sync(forget)
    })
  }

  private send(reply: object): GrpcError.GrpcError | undefined {
    if (this.phase === "ended") return undefined
    const { codec, compressor, limits, reply: wire } = this.parts
    if (this.repliedCount > 0 && !GrpcMethod.givesMany(this.method)) return GrpcServedFailure.wrongCount("two")
    const by = this.compression === "on" ? compressor : undefined
    const bytes = GrpcOutbound.encode(codec, reply, by, limits.maxSendBytes)
    if (bytes instanceof GrpcError.GrpcError) return bytes
    const failure = this.phase === "unanswered" ? this.begin() : undefined
    if (failure !== undefined) return failure
    this.repliedCount++
    wire.message(bytes)
    return undefined
  }

  /** The head; or why metadata, such as more than the client takes, cannot be sent. */
  private begin(): GrpcError.GrpcError | undefined {
    const { compressor, reply } = this.parts
    const encoding = compressor === undefined ? undefined : { "grpc-encoding": compressor.name }
    const refusal =
      encoding === undefined && this.leading.isEmpty
        ? reply.begin(noFields)
        : reply.begin({ ...this.leading.toFields(), ...encoding })
    if (refusal?.fault === "caller") {
      this.leading = GrpcMetadata.empty
      return GrpcServedFailure.unsendable
    }
    this.phase = "begun"
    return undefined
  }

  private readonly finishReply = (exit: Exit.Exit<object, GrpcError.GrpcError>): void => {
    if (exit._tag === "Failure") {
      this.finish(exit)
      return
    }
    const failure = this.send(exit.value)
    this.finish(failure === undefined ? Exit.void : Exit.fail(failure))
  }

  private readonly finish = (exit: Exit.Exit<unknown, GrpcError.GrpcError>): void => {
    if (exit._tag === "Success") this.end(GrpcStatus.Ok, GrpcStatus.okTrailers)
    else if (this.interruptedBy === "peer" && Cause.hasInterruptsOnly(exit.cause)) this.ended(GrpcStatus.Cancelled)
    else this.fail(GrpcServedFailure.errorOf(this.parts.served, exit.cause, this.interruptedBy))
  }

  private fail(error: GrpcError.GrpcError): void {
    this.end(error.reason.code, GrpcServedFailure.trailersOf(this.parts.served, error))
  }

  private end(code: GrpcStatus.Code, status: FieldsInput): void {
    if (this.phase === "ended") return
    if (code === GrpcStatus.Ok && this.repliedCount === 0 && !GrpcMethod.givesMany(this.method)) {
      this.fail(GrpcServedFailure.told(this.parts.served, GrpcServedFailure.wrongCount("no")))
      return
    }
    // Metadata that was given before is the head's, also of a call that failed.
    if (this.phase === "unanswered" && (code === GrpcStatus.Ok || !this.leading.isEmpty)) {
      const failure = this.begin()
      if (failure !== undefined && code === GrpcStatus.Ok) {
        this.fail(GrpcServedFailure.told(this.parts.served, failure))
        return
      }
    }
    const trailers = this.trailing.isEmpty ? status : { ...this.trailing.toTrailers(), ...status }
    const { phase } = this
    this.ended(code)
    const refusal = this.close(phase, trailers)
    // The client must hear how the call has ended, if not why.
    if (refusal?.fault !== "caller") return
    this.close(phase, GrpcStatus.trailers(code, ""))
  }

  /** Nobody is told: the client is gone, or is about to hear it. */
  private ended(code: GrpcStatus.Code): void {
    if (this.phase === "ended") return
    this.phase = "ended"
    this.code = code
    if (this.timer !== undefined) this.parts.timers.clear(this.timer)
  }

  private close(phase: "unanswered" | "begun", trailers: FieldsInput): Refusal | undefined {
    const { reply } = this.parts
    return phase === "begun" ? reply.end(trailers) : reply.endOnly(trailers)
  }

  /** Its handler has ended, and all that it has left. */
  private over(): void {
    this.running = "no"
    this.parts.requests.release()
    this.parts.onOver(this)
    this.onEnd?.()
  }

  private expire(): void {
    this.fail(GrpcServedFailure.overdue)
    this.fiber?.interruptUnsafe()
  }
}
