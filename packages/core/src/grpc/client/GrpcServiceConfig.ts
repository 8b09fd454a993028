/**
 * What holds for the calls of a channel, by their methods: how long they may
 * take, how large they may be, and how often they are tried (gRPC
 * `service_config.md`).
 *
 * ```ts
 * GrpcServiceConfig.make({
 *   methods: [{
 *     names: [{ service: "shop.Cart" }],
 *     timeout: "2 seconds",
 *     retryPolicy: {
 *       maxAttempts: 3,
 *       initialBackoff: "100 millis",
 *       maxBackoff: "1 second",
 *       backoffMultiplier: 2,
 *       retryableStatusCodes: [GrpcStatus.Unavailable]
 *     }
 *   }],
 *   throttling: { maxTokens: 10, tokenRatio: 0.1 }
 * })
 * ```
 *
 * The official JSON is read by `GrpcServiceConfigJson`.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { GrpcMethod } from "../GrpcMethod.ts"
import * as GrpcHedgingPolicy from "./GrpcHedgingPolicy.ts"
import * as GrpcRetryPolicy from "./GrpcRetryPolicy.ts"
import * as GrpcThrottle from "./GrpcThrottle.ts"

/** @category options */
export interface Options {
  /** For each call, the entry with the most exact name counts, alone. Default: none. */
  readonly methods?: ReadonlyArray<MethodOptions> | undefined
  /** Stops attempts beyond the first while too many calls of the channel fail. Default: never. */
  readonly throttling?: GrpcThrottle.Options | undefined
}

/** One method, all methods of a service, or, with no service, those that no other entry names. @category options */
export interface Name {
  /** `package.Service`. */
  readonly service?: string | undefined
  /** As the `.proto` has it: `SayHello`. Not without a service. */
  readonly method?: string | undefined
}

/** @category options */
export interface MethodOptions {
  /** What it is for. A name stands in one entry only. */
  readonly names: ReadonlyArray<Name>
  /** How long a call may take, with all its attempts, also one that says more itself. Above 0. Default: the channel's. */
  readonly timeout?: Duration.Input | undefined
  /** Default: the channel's. */
  readonly waitForReady?: boolean | undefined
  /** The largest request, encoded. Default: the channel's, which holds also where this is larger. */
  readonly maxRequestSize?: ByteSize.Input | undefined
  /** The largest reply, encoded. Default: the channel's, which holds also where this is larger. */
  readonly maxResponseSize?: ByteSize.Input | undefined
  /** Default: a call is not tried again. Not beside `hedgingPolicy`. */
  readonly retryPolicy?: GrpcRetryPolicy.Options | undefined
  /** Default: attempts are not made beside each other. */
  readonly hedgingPolicy?: GrpcHedgingPolicy.Options | undefined
}

/** What holds for a method; `undefined`: nothing is said. @category models */
export interface MethodConfig {
  readonly timeoutMillis: number | undefined
  readonly waitForReady: boolean | undefined
  readonly maxRequestBytes: number | undefined
  readonly maxResponseBytes: number | undefined
  readonly retry: GrpcRetryPolicy.GrpcRetryPolicy | undefined
  readonly hedging: GrpcHedgingPolicy.GrpcHedgingPolicy | undefined
}

/** @category models */
export interface GrpcServiceConfig {
  readonly throttling: GrpcThrottle.Options | undefined
  /** What holds for a method. The same object each time. */
  methodOf(method: GrpcMethod): MethodConfig
}

/** Why options are wrong: where, and what it must be there. @category models */
export type Problem = readonly [path: string, expected: string]

/** What is wrong with them. Paths are those of the options, as `methods[0].timeout`. @category checking */
export const problem = (options: Options): Problem | undefined => {
  const taken = new Set<string>()
  for (const [at, method] of (options.methods ?? []).entries()) {
    const wrong = problemOfNames(method.names, taken) ?? problemOfMethod(method)
    if (wrong !== undefined) return [`methods[${at}]${wrong[0]}`, wrong[1]]
  }
  const wrong = options.throttling === undefined ? undefined : GrpcThrottle.problem(options.throttling)
  return wrong === undefined ? undefined : [`throttling.${wrong[0]}`, wrong[1]]
}

/** Options that are wrong are a `RangeError`. @category constructors */
export const make = (options: Options): GrpcServiceConfig => {
  const wrong = problem(options)
  if (wrong !== undefined) throw new RangeError(`${wrong[0]} must be ${wrong[1]}`)
  const byName = new Map<string, MethodConfig>()
  for (const method of options.methods ?? []) {
    const config = methodConfig(method)
    for (const name of method.names) byName.set(keyOf(name), config)
  }
  return new Configured(options.throttling, byName)
}

class Configured implements GrpcServiceConfig {
  readonly throttling: GrpcThrottle.Options | undefined
  private readonly byName: ReadonlyMap<string, MethodConfig>
  private readonly found = new WeakMap<GrpcMethod, MethodConfig>()
  constructor(throttling: GrpcThrottle.Options | undefined, byName: ReadonlyMap<string, MethodConfig>) {
    this.throttling = throttling
    this.byName = byName
  }

  methodOf(method: GrpcMethod): MethodConfig {
    const known = this.found.get(method)
    if (known !== undefined) return known
    const { byName } = this
    const { name, service } = method
    const config = byName.get(keyOf({ service, method: name })) ?? byName.get(keyOf({ service })) ?? byName.get("")
    this.found.set(method, config ?? silent)
    return config ?? silent
  }
}

/** `package.Service/Method`, `package.Service/` or nothing. */
const keyOf = ({ method, service }: Name): string =>
  service === undefined || service === "" ? "" : `${service}/${method ?? ""}`

const methodConfig = (options: MethodOptions): MethodConfig => ({
  timeoutMillis: options.timeout === undefined ? undefined : Duration.toMillis(options.timeout),
  waitForReady: options.waitForReady,
  maxRequestBytes: bytesOf(options.maxRequestSize),
  maxResponseBytes: bytesOf(options.maxResponseSize),
  retry: options.retryPolicy === undefined ? undefined : GrpcRetryPolicy.make(options.retryPolicy),
  hedging: options.hedgingPolicy === undefined ? undefined : GrpcHedgingPolicy.make(options.hedgingPolicy)
})

const problemOfNames = (names: ReadonlyArray<Name>, taken: Set<string>): Problem | undefined => {
  for (const [at, name] of names.entries()) {
    const hasMethod = name.method !== undefined && name.method !== ""
    if (keyOf(name) === "" && hasMethod) return [`.names[${at}]`, "a service too where it is a method"]
    if (taken.has(keyOf(name))) return [`.names[${at}]`, "a name that no other entry has"]
    taken.add(keyOf(name))
  }
  return undefined
}

const problemOfMethod = (options: MethodOptions): Problem | undefined => {
  const { hedgingPolicy, maxRequestSize, maxResponseSize, retryPolicy, timeout } = options
  if (timeout !== undefined && !(Duration.toMillis(timeout) > 0)) return [".timeout", "a duration above 0"]
  if (maxRequestSize !== undefined && bytesOf(maxRequestSize) === undefined) return [".maxRequestSize", sizes]
  if (maxResponseSize !== undefined && bytesOf(maxResponseSize) === undefined) return [".maxResponseSize", sizes]
  if (retryPolicy !== undefined && hedgingPolicy !== undefined) return [".hedgingPolicy", "absent beside retryPolicy"]
  const ofRetry = retryPolicy === undefined ? undefined : GrpcRetryPolicy.problem(retryPolicy)
  if (ofRetry !== undefined) return [`.retryPolicy.${ofRetry[0]}`, ofRetry[1]]
  const ofHedging = hedgingPolicy === undefined ? undefined : GrpcHedgingPolicy.problem(hedgingPolicy)
  return ofHedging === undefined ? undefined : [`.hedgingPolicy.${ofHedging[0]}`, ofHedging[1]]
}

const bytesOf = (input: ByteSize.Input | undefined): number | undefined =>
  input === undefined
    ? undefined
    : ByteSize.fromInput(input).pipe(Option.flatMap(ByteSize.toNumber), Option.getOrUndefined)

const sizes = "from 0 to 2^53 - 1 bytes"

const silent: MethodConfig = /*#__PURE__*/ methodConfig({ names: [] })

/** Says nothing of any method. @category constants */
export const empty: GrpcServiceConfig = /*#__PURE__*/ make({})
