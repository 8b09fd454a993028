/**
 * The largest frame that a codec takes: read from options once, in `make`.
 *
 * @internal
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Option from "effect/Option"

/**
 * A limit in bytes, from 1 to 2^53 - 1; `defaultBytes` where none is given.
 * Anything else is a `RangeError` that names the option: it is a mistake in
 * the program, and no traffic causes it.
 *
 * @category constructors
 */
export const fromInput = (option: string, input: ByteSize.Input | undefined, defaultBytes: number): number => {
  if (input === undefined) return defaultBytes
  const limitBytes = ByteSize.fromInput(input).pipe(Option.flatMap(ByteSize.toNumber), Option.getOrUndefined)
  if (limitBytes !== undefined && limitBytes >= 1) return limitBytes
  throw new RangeError(`${option} must be from 1 to 2^53 - 1 bytes, but is ${String(input)}`)
}

/** What frames may have where no option says otherwise, in bytes: 8 MiB. @category constants */
export const defaultFrameBytes: number = 8 * 1024 * 1024
