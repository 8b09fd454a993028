/**
 * A service configuration that cannot be used: the place in its JSON, and what
 * would be right there.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/** @category errors */
export class GrpcServiceConfigError extends Data.TaggedError("GrpcServiceConfigError")<{
  /** As `methodConfig[0].retryPolicy.maxAttempts`; `""` for the whole. */
  readonly path: string
  /** As `a whole number from 2`. */
  readonly expected: string
}> {
  /** Whoever wrote it. */
  readonly fault = "caller"
  override get message(): string {
    const place = this.path === "" ? "the service configuration" : `${this.path} of the service configuration`
    return `${place} must be ${this.expected}`
  }
}
