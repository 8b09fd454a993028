/**
 * A line in the log for each request that a server has answered, or has not.
 *
 * ```ts
 * const Server = NodeWebServer.layer({ port: 3000, observers: [AccessLog.make()] })
 * ```
 *
 * The line is `GET /users/1 200`; what belongs to it is in annotations, by the
 * names of OpenTelemetry. Queries are left out: they may hold secrets.
 *
 * It is told after the response was handed over, by the loggers that the server
 * has. A server without it spends nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as LogLevel from "effect/LogLevel"
import * as NetAddress from "effect/net/NetAddress"
import type { HttpObserver, HttpRecord } from "./HttpObserver.ts"

/** @category options */
export interface Options {
  /** Default: `Info`, and `Warn` for 5xx and for responses that the server broke off. */
  readonly level?: ((record: HttpRecord) => LogLevel.Severity) | undefined
  /** Which requests are told. Default: all. */
  readonly filter?: ((record: HttpRecord) => boolean) | undefined
}

/** For the option `observers` of a server, whose loggers are told. @category constructors */
export const make = (options?: Options): Effect.Effect<HttpObserver> =>
  Effect.map(Effect.context<never>(), (context) => {
    const fork = Effect.runForkWith(context)
    const levelOf = options?.level ?? defaultLevel
    return {
      onRequest: () => {},
      onEnd: (record) => {
        // Within the fiber: an option that throws costs a line, and not the connection.
        fork(
          Effect.suspend(() =>
            options?.filter?.(record) === false
              ? Effect.void
              : Effect.annotateLogs(Effect.logWithLevel(levelOf(record))(lineOf(record)), annotationsOf(record))
          )
        )
      }
    }
  })

const defaultLevel = ({ outcome, status }: HttpRecord): LogLevel.Severity =>
  outcome === "cut" || (status !== undefined && status >= 500) ? "Warn" : "Info"

const lineOf = ({ exchange, outcome, status }: HttpRecord): string => {
  const told = outcome === "completed" || outcome === "upgraded" ? status : `${status ?? "-"} ${outcome}`
  return `${exchange.method} ${pathOf(exchange.target)} ${told}`
}

const annotationsOf = ({ durationMillis, exchange, sentBodyBytes, status }: HttpRecord): Record<string, unknown> => {
  const { peer } = exchange.transport
  return {
    "http.request.method": exchange.method,
    "url.path": pathOf(exchange.target),
    "url.scheme": exchange.scheme,
    "network.protocol.version": exchange.version,
    ...(status === undefined ? {} : { "http.response.status_code": status }),
    "http.response.body.size": sentBodyBytes,
    "http.server.request.duration": durationMillis / 1_000,
    ...(NetAddress.isInetAddress(peer) ? { "client.address": NetAddress.formatIp(peer.address) } : {})
  }
}

const pathOf = (target: string): string => {
  const query = target.indexOf("?")
  return query < 0 ? target : target.slice(0, query)
}
