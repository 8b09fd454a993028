/**
 * Random messages of any type, random bytes in the shape of fields, and what
 * two codecs make of them.
 */
import * as Assert from "node:assert/strict"
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  ScalarType,
  toBinary
} from "@bufbuild/protobuf"
import { BinaryWriter } from "@bufbuild/protobuf/wire"
import { isWrapperDesc } from "@bufbuild/protobuf/wkt"
import type { ProtobufCodec } from "@sluice/core/protobuf/ProtobufCodec"
import { ProtobufViolation } from "@sluice/core/protobuf/ProtobufViolation"
import { file_sluice_test_editions } from "./protobuf/sluice/test/editions_pb.ts"
import { file_sluice_test_hot } from "./protobuf/sluice/test/hot_pb.ts"
import { file_sluice_test_proto2 } from "./protobuf/sluice/test/proto2_pb.ts"
import { file_sluice_test_proto3 } from "./protobuf/sluice/test/proto3_pb.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Every message of the files in `test/vectors/protobuf`, those within others too. */
export const descriptors: ReadonlyArray<DescMessage> = [
  file_sluice_test_hot,
  file_sluice_test_proto3,
  file_sluice_test_proto2,
  file_sluice_test_editions
].flatMap((file) => file.messages.flatMap(withNested))

function withNested(descriptor: DescMessage): ReadonlyArray<DescMessage> {
  return [descriptor, ...descriptor.nestedMessages.flatMap(withNested)]
}

type Loose = Message & Record<string, unknown>

/** Fields are set by chance; required ones always. */
export const message = (random: SeededRandom, descriptor: DescMessage, depth = 0): Message => {
  const made = create(descriptor) as Loose
  const likely = random.below(5)
  for (const field of descriptor.fields) {
    const isRequired = field.presence === 3
    if (!isRequired && random.below(5) > likely) continue
    if (field.message !== undefined && depth > 3 && !isRequired) continue
    const value = fieldValue(random, field, depth)
    if (field.oneof !== undefined) made[field.oneof.localName] = { case: field.localName, value }
    else made[field.localName] = value
  }
  if (random.below(6) === 0) made.$unknown = unknownFields(random)
  return made
}

const unknownFields = (random: SeededRandom): NonNullable<Message["$unknown"]> => [
  { no: 900_000, wireType: 0, data: Uint8Array.of(random.below(128)) },
  { no: 18_999, wireType: 2, data: Uint8Array.of(3, 1, 2, random.below(256)) },
  { no: 900_001, wireType: 3, data: Uint8Array.of(0x08, 0x05, 0x8c, 0xba, 0xb7, 0x03) }
]

const fieldValue = (random: SeededRandom, field: DescField, depth: number): unknown => {
  const most = random.pick([1, 3, 3, 40])
  if (field.fieldKind === "list") {
    return random.list(field.message ? 3 : most, () => singleValue(random, field, depth))
  }
  if (field.fieldKind !== "map") return singleValue(random, field, depth)
  const entries = random.list(3, () => [keyOf(random, field.mapKey), singleValue(random, field, depth)] as const)
  const record: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return record
}

const keyOf = (random: SeededRandom, scalar: ScalarType): string =>
  scalar === ScalarType.STRING && random.below(5) === 0 ? "__proto__" : String(scalarValue(random, scalar))

const singleValue = (random: SeededRandom, field: DescField, depth: number): unknown => {
  if (field.message !== undefined) {
    if (field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
      return random.pick([{}, { a: 1, b: [null, "x", { c: true }] }])
    }
    const value = message(random, field.message, depth + 1)
    const isUnwrapped = field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(field.message)
    return isUnwrapped ? (value as Loose).value : value
  }
  if (field.enum !== undefined) {
    return field.enum.open && random.below(3) === 0 ? int32(random) : random.pick(field.enum.values).number
  }
  const value = scalarValue(random, field.scalar!)
  return "longAsString" in field && field.longAsString ? String(value) : value
}

const int32 = (random: SeededRandom): number =>
  random.pick([0, 1, -1, 127, 128, -128, 16_384, 2 ** 31 - 1, -(2 ** 31), random.below(2 ** 32) - 2 ** 31])
const uint32 = (random: SeededRandom): number =>
  random.pick([0, 1, 127, 128, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1, random.below(2 ** 32)])
const uint64 = (random: SeededRandom): bigint =>
  random.pick([
    ...[0n, 1n, 127n, 128n, 1n << 28n, 1n << 31n, 1n << 32n, 1n << 35n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n],
    (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32))
  ])
const double = (random: SeededRandom): number =>
  random.pick([0, -0, 1.5, -1e300, 5e-324, Number.NaN, Infinity, -Infinity, random.below(1e9) / 7])
const text = (random: SeededRandom): string =>
  random.pick([
    "",
    "a",
    "twelve chars",
    "thirteen char",
    "ünï",
    "日本語のテキスト".repeat(random.pick([1, 6])),
    "\u{1f600}",
    "\ufeffmark",
    "lone \ud800",
    "x".repeat(random.pick([126, 127, 128, 129, 300, random.pick([300, 5_000, 20_000])])),
    "é".repeat(random.pick([42, 43, 63, 64, 2_000]))
  ])
const blob = (random: SeededRandom): Uint8Array =>
  Uint8Array.from({ length: random.pick([0, 1, 3, 32, 33, 127, 128, 9_000]) }, () => random.below(256))

const scalarValue = (random: SeededRandom, scalar: ScalarType): string | number | bigint | boolean | Uint8Array => {
  switch (scalar) {
    case ScalarType.DOUBLE:
      return double(random)
    case ScalarType.FLOAT:
      return Math.fround(random.pick([double(random), 3.4e38, 1e-40]))
    case ScalarType.BOOL:
      return random.below(2) === 1
    case ScalarType.STRING:
      return text(random)
    case ScalarType.BYTES:
      return blob(random)
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32(random)
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64(random)
    case ScalarType.INT64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return BigInt.asIntN(64, uint64(random))
    default:
      return int32(random)
  }
}

/** Fields of the type's numbers, and others, with any wire type and any content. */
export const wire = (random: SeededRandom, descriptor: DescMessage, depth = 0): Uint8Array => {
  const writer = new BinaryWriter()
  for (let count = random.below(8); count > 0; count--) {
    const field = descriptor.fields.length > 0 ? random.pick(descriptor.fields) : undefined
    const number = field === undefined || random.below(8) === 0 ? 1 + random.below(60) : field.number
    const wireType = random.below(6)
    writer.tag(number, wireType)
    if (wireType === 0) writer.raw(varint(random))
    else if (wireType === 1) writer.raw(bytesOf(random, 8))
    else if (wireType === 5) writer.raw(bytesOf(random, 4))
    else if (wireType === 2) writer.bytes(content(random, field, depth))
    else if (wireType === 3) {
      writer.raw(content(random, field, depth))
      if (random.below(6) > 0) writer.tag(number, 4)
    }
  }
  return writer.finish()
}

const content = (random: SeededRandom, field: DescField | undefined, depth: number): Uint8Array => {
  const kind = random.below(4)
  if (field?.message !== undefined && depth < 4 && kind > 0) return wire(random, field.message, depth + 1)
  if (kind === 0) return bytesOf(random, random.pick([0, 1, 8, 16]))
  if (kind === 1) return Uint8Array.from([0x0a, 1, 0x61, 0x12, 1, 0x62])
  if (kind === 2) return Uint8Array.from([0x08, random.below(128), 0x10, random.below(128)])
  return Uint8Array.from(random.list(4, () => varint(random)).flatMap((one) => [...one]))
}

const bytesOf = (random: SeededRandom, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]))

const varint = (random: SeededRandom): Uint8Array => {
  const bytes = Array.from({ length: random.pick([0, 0, 1, 2, 4, 5, 8, 9, 10]) }, () => 0x80 | random.below(128))
  return Uint8Array.from([...bytes, random.pick([0, 1, 2, 0x7f, random.below(128)])])
}

/** Bytes that are lost, changed or added. */
export const damage = (random: SeededRandom, bytes: Uint8Array): Uint8Array => {
  const damaged = Array.from(bytes)
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const kind = random.below(4)
    if (kind === 0) damaged[at] = random.pick([0, 0xff, 0x80, random.below(256)])
    else if (kind === 1) damaged.splice(at, 1 + random.below(4))
    else if (kind === 2) damaged.splice(at, 0, ...random.list(6, () => random.below(256)))
    else damaged.length = at
  }
  return Uint8Array.from(damaged, (byte) => byte ?? 0)
}

/** The codec writes what protobuf-es writes, and reads it as it does. */
export const sameBytes = (codec: ProtobufCodec, made: Message): Uint8Array => {
  const bytes = codec.encode(made)
  // Not what the codec answers: a view of memory that it shares.
  Assert.equal(Buffer.from(bytes).toString("hex"), Buffer.from(toBinary(codec.descriptor, made)).toString("hex"))
  return bytes
}

/** The codec reads what protobuf-es reads, value for value, or both refuse. Whether they read it. */
export const sameVerdict = (codec: ProtobufCodec, bytes: Uint8Array): boolean => {
  let expected: Message | undefined
  try {
    expected = fromBinary(codec.descriptor, bytes)
  } catch {}
  const decoded = codec.decode(bytes)
  const hex = () => `${codec.descriptor.typeName} ${Buffer.from(bytes).toString("hex").slice(0, 2_000)}`
  if (expected === undefined) Assert.ok(decoded instanceof ProtobufViolation, `only protobuf-es refuses ${hex()}`)
  else {
    if (decoded instanceof ProtobufViolation) Assert.fail(`only we refuse ${hex()}: ${decoded.message}`)
    Assert.deepStrictEqual(decoded, expected, hex())
  }
  return expected !== undefined
}
