/**
 * Service configurations in the official JSON: that of the protobuf message
 * `grpc.service_config.ServiceConfig` (gRPC `service_config.md`).
 *
 * ```json
 * { "methodConfig": [{
 *     "name": [{ "service": "shop.Cart" }],
 *     "timeout": "2s",
 *     "retryPolicy": { "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s",
 *                      "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"] } }],
 *   "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 } }
 * ```
 *
 * Fields that are not known, and those of load balancing, are passed over.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type * as GrpcHedgingPolicy from "./GrpcHedgingPolicy.ts"
import type * as GrpcRetryPolicy from "./GrpcRetryPolicy.ts"
import * as GrpcServiceConfig from "./GrpcServiceConfig.ts"
import { GrpcServiceConfigError } from "./GrpcServiceConfigError.ts"
import type * as GrpcThrottle from "./GrpcThrottle.ts"

/** A text of JSON, or what it was parsed to. @category parsing */
export const parse = (json: unknown): Effect.Effect<GrpcServiceConfig.GrpcServiceConfig, GrpcServiceConfigError> =>
  Effect.suspend(() => {
    try {
      const options = optionsOf(new Place("", typeof json === "string" ? textOf(json) : json))
      const wrong = GrpcServiceConfig.problem(options)
      if (wrong !== undefined) return Effect.fail(wrongAt(jsonPath(wrong[0]), wrong[1]))
      return Effect.succeed(GrpcServiceConfig.make(options))
    } catch (error) {
      if (error instanceof GrpcServiceConfigError) return Effect.fail(error)
      throw error
    }
  })

const optionsOf = (place: Place): GrpcServiceConfig.Options => ({
  methods: place.at("methodConfig").list(methodOf),
  throttling: place.at("retryThrottling").optional(throttlingOf)
})

const methodOf = (place: Place): GrpcServiceConfig.MethodOptions => ({
  names: place.at("name").list(nameOf),
  timeout: place.at("timeout").optional(durationOf),
  waitForReady: place.at("waitForReady").optional(booleanOf),
  maxRequestSize: place.at("maxRequestMessageBytes").optional(numberOf),
  maxResponseSize: place.at("maxResponseMessageBytes").optional(numberOf),
  retryPolicy: place.at("retryPolicy").optional(retryOf),
  hedgingPolicy: place.at("hedgingPolicy").optional(hedgingOf)
})

const nameOf = (place: Place): GrpcServiceConfig.Name => ({
  service: place.at("service").optional(stringOf),
  method: place.at("method").optional(stringOf)
})

const retryOf = (place: Place): GrpcRetryPolicy.Options => ({
  maxAttempts: numberOf(place.at("maxAttempts")),
  initialBackoff: durationOf(place.at("initialBackoff")),
  maxBackoff: durationOf(place.at("maxBackoff")),
  backoffMultiplier: numberOf(place.at("backoffMultiplier")),
  retryableStatusCodes: place.at("retryableStatusCodes").list(codeOf)
})

const hedgingOf = (place: Place): GrpcHedgingPolicy.Options => ({
  maxAttempts: numberOf(place.at("maxAttempts")),
  hedgingDelay: place.at("hedgingDelay").optional(durationOf),
  nonFatalStatusCodes: place.at("nonFatalStatusCodes").list(codeOf)
})

const throttlingOf = (place: Place): GrpcThrottle.Options => ({
  maxTokens: numberOf(place.at("maxTokens")),
  tokenRatio: numberOf(place.at("tokenRatio"))
})

/** A value in the JSON. */
class Place {
  readonly path: string
  readonly value: unknown
  constructor(path: string, value: unknown) {
    this.path = path
    this.value = value
  }

  at(field: string): Place {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      throw this.wrong("an object")
    const value = Object.hasOwn(this.value, field) ? (this.value as Record<string, unknown>)[field] : undefined
    return new Place(this.path === "" ? field : `${this.path}.${field}`, value)
  }

  /** JSON of protobuf: `null` is as good as absent. */
  optional<A>(read: (place: Place) => A): A | undefined {
    return this.value === undefined || this.value === null ? undefined : read(this)
  }

  list<A>(read: (place: Place) => A): ReadonlyArray<A> {
    if (this.value === undefined || this.value === null) return []
    if (!Array.isArray(this.value)) throw this.wrong("a list")
    return this.value.map((value: unknown, at) => read(new Place(`${this.path}[${at}]`, value)))
  }

  wrong(expected: string): GrpcServiceConfigError {
    return wrongAt(this.path, expected)
  }
}

const wrongAt = (path: string, expected: string): GrpcServiceConfigError =>
  new GrpcServiceConfigError({ path, expected })

const textOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw wrongAt("", "JSON")
  }
}

const stringOf = (place: Place): string => {
  if (typeof place.value === "string") return place.value
  throw place.wrong("a text")
}

const booleanOf = (place: Place): boolean => {
  if (typeof place.value === "boolean") return place.value
  throw place.wrong("true or false")
}

/** JSON of protobuf: numbers may be texts, and those of 64 bits are. */
const numberOf = (place: Place): number => {
  const { value } = place
  if (typeof value === "number" && Number.isFinite(value)) return value
  if (typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value)) return Number(value)
  throw place.wrong("a number")
}

/** JSON of protobuf: seconds with up to nine decimals, and an `s`. */
const durationOf = (place: Place): Duration.Duration => {
  const match = typeof place.value === "string" ? /^([0-9]*)(?:\.([0-9]{1,9}))?s$/.exec(place.value) : null
  const seconds = Number(match?.[1] ?? Number.NaN)
  const hasDigits = match !== null && (match[1] !== "" || match[2] !== undefined)
  if (!hasDigits || seconds > maxSeconds) throw place.wrong(`a duration such as "1.5s"`)
  const nanos = Number((match[2] ?? "").padEnd(9, "0"))
  return Duration.nanos(BigInt(seconds) * BigInt(1_000_000_000) + BigInt(nanos))
}

/** google/protobuf/duration.proto: about 10,000 years. */
const maxSeconds = 315_576_000_000

const codeOf = (place: Place): GrpcStatus.FailureCode => {
  const code = codes.find((code) => code === place.value || GrpcStatus.nameOf(code) === place.value)
  if (code !== undefined) return code
  throw place.wrong("a status but OK, by its name or number")
}

const codes: ReadonlyArray<GrpcStatus.FailureCode> = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]

/** The fields of the options, by what they are called in the JSON. */
const jsonPath = (path: string): string =>
  path
    .replace(/^methods\[/, "methodConfig[")
    .replace(".names[", ".name[")
    .replace(".maxRequestSize", ".maxRequestMessageBytes")
    .replace(".maxResponseSize", ".maxResponseMessageBytes")
    .replace(/^throttling\./, "retryThrottling.")
