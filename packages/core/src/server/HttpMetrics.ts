/**
 * Metrics of a server's requests, by the names of OpenTelemetry's semantic
 * conventions for HTTP servers.
 *
 * ```ts
 * const Server = NodeWebServer.layer({ port: 3000, observers: [HttpMetrics.make] })
 * ```
 *
 * - `http.server.request.duration`, in seconds, and
 *   `http.server.response.body.size`, in bytes: histograms by method, status,
 *   scheme and version; `error.type` where the response was not whole.
 * - `http.server.active_requests`: a gauge by method and scheme.
 *
 * Series are as many as these words allow and no more: a method that is not
 * registered counts as `_OTHER`. The route is not among them, since a server
 * does not know it. A server without metrics spends nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { HttpExchange } from "../session/HttpExchange.ts"
import type { HttpObserver, HttpRecord } from "./HttpObserver.ts"

/** For the option `observers` of a server, whose registry has the metrics. @category constructors */
export const make: Effect.Effect<HttpObserver> = Effect.map(Effect.context<never>(), (context) => {
  const ended = new Map<string, Series>()
  const active = new Map<string, { readonly gauge: Metric.Gauge<number>; count: number }>()

  const activeOf = (exchange: HttpExchange) => {
    const attributes = { "http.request.method": methodOf(exchange), "url.scheme": exchange.scheme }
    const key = `${attributes["http.request.method"]} ${exchange.scheme}`
    let series = active.get(key)
    if (series === undefined) {
      series = {
        gauge: Metric.gauge("http.server.active_requests", { description: "Requests in flight", attributes }),
        count: 0
      }
      active.set(key, series)
    }
    return series
  }

  const move = (exchange: HttpExchange, by: 1 | -1): void => {
    const series = activeOf(exchange)
    series.count += by
    series.gauge.updateUnsafe(series.count, context)
  }

  return {
    onRequest: (exchange) => move(exchange, 1),
    onEnd: (record) => {
      move(record.exchange, -1)
      const attributes = attributesOf(record)
      const key = Object.values(attributes).join(" ")
      let series = ended.get(key)
      if (series === undefined) {
        series = seriesOf(attributes)
        ended.set(key, series)
      }
      series.duration.updateUnsafe(record.durationMillis / 1_000, context)
      series.bodySize.updateUnsafe(record.sentBodyBytes, context)
    }
  }
})

interface Series {
  readonly duration: Metric.Histogram<number>
  readonly bodySize: Metric.Histogram<number>
}

/** The conventions ask for these buckets, so that servers can be compared. */
const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const sizeBoundaries = [0, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]

const seriesOf = (attributes: Readonly<Record<string, string>>): Series => ({
  duration: Metric.histogram("http.server.request.duration", {
    description: "Seconds from the head of a request to the end of its response",
    boundaries: durationBoundaries,
    attributes
  }),
  bodySize: Metric.histogram("http.server.response.body.size", {
    description: "Bytes of response bodies",
    boundaries: sizeBoundaries,
    attributes
  })
})

const attributesOf = ({ exchange, outcome, status }: HttpRecord): Record<string, string> => {
  const error = outcome === "aborted" || outcome === "cut" ? outcome : serverErrorOf(status)
  return {
    "http.request.method": methodOf(exchange),
    "url.scheme": exchange.scheme,
    "network.protocol.version": exchange.version,
    ...(status === undefined ? {} : { "http.response.status_code": String(status) }),
    ...(error === undefined ? {} : { "error.type": error })
  }
}

const serverErrorOf = (status: number | undefined): string | undefined =>
  status !== undefined && status >= 500 ? String(status) : undefined

const methodOf = ({ method }: HttpExchange): string => (methods.has(method) ? method : "_OTHER")

/** Methods are the client's words: unknown ones would be series without end. */
const methods: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE"
])
