/**
 * Compiles the decoder of one message type: a loop over tags, and a branch for
 * each field.
 *
 * As in protobuf-es, a field is read in the way of its type, whatever wire type its tag has; only
 * lists look whether they are packed. Bytes are views of the message's bytes.
 * Where a message has both, values that a closed enum does not know and fields that the type
 * does not, only the latter are kept; that too is as in protobuf-es 2.17.
 *
 * In the text: `r` the reader, `b` its bytes, `n` how many they are, `p` the
 * position, `t` the tag, `q` an end, `v` a value, `m` the message, `k` its unknown fields.
 *
 * @internal
 * @since 0.1.0
 */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf"
import { keepUnknownEnum, mostDepth, type ProtobufReader } from "./ProtobufReader.ts"
import * as Source from "./ProtobufSource.ts"
import { isWrapper } from "./ProtobufSupport.ts"
import type { Fields, ProtobufUnit } from "./ProtobufUnit.ts"

type Decode = (reader: ProtobufReader, message: Fields, end: number, group: number, depth: number) => void

/** Compiles the decoder of `descriptor`; `unitOf` is asked for the types of its fields. */
export const compile = (descriptor: DescMessage, unitOf: (child: DescMessage) => ProtobufUnit): Decode => {
  const children = Source.childrenOf(descriptor.fields)
  const cases = descriptor.fields.map((field) => `case ${field.number}: { ${fieldText(field, children)}; break }`)
  const text = `(r, m, end, group, depth) => {
  if (depth > ${mostDepth}) r.fail("TooDeep")
  const b = r.bytes, n = r.length
  let p = r.position, t = 0, q = 0, v, k = m.$unknown, closed = 0
  while (p < end) {
    ${tagText}
    if ((t & 7) > 3) {
      if ((t & 7) > 5) r.fail("InvalidTag")
      if ((t & 7) === 4 && group !== 0) { if (t < 8) r.fail("InvalidTag"); closed = t >>> 3; break }
    }
    switch (t >>> 3) {
      ${cases.join("\n      ")}
      default: {
        if (t < 8) r.fail("InvalidTag")
        if (k === undefined) k = []
        r.position = p
        k.push({ no: t >>> 3, wireType: t & 7, data: r.skip(t, ${mostDepth} - depth) })
        p = r.position
      }
    }
  }
  if (closed !== group) r.fail("InvalidGroup")
  if (k !== undefined && k.length > 0) m.$unknown = k
  r.position = p
}`
  const units = Object.fromEntries(children.map((child, index) => [`u${index}`, unitOf(child)]))
  return Source.build({ ...units, keepUnknownEnum, setProto }, text)
}

/** A map's key that would be the prototype. */
const setProto = (record: object, value: unknown): void => {
  Object.defineProperty(record, "__proto__", { value, writable: true, enumerable: true, configurable: true })
}

/** One byte here, where there is one at all: `p < end <= n`. */
const tagText = "if ((t = b[p]) < 128) p++; else { r.position = p; t = r.tag(); p = r.position }"

const fieldText = (field: DescField, children: ReadonlyArray<DescMessage>): string => {
  const unit = field.message === undefined ? "" : `u${children.indexOf(field.message)}`
  if (field.fieldKind === "list") return listText(field, unit)
  if (field.fieldKind === "map") return mapText(field, unit)
  if (field.fieldKind === "message") return messageText(field, unit)
  const read = readText(Source.scalarOf(field)!, "v", field)
  const set = field.oneof === undefined ? `m${Source.at(field.localName)} = v` : oneofText(field, "v")
  if (field.fieldKind === "scalar" || field.enum.open) return `${read} ${set}`
  return `${read} if (${isKnown(field.enum)}) ${set}; else keepUnknownEnum(m, t, v)`
}

const oneofText = (field: DescField, value: string): string =>
  `m${Source.at(field.oneof!.localName)} = { case: ${JSON.stringify(field.localName)}, value: ${value} }`

/** A closed enum has no other values than its own. */
const isKnown = ({ values }: DescEnum): string => values.map(({ number }) => `v === ${number}`).join(" || ")

const messageText = (field: DescField, unit: string): string => {
  const name = Source.at(field.localName)
  const isDelimited = "delimitedEncoding" in field && field.delimitedEncoding
  const read = isDelimited ? groupText(unit, field.number) : `${lengthText} ${callText(unit)}`
  if (isWrapper(field)) {
    const existing = `if (m${name} !== undefined) v.value = m${name}`
    return `v = ${unit}.create(); ${existing}; ${read} m${name} = v.value`
  }
  if (field.oneof === undefined) return `v = m${name}; if (v === undefined) v = ${unit}.create(); ${read} m${name} = v`
  const oneof = `m${Source.at(field.oneof.localName)}`
  const existing = `${oneof}.case === ${JSON.stringify(field.localName)} ? ${oneof}.value : undefined`
  return `v = ${existing}; if (v === undefined) v = ${unit}.create(); ${read} ${oneofText(field, "v")}`
}

const callText = (unit: string): string => `r.position = p; ${unit}.decode(r, v, q, 0, depth + 1); p = r.position;`

const groupText = (unit: string, number: number): string =>
  `r.position = p; ${unit}.decode(r, v, n, ${number}, depth + 1); p = r.position;`

const listText = (field: DescField & { readonly fieldKind: "list" }, unit: string): string => {
  const items = `m${Source.at(field.localName)}`
  if (field.listKind === "message") {
    const read = field.delimitedEncoding ? groupText(unit, field.number) : `${lengthText} ${callText(unit)}`
    return `v = ${unit}.create(); ${read} ${items}.push(v);`
  }
  const scalar = Source.scalarOf(field)!
  const read = `${readText(scalar, "v", field)} l.push(v);`
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return `const l = ${items}; ${read}`
  return `const l = ${items}; if ((t & 7) === 2) { ${lengthText} const e = q; while (p < e) { ${read} } } else { ${read} }`
}

const mapText = (field: DescField & { readonly fieldKind: "map" }, unit: string): string => {
  const set = "o[x] = y"
  const own = field.mapKey === ScalarType.STRING ? `if (x === "__proto__") setProto(o, y); else ${set}` : set
  const scalar = Source.scalarOf(field)
  const value =
    scalar === undefined
      ? `${lengthText} v = y === undefined ? ${unit}.create() : y; ${callText(unit)} y = v;`
      : readText(scalar, "y", field)
  return `${lengthText} const e = q, o = m${Source.at(field.localName)}; let x, y
        while (p < e) {
          ${tagText}
          if ((t & 7) > 5 || t < 8) r.fail("InvalidTag")
          switch (t >>> 3) {
            case 1: { ${readText(field.mapKey, "x", field)}; break }
            case 2: { ${value}; break }
            default: { r.position = p; r.skip(t, ${mostDepth} - depth); p = r.position }
          }
        }
        if (x === undefined) x = ${zeroText(field.mapKey)}
        if (y === undefined) y = ${field.enum ? field.enum.values[0]!.number : scalar ? zeroText(scalar) : `${unit}.create()`}
        ${own}`
}

const zeroText = (scalar: ScalarType): string => {
  switch (scalar) {
    case ScalarType.STRING:
      return '""'
    case ScalarType.BYTES:
      return "new Uint8Array(0)"
    case ScalarType.BOOL:
      return "false"
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return "0n"
    default:
      return "0"
  }
}

/** Reads a length, and makes `q` the end of what follows. */
const lengthText =
  "if (p < n && b[p] < 128) { q = b[p] + p + 1; p++ } else { r.position = p; q = r.uint32(); p = r.position; q += p } " +
  'if (q > n) r.fail("Truncated");'

/** Reads a scalar into the variable `to`. */
const readText = (scalar: ScalarType, to: string, field: DescField): string => {
  const isLongText = field.fieldKind !== "map" && "longAsString" in field && field.longAsString
  const slow = (call: string) => `r.position = p; ${to} = ${call}; p = r.position;`
  const long = (call: string) => slow(isLongText ? `String(${call})` : call)
  const quick = (value: string, call: string) =>
    `if (p < n && b[p] < 128) { ${to} = ${value}; p++ } else { ${slow(call)} }`
  switch (scalar) {
    case ScalarType.STRING:
      return `${lengthText} ${to} = r.${field.utf8Validation ? "strictText" : "text"}(p, q); p = q;`
    case ScalarType.BYTES:
      return `${lengthText} ${to} = b.subarray(p, q); p = q;`
    case ScalarType.BOOL:
      return quick("b[p] !== 0", "r.bool()")
    case ScalarType.INT32:
      return quick("b[p]", "r.uint32() | 0")
    case ScalarType.UINT32:
      return quick("b[p]", "r.uint32()")
    case ScalarType.SINT32:
      return `${quick("b[p]", "r.uint32()")} ${to} = (${to} >>> 1) ^ -(${to} & 1);`
    case ScalarType.DOUBLE:
      return slow("r.double()")
    case ScalarType.FLOAT:
      return slow("r.float()")
    case ScalarType.FIXED32:
      return slow("r.fixed32()")
    case ScalarType.SFIXED32:
      return slow("r.sfixed32()")
    case ScalarType.INT64:
      return long("r.int64()")
    case ScalarType.UINT64:
      return long("r.uint64()")
    case ScalarType.SINT64:
      return long("r.sint64()")
    case ScalarType.FIXED64:
      return long("r.fixed64()")
    case ScalarType.SFIXED64:
      return long("r.sfixed64()")
  }
}
