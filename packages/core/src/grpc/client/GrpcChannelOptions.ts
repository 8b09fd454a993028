/**
 * What a channel is told beside its servers, converted once.
 *
 * @internal
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as Http2Options from "../../protocol/http2/Http2Options.ts"
import * as Limit from "../../protocol/Limit.ts"
import type { TlsClientOptions } from "../../transport/Tls.ts"
import type { GrpcObserver } from "../GrpcObserver.ts"
import * as GrpcAttempts from "./GrpcAttempts.ts"
import type { CallDefaults } from "./GrpcCallDefaults.ts"
import type { GrpcInterceptor } from "./GrpcInterceptor.ts"
import type { Balancing } from "./GrpcPicker.ts"
import type { GrpcServiceConfig } from "./GrpcServiceConfig.ts"

/** What calls have that say nothing else. @category options */
export interface CallOptions {
  /** Around every call, in reading order: the first is the outermost. Default none. */
  readonly interceptors?: ReadonlyArray<GrpcInterceptor> | undefined
  /**
   * How long a call may take, with all its attempts, where it does not say so
   * itself. Above 0. Default `"unbounded"`. Above: `DeadlineExceeded`, and the
   * server is told.
   */
  readonly timeout?: Duration.Input | "unbounded" | undefined
  /**
   * Whether calls wait while no server can be reached, for as long as their own
   * timeout, in place of failing with `Unavailable` at once. Default `false`.
   */
  readonly waitForReady?: boolean | undefined
  /**
   * How requests are compressed, by its name, as `gzip`. One that is not there
   * (`GrpcCompression`) is a defect. Default: not at all; compressed replies
   * are read all the same.
   */
  readonly compression?: string | undefined
  /** The largest reply, decompressed. At least 1 byte. Default 4 MiB. Above: `ResourceExhausted`. */
  readonly maxReceiveMessageSize?: ByteSize.Input | "unbounded" | undefined
  /** The largest request, before its compression. At least 1 byte. Default `"unbounded"`. Above: `ResourceExhausted`. */
  readonly maxSendMessageSize?: ByteSize.Input | "unbounded" | undefined
  /** Stands in front of the library's own `user-agent`. Default none. */
  readonly userAgent?: string | undefined
  /** Who is told of each call: `GrpcMetrics.client`, or one's own. Default nobody. */
  readonly observers?: ReadonlyArray<Effect.Effect<GrpcObserver>> | undefined
  /**
   * Which methods are tried again or hedged, and how often; and their own
   * timeouts, sizes and `waitForReady`. Default: tried again is what no server
   * has looked at, and nothing else.
   */
  readonly serviceConfig?: GrpcServiceConfig | undefined
}

/**
 * Those of HTTP/2 hold for each connection. Some have other defaults here:
 *
 * - `connectionWindow` 2 GiB - 1: what a stream of replies leaves unread is
 *   limited by its `streamWindow` alone, so that no call waits for those who
 *   read slowly, who may be waiting for that call;
 * - `pingInterval` 6 minutes: servers of gRPC end connections that ask more
 *   often than every 5 (GOAWAY, `too_many_pings`). After such an end a server
 *   is asked half as often;
 * - `idleTimeout` 30 minutes, `sendTimeout` 5 minutes, and `bodyTimeout`
 *   `"unbounded"`, since a stream may be silent for long.
 *
 * @category options
 */
export interface Options extends Http2Options.Options, CallOptions {
  /** Speak TLS. Default: cleartext. */
  readonly tls?: TlsClientOptions | undefined
  /** `:authority` of all calls. Default: that of each server. */
  readonly authority?: string | undefined
  /** Which server a call goes to. Default `pick_first`. */
  readonly balancing?: Balancing | undefined
  /** `lazy`: when the first call is made. `eager`: at once. Default `lazy`. */
  readonly connect?: "lazy" | "eager" | undefined
  /** Longest time until a server is connected and has sent its SETTINGS. Above 0. Default 20 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long a server is left alone that could not be reached, counted from
   * the beginning of the attempt; its input is the error. It begins anew once
   * the server was reached; where it ends, its last delay stays. Default: that
   * of gRPC (`GrpcBackoff.schedule`), from 1 second up to 120.
   */
  readonly backoff?: Schedule.Schedule<unknown, unknown> | undefined
  /**
   * Connections to one server. A further one is made when those that are there
   * take no more calls (SETTINGS_MAX_CONCURRENT_STREAMS). At least 1. Default 4.
   */
  readonly maxConnections?: number | undefined
  /** Calls that may wait for a connection or for a place on one. At least 0. Default 1,024. Above: `ResourceExhausted`. */
  readonly maxWaiting?: number | undefined
  /**
   * How long a call may wait so. Above 0. Default 30 seconds. Above:
   * `Unavailable`. No effect for calls that wait until a server can be reached.
   */
  readonly waitTimeout?: Duration.Input | "unbounded" | undefined
  /** How long calls on their way may take when the channel closes. Above 0. Default 5 seconds. */
  readonly drainTimeout?: Duration.Input | undefined
}

/** Converted. Throws a `RangeError` for what makes no sense. @category constructors */
export const resolve = (options: Options) => ({
  limits: Http2Options.resolve("client", {
    ...options,
    connectionWindow: Limit.bytes("connectionWindow", options.connectionWindow, Http2Options.maxWindowBytes),
    pingInterval: options.pingInterval ?? "6 minutes",
    idleTimeout: options.idleTimeout ?? "30 minutes",
    bodyTimeout: options.bodyTimeout ?? "unbounded",
    sendTimeout: options.sendTimeout ?? "5 minutes"
  }),
  connectMillis: Limit.millis("connectTimeout", options.connectTimeout ?? "20 seconds"),
  connectionCount: Limit.count("maxConnections", options.maxConnections ?? 4),
  drainMillis: Limit.millis("drainTimeout", options.drainTimeout ?? "5 seconds"),
  waiting: {
    waitingCount: Limit.count("maxWaiting", options.maxWaiting ?? 1024, 0),
    waitingMillis: Limit.millisOrUnbounded("waitTimeout", options.waitTimeout ?? "30 seconds")
  }
})

/** What calls have that say nothing else. @category constructors */
export const callDefaults = (options: CallOptions): Effect.Effect<CallDefaults> => {
  const { serviceConfig } = options
  return Effect.map(
    Effect.all([
      serviceConfig === undefined ? Effect.succeed(GrpcAttempts.once) : GrpcAttempts.make(serviceConfig),
      Effect.all(options.observers ?? [])
    ]),
    ([attempts, observers]): CallDefaults => ({
      interceptors: options.interceptors ?? [],
      attempts,
      timeoutMillis: Limit.millisOrUnbounded("timeout", options.timeout ?? "unbounded"),
      waitForReady: options.waitForReady ?? false,
      compression: options.compression,
      maxReceiveBytes: Limit.bytesOrUnbounded("maxReceiveMessageSize", options.maxReceiveMessageSize, 4 * 1024 * 1024),
      maxSendBytes: Limit.bytesOrUnbounded("maxSendMessageSize", options.maxSendMessageSize, Number.POSITIVE_INFINITY),
      userAgent: options.userAgent === undefined ? ownUserAgent : `${options.userAgent} ${ownUserAgent}`,
      observers,
      methods: serviceConfig
    })
  )
}

/** gRPC over HTTP/2, "User Agents": `grpc-` with the language, the variant and the version. */
const ownUserAgent = "grpc-js-sluice/0.1.0"
