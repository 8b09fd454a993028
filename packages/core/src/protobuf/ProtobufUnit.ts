/**
 * What is compiled of one message type, and the whole of it: each unit calls
 * those of the types of its fields, itself where a type is recursive.
 *
 * A unit is made once for a descriptor, and kept as long as the descriptor is.
 *
 * @internal
 * @since 0.1.0
 */
import { create, type DescMessage, type Message } from "@bufbuild/protobuf"
import * as ProtobufCreate from "./ProtobufCreate.ts"
import * as ProtobufDecoder from "./ProtobufDecoder.ts"
import * as ProtobufEncoder from "./ProtobufEncoder.ts"
import type { ProtobufReader } from "./ProtobufReader.ts"
import type { ProtobufWriter } from "./ProtobufWriter.ts"

/** A message whose fields are reached by name. @category models */
export type Fields = Message & Record<string, unknown>

/** @category models */
export interface ProtobufUnit {
  /** As `create(descriptor)` of protobuf-es, of the same shape and prototype. */
  create: () => Fields
  /** Writes at `writer.position` and leaves it behind the message. Throws what it cannot write. */
  encode: (writer: ProtobufWriter, message: Fields) => void
  /** As `encode` of the message that is made of `init`. It is compiled when it is called for the first time. */
  encodeInit: (writer: ProtobufWriter, init: Fields) => void
  /**
   * Reads from `reader.position` to `end`, or, where `group` is a field's
   * number and not 0, to the end of that group. `depth` is 1 for the outermost message.
   */
  decode: (reader: ProtobufReader, message: Fields, end: number, group: number, depth: number) => void
}

const units = new WeakMap<DescMessage, ProtobufUnit>()

/** The unit of a descriptor that `ProtobufSupport` has let pass. */
export const of = (descriptor: DescMessage): ProtobufUnit => {
  const known = units.get(descriptor)
  if (known !== undefined) return known
  const unit: ProtobufUnit = {
    create: uncompiled,
    encode: uncompiled,
    encodeInit: (writer, init) => {
      unit.encodeInit = ProtobufEncoder.compile(descriptor, of, "init")
      unit.encodeInit(writer, init)
    },
    decode: uncompiled
  }
  // First known, then compiled: a message may have fields of its own type.
  units.set(descriptor, unit)
  unit.create = ProtobufCreate.compile(create(descriptor) as Fields, descriptor)
  unit.encode = ProtobufEncoder.compile(descriptor, of, "message")
  unit.decode = ProtobufDecoder.compile(descriptor, of)
  return unit
}

const uncompiled = (): never => {
  throw new Error("a message is read or written while its type is compiled")
}
