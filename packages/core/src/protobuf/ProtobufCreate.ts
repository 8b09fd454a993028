/**
 * Empty messages of one type, as protobuf-es makes them: the same properties
 * in the same order, with the same prototype, which holds the defaults of fields
 * that tell whether they are set.
 *
 * @internal
 * @since 0.1.0
 */
import type { DescMessage } from "@bufbuild/protobuf"
import * as Source from "./ProtobufSource.ts"
import type { Fields } from "./ProtobufUnit.ts"

/** `sample` is an empty message, made by protobuf-es. */
export const compile = (sample: Fields, descriptor: DescMessage): (() => Fields) => {
  const prototype = Object.getPrototypeOf(sample)
  const names = Object.keys(sample)
  const values = names.map((name) => valueOf(sample, name, descriptor))
  if (prototype === Object.prototype) {
    const members = names.map((name, index) => `${JSON.stringify(name)}: ${values[index]}`)
    return Source.build({ sample }, `() => ({ ${members.join(", ")} })`)
  }
  const members = names.map((name, index) => `this${Source.at(name)} = ${values[index]}`)
  const make = Source.build<{ prototype: unknown; new (): Fields }>({ sample }, `function () { ${members.join("; ")} }`)
  make.prototype = prototype
  return Source.build({ make }, "() => new make()")
}

const valueOf = (sample: Fields, name: string, descriptor: DescMessage): string => {
  const value = sample[name]
  if (Array.isArray(value)) return "[]"
  // One empty array for all messages: there is nothing in it to change.
  if (value instanceof Uint8Array) return `sample${Source.at(name)}`
  if (typeof value !== "object") return Source.literal(value)
  return descriptor.oneofs.some((oneof) => oneof.localName === name) ? "{ case: undefined }" : "{}"
}
