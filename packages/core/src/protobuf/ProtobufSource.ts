/**
 * The text of compiled functions. Names come from descriptors, and those may
 * come from anywhere: each is put in as a JSON string.
 *
 * @internal
 * @since 0.1.0
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf"

/** `["name"]`, to be put behind an object. */
export const at = (name: string): string => `[${JSON.stringify(name)}]`

/** A string, number, boolean or bigint as it is written in a program. */
export const literal = (value: unknown): string =>
  typeof value === "bigint"
    ? `${value}n`
    : Object.is(value, -0)
      ? "-0"
      : typeof value === "number"
        ? `${value}`
        : JSON.stringify(value)

/** Makes the function of a text, with names for what it uses. Throws where the host forbids it. */
export const build = <F>(uses: Readonly<Record<string, unknown>>, text: string): F =>
  new Function(...Object.keys(uses), `"use strict"\nreturn ${text}`)(...Object.values(uses))

/** The scalar on the wire: an enum is an int32. `undefined` for messages. */
export const scalarOf = (field: DescField): ScalarType | undefined =>
  field.scalar ?? (field.enum === undefined ? undefined : ScalarType.INT32)

/** The wire type of a scalar outside of a packed list. */
export const wireTypeOf = (scalar: ScalarType): number => {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 2
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 1
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return 5
    default:
      return 0
  }
}

/** The descriptors of a message's fields, without repetition. */
export const childrenOf = (fields: ReadonlyArray<DescField>): ReadonlyArray<DescMessage> => [
  ...new Set(fields.flatMap((field) => field.message ?? []))
]
