/**
 * Messages of protobuf to bytes and back, at the speed of code that was
 * written for each type.
 *
 * A descriptor that protobuf-es generated is compiled once into an encoder and
 * a decoder for it. Bytes and messages are the same as those of `toBinary` and
 * `fromBinary`: the order of fields, unknown fields (extensions are among
 * them), presence, defaults, groups, features of editions. Where a message
 * cannot be compiled, it is left to protobuf-es: `strategy` says so. What a
 * message would be made of is written without making it.
 *
 * - Bytes fields of a decoded message, and its unknown fields, are views of
 *   the bytes it came in: they must not be changed, and are held as long as the message is.
 * - Encoded messages of up to 8 KiB are views of memory that they share with
 *   others: their `buffer` must not be transferred to a worker.
 * - 64-bit integers are bigints (texts where `jstype` says so).
 * - Messages within each other are read up to a depth of 100.
 *
 * @since 0.1.0
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import type { GenMessage } from "@bufbuild/protobuf/codegenv2"
import { Fault, ProtobufReader } from "./ProtobufReader.ts"
import * as ProtobufSupport from "./ProtobufSupport.ts"
import * as ProtobufUnit from "./ProtobufUnit.ts"
import { ProtobufViolation, type Reason } from "./ProtobufViolation.ts"
import { ProtobufWriter } from "./ProtobufWriter.ts"

/**
 * `Compiled`, or why the type is left to protobuf-es: the host forbids to make
 * code of text, its memory is big-endian, a field is a
 * `google.protobuf.Struct` (JSON in memory), or `plain` was asked for.
 *
 * @category models
 */
export type Strategy = "Compiled" | "NoCodeGeneration" | "Host" | "JsonField" | "Chosen"

/** @category models */
export type Descriptor = DescMessage

/** What `create` of protobuf-es makes a message of, or a message. @category models */
export type Init<A extends Message> = MessageInitShape<GenMessage<A>>

/** @category models */
export interface ProtobufCodec<A extends Message = Message> {
  readonly descriptor: DescMessage
  /** Whether the type was compiled, or why it is left to protobuf-es. */
  readonly strategy: Strategy
  /**
   * The bytes of a message, behind `reserveBytes` bytes of unknown content
   * (default 0), for a prefix that the caller writes.
   *
   * Throws the error of protobuf-es where the message is not of its type: a
   * number out of range, a required field that is not set, another message.
   */
  encode(message: A, reserveBytes?: number): Uint8Array
  /**
   * As `encode(create(descriptor, init))`, at the price of `encode`. A message
   * is written as it is; one of another type is refused.
   */
  encodeInit(init: Init<A> | A, reserveBytes?: number): Uint8Array
  /** The message; never throws. */
  decode(bytes: Uint8Array): A | ProtobufViolation
}

/** The codec of a descriptor; it is made once. @category constructors */
export const make = <D extends DescMessage>(descriptor: D): ProtobufCodec<MessageShape<D>> => {
  const known = codecs.get(descriptor)
  if (known !== undefined) return known as ProtobufCodec<MessageShape<D>>
  const against = ProtobufSupport.reasonAgainst(descriptor)
  const codec = against === undefined ? compiled(descriptor) : plain(descriptor, against)
  codecs.set(descriptor, codec)
  return codec
}

/** As `make`, by protobuf-es alone: to compare with. @category constructors */
export const plain = <D extends DescMessage>(
  descriptor: D,
  strategy: Strategy = "Chosen"
): ProtobufCodec<MessageShape<D>> => ({
  descriptor,
  strategy,
  encode: (message, reserveBytes = 0) => encodePlain(descriptor, message, reserveBytes),
  encodeInit: (init, reserveBytes = 0) => encodePlain(descriptor, messageOf(descriptor, init), reserveBytes),
  decode: (bytes) => {
    try {
      return fromBinary(descriptor, bytes)
    } catch (cause) {
      return new ProtobufViolation(reasonOf(cause), descriptor.typeName)
    }
  }
})

/**
 * The message that `encodeInit` writes. A message stays what it is: of one of
 * another type `create` would take what has the same names.
 *
 * @category constructors
 */
export const messageOf = (descriptor: DescMessage, init: object): Message =>
  "$typeName" in init && init.$typeName !== undefined
    ? (init as Message)
    : create(descriptor, init as MessageInitShape<DescMessage>)

const codecs = new WeakMap<DescMessage, unknown>()

/** One of each for all: nothing that they call waits. */
const writer = new ProtobufWriter()
const reader = new ProtobufReader()

const compiled = <D extends DescMessage>(descriptor: D): ProtobufCodec<MessageShape<D>> => {
  const unit = ProtobufUnit.of(descriptor)
  // The next message will be about as long as the last ones.
  let expectedBytes = 64
  /** `undefined` where it is left to protobuf-es. */
  const write = (encode: ProtobufUnit.ProtobufUnit["encode"], value: object, reserveBytes: number) => {
    if (writer.isOpen) return undefined
    writer.open(reserveBytes, expectedBytes)
    try {
      encode(writer, value as ProtobufUnit.Fields)
      const bytes = writer.close()
      expectedBytes = expectation(expectedBytes, bytes.length - reserveBytes)
      return bytes
    } catch {
      writer.abandon()
      return undefined
    }
  }
  return {
    descriptor,
    strategy: "Compiled",
    encode: (message, reserveBytes = 0) =>
      write(unit.encode, message, reserveBytes) ?? encodePlain(descriptor, message, reserveBytes),
    encodeInit: (init, reserveBytes = 0) =>
      write(unit.encodeInit, init, reserveBytes) ?? encodePlain(descriptor, messageOf(descriptor, init), reserveBytes),
    decode: (bytes) => {
      const message = unit.create()
      try {
        reader.begin(bytes)
        unit.decode(reader, message, bytes.length, 0, 1)
        return message as MessageShape<D>
      } catch (cause) {
        return new ProtobufViolation(cause instanceof Fault ? cause.reason : "Unreadable", descriptor.typeName)
      } finally {
        reader.end()
      }
    }
  }
}

/** Rises at once and falls slowly; what is longer than the most grows on its way. */
const expectation = (expectedBytes: number, byteCount: number): number =>
  byteCount > expectedBytes
    ? Math.min(byteCount, mostExpectedBytes)
    : expectedBytes - ((expectedBytes - byteCount) >> 4)

const mostExpectedBytes = 65_536

const encodePlain = (descriptor: DescMessage, message: Message, reserveBytes: number): Uint8Array => {
  const bytes = toBinary(descriptor, message)
  if (reserveBytes === 0) return bytes
  const behind = new Uint8Array(reserveBytes + bytes.length)
  behind.set(bytes, reserveBytes)
  return behind
}

/** protobuf-es tells its errors apart by their words alone. */
const reasonOf = (cause: unknown): Reason => {
  if (cause instanceof RangeError) return "Truncated"
  if (cause instanceof TypeError) return "InvalidUtf8"
  return reasons.find(([words]) => words.test(String(cause)))?.[1] ?? "Unreadable"
}

const reasons: ReadonlyArray<readonly [words: RegExp, reason: Reason]> = [
  [/recursion depth/, "TooDeep"],
  [/invalid varint/, "VarintTooLong"],
  [/end group/, "InvalidGroup"],
  [/tag|skip wire type/, "InvalidTag"]
]
