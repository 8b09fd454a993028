/**
 * Metrics of the calls of a server or a channel, by the names of
 * OpenTelemetry's semantic conventions for RPC.
 *
 * ```ts
 * const Main = GrpcServer.serve(Services, { observers: [GrpcMetrics.server] })
 * ```
 *
 * With `client` in place of `server` for a channel:
 *
 * - `rpc.server.call.duration`, in seconds: a histogram by `rpc.method` and
 *   `rpc.response.status_code`; `error.type` where the code is an error of this
 *   side.
 * - `rpc.server.requests_per_rpc` and `rpc.server.responses_per_rpc`, messages
 *   of a call: histograms by the same, of methods that stream. The conventions
 *   had them until 1.37.
 * - `rpc.server.active_calls`, which no convention has: a gauge by `rpc.method`.
 *
 * Series are as many as there are methods and codes, and no more: a method that
 * the server does not have counts as `_OTHER`. Who has no metrics spends
 * nothing.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as GrpcStatus from "../protocol/grpc/GrpcStatus.ts"
import * as GrpcConventions from "./GrpcConventions.ts"
import type { GrpcCallRecord, GrpcCallStart, GrpcObserver } from "./GrpcObserver.ts"

/** For the option `observers` of a server. @category constructors */
export const server: Effect.Effect<GrpcObserver> = /*#__PURE__*/ Effect.suspend(() => make("server"))

/** For the option `observers` of a channel. @category constructors */
export const client: Effect.Effect<GrpcObserver> = /*#__PURE__*/ Effect.suspend(() => make("client"))

/**
 * As `server` or `client`, with attributes on every series, which tell one
 * channel from another: `{ "server.address": "greeter.internal" }`.
 *
 * @category constructors
 */
export const make = (
  role: GrpcConventions.Role,
  attributes?: Readonly<Record<string, string>>
): Effect.Effect<GrpcObserver> =>
  Effect.map(Effect.context<never>(), (context) => {
    const methods = new Map<string, MethodMetrics>()
    const of = ({ method }: GrpcCallStart): MethodMetrics => {
      const name = method === undefined ? GrpcConventions.otherMethod : method.path
      let metrics = methods.get(name)
      if (metrics === undefined) {
        metrics = new MethodMetrics(role, method, { ...GrpcConventions.system, ...attributes }, context)
        methods.set(name, metrics)
      }
      return metrics
    }
    return {
      onStart: (call) => of(call).move(1),
      onEnd: (record) => {
        const metrics = of(record)
        metrics.move(-1)
        metrics.end(record)
      }
    }
  })

class MethodMetrics {
  private readonly role: GrpcConventions.Role
  private readonly kind: "unary" | "streaming"
  private readonly attributes: Readonly<Record<string, string>>
  private readonly context: Context.Context<never>
  private readonly active: Metric.Gauge<number>
  private readonly byCode: Array<Series | undefined> = []
  private activeCount = 0

  constructor(
    role: GrpcConventions.Role,
    method: GrpcCallStart["method"],
    attributes: Readonly<Record<string, string>>,
    context: Context.Context<never>
  ) {
    this.role = role
    this.kind = method === undefined || method.kind === "unary" ? "unary" : "streaming"
    const name = method === undefined ? GrpcConventions.otherMethod : GrpcConventions.methodName(method)
    this.attributes = { ...attributes, "rpc.method": name }
    this.context = context
    this.active = Metric.gauge(`rpc.${role}.active_calls`, {
      description: "Calls in flight",
      attributes: this.attributes
    })
  }

  move(by: 1 | -1): void {
    this.activeCount += by
    this.active.updateUnsafe(this.activeCount, this.context)
  }

  end({ code, durationMillis, replyCount, requestCount }: GrpcCallRecord): void {
    this.byCode[code] ??= this.seriesOf(code)
    const { duration, messages } = this.byCode[code]
    duration.updateUnsafe(durationMillis / 1_000, this.context)
    if (messages === undefined) return
    messages.requests.updateUnsafe(requestCount, this.context)
    messages.responses.updateUnsafe(replyCount, this.context)
  }

  private seriesOf(code: GrpcStatus.Code): Series {
    const { kind, role } = this
    const attributes = { ...this.attributes, ...GrpcConventions.statusOf(role, code).attributes }
    const histogram = (name: string, description: string, boundaries: ReadonlyArray<number>) =>
      Metric.histogram(`rpc.${role}.${name}`, { description, boundaries, attributes })
    return {
      duration: histogram("call.duration", "Seconds from the head of a call to its status", durationBoundaries),
      messages:
        kind === "unary"
          ? undefined
          : {
              requests: histogram("requests_per_rpc", "Request messages of a call", countBoundaries),
              responses: histogram("responses_per_rpc", "Reply messages of a call", countBoundaries)
            }
    }
  }
}

interface Series {
  readonly duration: Metric.Histogram<number>
  /** `undefined` where there is always one of each. */
  readonly messages:
    | { readonly requests: Metric.Histogram<number>; readonly responses: Metric.Histogram<number> }
    | undefined
}

/** The conventions ask for these buckets, so that servers can be compared. */
const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const countBoundaries = [0, 1, 10, 100, 1_000, 10_000, 100_000]
