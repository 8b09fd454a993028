/**
 * A call as it was ordered, before its attempts: what its options, the
 * channel's defaults and the call around it come to.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Stream from "effect/Stream"
import * as GrpcEncoding from "../../protocol/grpc/GrpcEncoding.ts"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import * as Limit from "../../protocol/Limit.ts"
import { Timer } from "../../session/Timers.ts"
import { GrpcDeadline } from "../GrpcDeadline.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import * as GrpcOutbound from "../GrpcOutbound.ts"
import type * as GrpcAttempts from "./GrpcAttempts.ts"
import type { CallDefaults } from "./GrpcCallDefaults.ts"
import type { GrpcCallOptions } from "./GrpcCallOptions.ts"
import type { GrpcChannel } from "./GrpcChannel.ts"
import { GrpcClientCallHead } from "./GrpcClientCallHead.ts"
import * as GrpcClientError from "./GrpcClientError.ts"
import type { GrpcConnector } from "./GrpcConnector.ts"
import type { MethodConfig } from "./GrpcServiceConfig.ts"

/** What all calls of a client share. @category models */
export class GrpcClientCalls {
  readonly connector: GrpcConnector
  readonly defaults: CallDefaults
  private readonly ways = new Map<string, Way>()

  constructor(channel: GrpcChannel["Service"]) {
    this.connector = channel.connector
    this.defaults = channel.calls
  }

  /** Throws for options that are wrong. */
  begin(method: GrpcMethod, options: GrpcCallOptions, fiber: Fiber.Fiber<unknown, unknown>): GrpcClientCall {
    const { connector, defaults } = this
    const config = defaults.methods?.methodOf(method)
    const timeoutMillis =
      options.timeout === undefined
        ? (config?.timeoutMillis ?? defaults.timeoutMillis)
        : // service_config.md: the lesser of the two.
          least(config?.timeoutMillis, Limit.millisOrUnbounded("timeout", options.timeout))
    let untilMillis = fiber.getRef(GrpcDeadline)
    if (timeoutMillis !== Number.POSITIVE_INFINITY) {
      untilMillis = Math.min(untilMillis, connector.timers.now() + timeoutMillis)
    }
    const way = this.wayOf(options.compression ?? defaults.compression ?? GrpcEncoding.identity)
    return new GrpcClientCall(this, method, config, options, way, untilMillis, fiber.context)
  }

  private wayOf(compression: string): Way {
    const known = this.ways.get(compression)
    if (known !== undefined) return known
    const { encodings } = this.connector
    const compressor = encodings.findOrThrow(compression)
    const head = new GrpcClientCallHead(this.defaults.userAgent, encodings.acceptText, compressor?.name)
    const way = { compressor, head }
    this.ways.set(compression, way)
    return way
  }
}

/** Calls that are compressed alike; there are as many as the channel has compressors. */
interface Way {
  readonly compressor: GrpcEncoding.Compressor | undefined
  readonly head: GrpcClientCallHead
}

/** A stream of requests. @category models */
export interface Requests {
  readonly stream: Stream.Stream<object, unknown, unknown>
  /** Why it failed: what the call fails with, whatever interceptors make of it. */
  failure: Cause.Cause<unknown> | undefined
}

/** @category models */
export class GrpcClientCall {
  readonly calls: GrpcClientCalls
  readonly method: GrpcMethod
  readonly options: GrpcCallOptions
  readonly waitForReady: boolean
  readonly maxReceiveBytes: number
  readonly maxSendBytes: number
  readonly compressor: GrpcEncoding.Compressor | undefined
  readonly head: GrpcClientCallHead
  /** Until when it may take, of the connector's timers; `Infinity` for no limit. */
  readonly untilMillis: number
  /** Who looks at the time: each attempt, where there are no pauses between them. */
  readonly watch: "attempt" | "call"
  /** Of the calling fiber. */
  readonly context: Context.Context<never>
  /** The request, encoded; `undefined` where they are a stream. */
  body: Uint8Array | undefined = undefined
  requests: Requests | undefined = undefined

  constructor(
    calls: GrpcClientCalls,
    method: GrpcMethod,
    config: MethodConfig | undefined,
    options: GrpcCallOptions,
    way: Way,
    untilMillis: number,
    context: Context.Context<never>
  ) {
    this.calls = calls
    this.method = method
    this.options = options
    const { defaults } = calls
    this.waitForReady = options.waitForReady ?? config?.waitForReady ?? defaults.waitForReady
    this.maxReceiveBytes = least(config?.maxResponseBytes, defaults.maxReceiveBytes)
    this.maxSendBytes = least(config?.maxRequestBytes, defaults.maxSendBytes)
    this.compressor = way.compressor
    this.head = way.head
    this.untilMillis = untilMillis
    this.watch = defaults.attempts.hasPolicy(method) ? "call" : "attempt"
    this.context = context
  }

  /** A request with its prefix, or why it cannot be sent. */
  encode(request: object): Uint8Array | GrpcError {
    return GrpcOutbound.encode(this.method.request, request, this.compressor, this.maxSendBytes)
  }

  /** Makes attempts until one is enough, or the time is over. */
  attempt<A, R>(once: GrpcAttempts.Once<A, R>): Effect.Effect<A, GrpcError, R> {
    const attempts = this.calls.defaults.attempts.run(this.method, once)
    if (this.watch === "attempt" || this.untilMillis === Number.POSITIVE_INFINITY) return attempts
    return Effect.raceFirst(attempts, this.expiry)
  }

  private get expiry(): Effect.Effect<never, GrpcError> {
    return Effect.callback((resume) => {
      const { timers } = this.calls.connector
      const timer = new Timer(() => resume(Effect.fail(GrpcClientError.expired("MaybeProcessed"))))
      timers.set(timer, this.untilMillis)
      return Effect.sync(() => timers.clear(timer))
    })
  }
}

const least = (limit: number | undefined, other: number): number =>
  limit === undefined ? other : Math.min(limit, other)
