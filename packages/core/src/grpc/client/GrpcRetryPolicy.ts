/**
 * How calls of a method are tried again, one attempt after the other (gRPC
 * proposal A6, `retryPolicy`).
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"

/** @category options */
export interface Options {
  /** Attempts at most, the first among them. From 2; above 5 it is 5. */
  readonly maxAttempts: number
  /** The wait before the second attempt. Above 0. Every wait is up to 20 % shorter or longer, by chance. */
  readonly initialBackoff: Duration.Input
  /** The longest wait, without that fifth. Above 0. */
  readonly maxBackoff: Duration.Input
  /** What each wait is, times the one before. Above 0. */
  readonly backoffMultiplier: number
  /** The statuses to try again after. At least one. */
  readonly retryableStatusCodes: ReadonlyArray<GrpcStatus.FailureCode>
}

/** @category models */
export interface GrpcRetryPolicy {
  readonly maxAttempts: number
  readonly initialBackoffMillis: number
  readonly maxBackoffMillis: number
  readonly backoffMultiplier: number
  readonly retryable: ReadonlySet<GrpcStatus.FailureCode>
}

/** "a client-side maximum value of 5". @category constants */
export const maxAttemptsLimit = 5

/** What is wrong with them: the option, and what it must be. @category checking */
export const problem = (options: Options): readonly [option: keyof Options, expected: string] | undefined => {
  if (!Number.isInteger(options.maxAttempts) || options.maxAttempts < 2) return ["maxAttempts", "a whole number from 2"]
  if (!isPositive(options.initialBackoff)) return ["initialBackoff", "a duration above 0"]
  if (!isPositive(options.maxBackoff)) return ["maxBackoff", "a duration above 0"]
  const { backoffMultiplier, retryableStatusCodes: codes } = options
  if (!Number.isFinite(backoffMultiplier) || backoffMultiplier <= 0) return ["backoffMultiplier", "a number above 0"]
  if (codes.length === 0 || !codes.every(isFailure)) return ["retryableStatusCodes", "one code or more, without OK"]
  return undefined
}

/** Options that are wrong are a `RangeError`. @category constructors */
export const make = (options: Options): GrpcRetryPolicy => {
  const wrong = problem(options)
  if (wrong !== undefined) throw new RangeError(`retryPolicy.${wrong[0]} must be ${wrong[1]}`)
  return {
    maxAttempts: Math.min(options.maxAttempts, maxAttemptsLimit),
    initialBackoffMillis: Duration.toMillis(options.initialBackoff),
    maxBackoffMillis: Duration.toMillis(options.maxBackoff),
    backoffMultiplier: options.backoffMultiplier,
    retryable: new Set(options.retryableStatusCodes)
  }
}

/**
 * The wait before a retry, in milliseconds: `backoffCount` is how many waits
 * grew before it, `0 <= random < 1`.
 *
 * @category backoff
 */
export const backoffMillis = (policy: GrpcRetryPolicy, backoffCount: number, random: number): number => {
  const grown = policy.initialBackoffMillis * policy.backoffMultiplier ** backoffCount
  return Math.min(grown, policy.maxBackoffMillis) * (0.8 + 0.4 * random)
}

/** The wait can be told to a timer, and there is one. */
const isPositive = (input: Duration.Input): boolean => {
  const waitMillis = Duration.toMillis(input)
  return waitMillis > 0 && Number.isFinite(waitMillis)
}

const isFailure = (code: number): boolean => GrpcStatus.isCode(code) && code !== GrpcStatus.Ok
