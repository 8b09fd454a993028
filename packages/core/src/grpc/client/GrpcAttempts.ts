/**
 * How often a call is tried: once, and again where that is safe, or where the
 * channel's service configuration says so (gRPC proposal A6).
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { Failure, GrpcStream } from "./GrpcConnector.ts"
import * as GrpcHedging from "./GrpcHedging.ts"
import type { GrpcHedgingPolicy } from "./GrpcHedgingPolicy.ts"
import * as GrpcRetry from "./GrpcRetry.ts"
import type { GrpcServiceConfig } from "./GrpcServiceConfig.ts"
import { GrpcThrottle } from "./GrpcThrottle.ts"

/** @category models */
export interface GrpcAttempts {
  /**
   * Makes a call by its attempts. The effect of `once` ends with the reply, or,
   * of a method with many, when the server has begun to answer; where it is
   * interrupted, it gives its stream up. The deadline of the call is not ours.
   */
  run<A, R>(method: GrpcMethod, once: Once<A, R>): Effect.Effect<A, GrpcError, R>
  /**
   * Whether the calls of a method may wait between their attempts, or have many
   * at a time. Where not, one attempt is on its way as long as the call goes on.
   */
  hasPolicy(method: GrpcMethod): boolean
}

/** Makes one attempt. @category models */
export type Once<A, R> = (attempt: AttemptStart) => Effect.Effect<A, AttemptFailed, R>

/** What an attempt is told. @category models */
export interface AttemptStart {
  /** For `grpc-previous-rpc-attempts`, which is not sent where it is 0. Transparent retries do not count. */
  readonly previousAttempts: number
  /** The stream of the latest attempt before: this one goes to another server where there is a choice. */
  readonly besides: GrpcStream | undefined
  /** Is told the stream as soon as there is one. */
  readonly onStream: (stream: GrpcStream) => void
  /** Is told that the head of an answer came which is not trailers only: from then on no other attempt is made. */
  readonly onCommitted: () => void
}

/** @category options */
export interface FailedOptions {
  /**
   * Whether a head that was not trailers only had come. Of a call whose
   * requests are a stream, also: whether one was taken from it that cannot be
   * sent again. Default `false`.
   */
  readonly isCommitted?: boolean | undefined
  /** The text of the trailer `grpc-retry-pushback-ms`. Default: there was none. */
  readonly pushback?: string | undefined
  /** What the connector said, where the attempt did not end with a status of the server. */
  readonly failure?: Failure | undefined
  /** The attempt's own, over by now: the next one goes beside it. */
  readonly stream?: GrpcStream | undefined
}

/** An attempt failed. @category errors */
export class AttemptFailed {
  /** What the call fails with, when there is no further attempt. */
  readonly error: GrpcError
  readonly isCommitted: boolean
  /** How long the server wants the next attempt to wait, in milliseconds, or that there is none. */
  readonly pushback: number | "stop" | undefined
  readonly reach: Reach
  readonly stream: GrpcStream | undefined
  constructor(error: GrpcError, options?: FailedOptions) {
    this.error = error
    this.isCommitted = options?.isCommitted ?? false
    this.pushback = options?.pushback === undefined ? undefined : parsePushback(options.pushback)
    this.reach = options?.failure === undefined ? "Handler" : reachOf(options.failure)
    this.stream = options?.stream
  }
}

/**
 * How far an attempt came (A6, "Transparent Retries"): nothing of it was sent
 * because its connection ended, the server did not look at it, or it may have.
 *
 * @category models
 */
export type Reach = "Nobody" | "Server" | "Handler"

/**
 * "The value is to be an ASCII encoded signed 32-bit integer with no
 * unnecessary leading zeros"; "negative or unparseable" is `stop`.
 *
 * @category parsing
 */
export const parsePushback = (text: string): number | "stop" => {
  if (!/^(0|[1-9][0-9]{0,9})$/.test(text)) return "stop"
  const waitMillis = Number(text)
  return waitMillis <= maxInt32 ? waitMillis : "stop"
}

const maxInt32 = 0x7fff_ffff

/**
 * Only the end of a session lets an attempt that was not sent be made again at
 * once: the next one finds another session, or waits. What the channel says
 * itself, and the limits of this process, would be said again.
 */
const reachOf = (failure: Failure): Reach => {
  if (failure instanceof GrpcError) return "Handler"
  if (failure.retry === "RefusedByServer") return "Server"
  if (failure.retry === "MaybeProcessed") return "Handler"
  switch (failure._tag) {
    case "GoneAway":
    case "IdleTimeout":
    case "ConnectionLost":
    case "ConnectionViolated":
    case "SessionClosed":
      return "Nobody"
    default:
      return "Handler"
  }
}

/** With no policy: only attempts that no handler has seen are made again. @category constructors */
export const once: GrpcAttempts = {
  run: (_method, once) => GrpcRetry.run(undefined, undefined, once),
  hasPolicy: () => false
}

/**
 * As a service configuration says. Each has a throttle of its own, so make one
 * for a channel.
 *
 * @category constructors
 */
export const make = (config: GrpcServiceConfig): Effect.Effect<GrpcAttempts> =>
  Effect.sync(() => {
    const throttle = config.throttling === undefined ? undefined : new GrpcThrottle(config.throttling)
    return {
      run: (method, once) => {
        const { retry } = config.methodOf(method)
        const hedging = hedgingOf(config, method)
        return hedging === undefined ? GrpcRetry.run(retry, throttle, once) : GrpcHedging.run(hedging, throttle, once)
      },
      hasPolicy: (method) => config.methodOf(method).retry !== undefined || hedgingOf(config, method) !== undefined
    }
  })

/** Two attempts cannot both read the requests of the caller. */
const hedgingOf = (config: GrpcServiceConfig, method: GrpcMethod): GrpcHedgingPolicy | undefined =>
  method.kind === "client_streaming" || method.kind === "bidi_streaming" ? undefined : config.methodOf(method).hedging
