/**
 * Messages as JSON (ProtoJSON, by protobuf-es), in the place of a codec for
 * their bytes.
 *
 * Fields that the message has not are passed over, so that a client may be
 * newer than the server. What stands in a `google.protobuf.Any` is of the types
 * of the method's file, and of those that it imports.
 *
 * @internal
 * @since 0.1.0
 */
import {
  createRegistry,
  type DescFile,
  type DescMessage,
  fromJsonString,
  type Message,
  type Registry,
  toJson
} from "@bufbuild/protobuf"
import { allocate } from "../../bytes/Allocation.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import * as ProtobufCodec from "../../protobuf/ProtobufCodec.ts"
import { ProtobufViolation } from "../../protobuf/ProtobufViolation.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { WireCodecs } from "./GrpcWire.ts"

/** The codecs of a method; they are made once. @category constructors */
export const codecsOf = (method: GrpcMethod): WireCodecs => {
  const known = codecs.get(method)
  if (known !== undefined) return known
  const registry = createRegistry(...filesOf(method.descriptor.parent.file, new Set()))
  const made: WireCodecs = {
    request: make(method.descriptor.input, registry),
    response: make(method.descriptor.output, registry)
  }
  codecs.set(method, made)
  return made
}

/** @category constructors */
export const make = (descriptor: DescMessage, registry?: Registry): ProtobufCodec.ProtobufCodec => ({
  descriptor,
  strategy: "Chosen",
  encode: (message, reserveBytes = 0) => encode(descriptor, message, registry, reserveBytes),
  encodeInit: (init, reserveBytes = 0) =>
    encode(descriptor, ProtobufCodec.messageOf(descriptor, init), registry, reserveBytes),
  decode: (bytes): Message | ProtobufViolation => {
    const text = Utf8.decode(bytes)
    if (text === undefined) return new NoJson(descriptor.typeName, "it is not UTF-8")
    try {
      return fromJsonString(descriptor, text, { ignoreUnknownFields: true, registry })
    } catch (cause) {
      return new NoJson(descriptor.typeName, cause instanceof Error ? cause.message : String(cause))
    }
  }
})

const encode = (
  descriptor: DescMessage,
  message: Message,
  registry: Registry | undefined,
  reserveBytes: number
): Uint8Array => {
  const text = JSON.stringify(toJson(descriptor, message, { registry }))
  const bytes = allocate(reserveBytes + Utf8.byteLength(text))
  Utf8.write(text, bytes, reserveBytes)
  return bytes
}

/** JSON is for people: what is wrong is told in words. */
class NoJson extends ProtobufViolation {
  private readonly why: string
  constructor(typeName: string, why: string) {
    super("Unreadable", typeName)
    this.why = why.length > mostCharacters ? `${why.slice(0, mostCharacters)}…` : why
  }
  override get message() {
    return `no ${this.typeName}: ${this.why}`
  }
}

/** Of what is wrong, which may repeat what came. */
const mostCharacters = 200

const codecs = new WeakMap<GrpcMethod, WireCodecs>()

const filesOf = (file: DescFile, seen: Set<DescFile>): ReadonlyArray<DescFile> => {
  if (seen.has(file)) return []
  seen.add(file)
  return [file, ...file.dependencies.flatMap((one) => filesOf(one, seen))]
}
