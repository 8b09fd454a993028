/**
 * Which messages are compiled, and which are left to protobuf-es.
 *
 * @internal
 * @since 0.1.0
 */
import { type DescField, type DescMessage, protoInt64 } from "@bufbuild/protobuf"
import { isWrapperDesc } from "@bufbuild/protobuf/wkt"
import * as Scratch from "./ProtobufScratch.ts"

/** Why a message is left to protobuf-es. */
export type Reason =
  /** The host forbids to make code of text (a page's policy, or `--disallow-code-generation-from-strings`). */
  | "NoCodeGeneration"
  /** The host's memory is big-endian, or protobuf-es keeps 64-bit integers as text. */
  | "Host"
  /** The message, or one within it, has a field of `google.protobuf.Struct`, which is JSON in memory. */
  | "JsonField"

/** `undefined`: the message is compiled. */
export const reasonAgainst = (descriptor: DescMessage): Reason | undefined => {
  if (!Scratch.isLittleEndian || !protoInt64.supported) return "Host"
  if (!mayGenerateCode()) return "NoCodeGeneration"
  return reaches(descriptor, isJson, new Set()) ? "JsonField" : undefined
}

/** A singular field outside of a oneof whose message is held as the value within it. */
export const isWrapper = (field: DescField): boolean =>
  field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(field.message)

const isJson = (field: DescField): boolean =>
  field.message?.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value"

/** Asked once: a page's policy may report each try. */
const mayGenerateCode = (): boolean => {
  canGenerate ??= tryToGenerate()
  return canGenerate
}

let canGenerate: boolean | undefined

const tryToGenerate = (): boolean => {
  try {
    return new Function("return true")()
  } catch {
    return false
  }
}

const reaches = (descriptor: DescMessage, wanted: (field: DescField) => boolean, seen: Set<DescMessage>): boolean => {
  if (seen.has(descriptor)) return false
  seen.add(descriptor)
  return descriptor.fields.some(
    (field) => wanted(field) || (field.message !== undefined && reaches(field.message, wanted, seen))
  )
}
