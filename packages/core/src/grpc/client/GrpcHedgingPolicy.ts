/**
 * How calls of a method are tried beside each other: where no answer has come
 * after a while, the same call is made again, and the first answer counts
 * (gRPC proposal A6, `hedgingPolicy`).
 *
 * Only for methods that may be carried out more than once. Methods whose
 * requests are a stream are not hedged.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import { maxAttemptsLimit } from "./GrpcRetryPolicy.ts"

/** @category options */
export interface Options {
  /** Attempts at most, the first among them. From 2; above 5 it is 5. */
  readonly maxAttempts: number
  /** How long an attempt may take before the next one is made too. Default `0`: all are made at once. */
  readonly hedgingDelay?: Duration.Input | undefined
  /** The statuses after which the other attempts go on, and the next one is made at once. Default: none. */
  readonly nonFatalStatusCodes?: ReadonlyArray<GrpcStatus.FailureCode> | undefined
}

/** @category models */
export interface GrpcHedgingPolicy {
  readonly maxAttempts: number
  readonly delayMillis: number
  readonly nonFatal: ReadonlySet<GrpcStatus.FailureCode>
}

/** What is wrong with them: the option, and what it must be. @category checking */
export const problem = (options: Options): readonly [option: keyof Options, expected: string] | undefined => {
  const { hedgingDelay, maxAttempts, nonFatalStatusCodes: codes } = options
  if (!Number.isInteger(maxAttempts) || maxAttempts < 2) return ["maxAttempts", "a whole number from 2"]
  const delayMillis = hedgingDelay === undefined ? 0 : Duration.toMillis(hedgingDelay)
  if (!(delayMillis >= 0 && Number.isFinite(delayMillis))) return ["hedgingDelay", "a duration from 0"]
  if (codes?.every(isFailure) === false) return ["nonFatalStatusCodes", "codes without OK"]
  return undefined
}

/** Options that are wrong are a `RangeError`. @category constructors */
export const make = (options: Options): GrpcHedgingPolicy => {
  const wrong = problem(options)
  if (wrong !== undefined) throw new RangeError(`hedgingPolicy.${wrong[0]} must be ${wrong[1]}`)
  return {
    maxAttempts: Math.min(options.maxAttempts, maxAttemptsLimit),
    delayMillis: options.hedgingDelay === undefined ? 0 : Duration.toMillis(options.hedgingDelay),
    nonFatal: new Set(options.nonFatalStatusCodes)
  }
}

const isFailure = (code: number): boolean => GrpcStatus.isCode(code) && code !== GrpcStatus.Ok
