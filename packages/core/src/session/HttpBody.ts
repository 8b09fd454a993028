/**
 * The body of a request as it comes, with a bounded part of it waiting: the
 * peer is not read while nobody takes it.
 *
 * @since 0.1.0
 */

import type * as Arr from "effect/Array"
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { Violation } from "../protocol/http1/Http1Error.ts"
import type { Http1Fields } from "../protocol/http1/Http1Fields.ts"

/** @category models */
export interface HttpBody {
  /** What is known of its size, in bytes. */
  readonly lengthBytes: number | undefined
  /** The next parts, at least one. Ends with `Cause.Done`. One reader at a time. */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, BodyFailure>
  /** All of it. Fails with `TooLarge` above `maxBytes`; `Infinity` for no limit. */
  collect(maxBytes: number): Effect.Effect<Uint8Array, BodyFailure>
  /** After its end: the trailers, where there were any. */
  readonly trailers: Http1Fields | undefined
}

/** Why a body could not be read to its end. @category models */
export type BodyFailure = BodyViolation | BodyTooLarge | BodyLost

/** The peer broke a rule or a limit of the connection, which is closing. @category models */
export interface BodyViolation {
  readonly _tag: "BodyViolation"
  readonly violation: Violation
}

/** More than its reader allowed. @category models */
export interface BodyTooLarge {
  readonly _tag: "BodyTooLarge"
  readonly limitBytes: number
}

/** The transport went before the end of the body. @category models */
export interface BodyLost {
  readonly _tag: "BodyLost"
}
