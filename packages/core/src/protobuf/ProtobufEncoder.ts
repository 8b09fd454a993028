/**
 * Compiles the encoders of one message type: functions with a few lines for
 * each field, in the order of their numbers. One takes messages, the other what
 * `create` of protobuf-es makes messages of, without making them.
 *
 * It writes only values of the types that protobuf-es declares. What is
 * anything else (a number for a bigint, a text for a number, a required field
 * that is not set) throws, and `ProtobufCodec` asks protobuf-es, which
 * converts it or says what is wrong.
 *
 * In the text: `m` the message, `w` the writer, `b` its memory of `c` bytes,
 * `p` the position, `v` a value.
 *
 * @internal
 * @since 0.1.0
 */
import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf"
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt"
import * as Source from "./ProtobufSource.ts"
import { isWrapper } from "./ProtobufSupport.ts"
import type { Fields, ProtobufUnit } from "./ProtobufUnit.ts"
import { notPlain, type ProtobufWriter } from "./ProtobufWriter.ts"

/** What an encoder takes: a message, or what one is made of. */
export type Form = "message" | "init"

/** Compiles an encoder of `descriptor`; `unitOf` is asked for the types of its fields. */
export const compile = (
  descriptor: DescMessage,
  unitOf: (child: DescMessage) => ProtobufUnit,
  form: Form
): ((writer: ProtobufWriter, message: Fields) => void) => {
  const children = Source.childrenOf(descriptor.fields)
  const fields = [...descriptor.fields].sort((left, right) => left.number - right.number)
  const text = `(w, m) => {
  ${form === "message" ? typeText(descriptor, fields.length) : initText(descriptor)}
  let v, o
  let b = w.bytes, c = b.length, p = w.position
  ${fields.map((field) => fieldText(field, children, form)).join("\n  ")}
  ${form === "message" ? "if (m.$unknown !== undefined) p = w.unknown(p, m.$unknown)" : ""}
  w.position = p
}`
  const units = Object.fromEntries(children.map((child, index) => [`u${index}`, unitOf(child)]))
  const isArray = Array.isArray
  return Source.build(
    { ...units, notPlain, own: Object.prototype.hasOwnProperty, isArray, unit: unitOf(descriptor) },
    text
  )
}

const typeText = ({ typeName }: DescMessage, fieldCount: number): string =>
  fieldCount > 0 ? `if (m.$typeName !== ${JSON.stringify(typeName)}) throw notPlain` : ""

/** A message stays what it is, and is never made of another one here. */
const initText = ({ typeName }: DescMessage): string => `if (typeof m !== "object" || isArray(m)) throw notPlain
  if (m.$typeName !== undefined) {
    if (m.$typeName !== ${JSON.stringify(typeName)}) throw notPlain
    return unit.encode(w, m)
  }`

const fieldText = (field: DescField, children: ReadonlyArray<DescMessage>, form: Form): string => {
  const unit = field.message === undefined ? "" : `u${children.indexOf(field.message)}`
  if (field.fieldKind === "list") return listText(field, unit, form)
  if (field.fieldKind === "map") return mapText(field, unit, form)
  const write = field.fieldKind === "message" ? messageText(field, unit, form) : singularText(field)
  return form === "message" ? presenceText(field, field.oneof, write) : givenText(field, field.oneof, write)
}

/** Writes a field where it is set. */
const presenceText = (field: DescField, oneof: DescOneof | undefined, write: string): string => {
  const name = Source.at(field.localName)
  if (oneof !== undefined) {
    const holder = `o = m${Source.at(oneof.localName)}`
    return `${holder}; if (o.case === ${JSON.stringify(field.localName)}) { v = o.value; ${write} }`
  }
  if (field.presence === Presence.IMPLICIT) return `v = m${name}; if (${isNotZero(field)}) { ${write} }`
  // What is not set may have its default on the prototype.
  const isSet = `v !== undefined && own.call(m, ${JSON.stringify(field.localName)})`
  return `v = m${name}; if (${isSet}) { ${write} }${otherwiseText(field)}`
}

/** Writes a field where the message would have it set: `undefined` and `null` do not. */
const givenText = (field: DescField, oneof: DescOneof | undefined, write: string): string => {
  const name = Source.at(field.localName)
  if (oneof !== undefined) {
    const holder = `o = m${Source.at(oneof.localName)}`
    return `${holder}; if (o != null && o.case === ${JSON.stringify(field.localName)}) { v = o.value; ${write} }`
  }
  const isSet = field.presence === Presence.IMPLICIT ? `v != null && (${isNotZero(field)})` : "v != null"
  return `v = m${name}; if (${isSet}) { ${write} }${otherwiseText(field)}`
}

const otherwiseText = (field: DescField): string =>
  field.presence === Presence.LEGACY_REQUIRED ? " else throw notPlain" : ""

const isNotZero = (field: DescField): string => {
  if (field.fieldKind === "enum") return `v !== ${field.enum.values[0]!.number}`
  switch (field.scalar) {
    case ScalarType.BOOL:
      return "v !== false"
    case ScalarType.STRING:
      return 'v !== ""'
    case ScalarType.BYTES:
      return "!(v instanceof Uint8Array) || v.length > 0"
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "v !== 0 || 1 / v < 0"
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return holdsText(field) ? "v != 0" : "v !== 0n"
    default:
      return "v !== 0"
  }
}

/** Whether 64-bit integers of the field are texts. */
const holdsText = (field: DescField): boolean => "longAsString" in field && field.longAsString

const singularText = (field: DescField): string => {
  const scalar = Source.scalarOf(field)!
  return `${tagText(field.number, Source.wireTypeOf(scalar), mostBytes(scalar))} ${valueText(scalar, holdsText(field))}`
}

const messageText = (field: DescField, unit: string, form: Form): string => {
  if (!isWrapper(field)) return childText(field, unit, form)
  return `o = ${unit}.create(); o.value = v; v = o; ${childText(field, unit, "message")}`
}

/** Writes the message `v` with its tag. */
const childText = (field: DescField, unit: string, form: Form): string => {
  if ("delimitedEncoding" in field && field.delimitedEncoding) {
    return `${tagText(field.number, 3, 0)} ${callText(unit, form)} ${tagText(field.number, 4, 0)}`
  }
  return `${tagText(field.number, 2, 1)} { const s = p++; ${callText(unit, form)} p = w.join(s, p); ${again} }`
}

const callText = (unit: string, form: Form): string =>
  `w.position = p; ${unit}.${form === "message" ? "encode" : "encodeInit"}(w, v); p = w.position; ${again}`

const listText = (field: DescField & { readonly fieldKind: "list" }, unit: string, form: Form): string => {
  const items = `v = m${Source.at(field.localName)};`
  const write = itemsText(field, unit, form)
  return form === "message"
    ? `${items} ${write}`
    : `${items} if (v != null) { if (!isArray(v)) throw notPlain; ${write} }`
}

/** Writes the items of the list `v`. */
const itemsText = (field: DescField & { readonly fieldKind: "list" }, unit: string, form: Form): string => {
  const each = (write: string) => `for (let i = 0, l = v, n = l.length; i < n; i++) { v = l[i]; ${write} }`
  if (field.listKind === "message") return each(childText(field, unit, form))
  const scalar = Source.scalarOf(field)!
  const write = valueText(scalar, holdsText(field))
  if (!field.packed) {
    return each(`${tagText(field.number, Source.wireTypeOf(scalar), mostBytes(scalar))} ${write}`)
  }
  const packed = each(`${roomText(mostBytes(scalar))} ${write}`)
  return `if (v.length > 0) { ${tagText(field.number, 2, 1)} const s = p++; ${packed} p = w.join(s, p); ${again} }`
}

const mapText = (field: DescField & { readonly fieldKind: "map" }, unit: string, form: Form): string => {
  const entries = `for (const k of Object.keys(o)) { ${entryText(field, unit, form)} }`
  const record = `o = m${Source.at(field.localName)};`
  if (form === "message") return `${record} ${entries}`
  return `${record} if (o != null) { if (typeof o !== "object" || isArray(o)) throw notPlain; ${entries} }`
}

/** Writes the entry of the key `k` in `o`. */
const entryText = (field: DescField & { readonly fieldKind: "map" }, unit: string, form: Form): string => {
  const scalar = Source.scalarOf(field)
  const value =
    scalar === undefined
      ? `${tagText(2, 2, 1)} { const z = p++; ${callText(unit, form)} p = w.join(z, p); ${again} }`
      : `${tagText(2, Source.wireTypeOf(scalar), mostBytes(scalar))} ${valueText(scalar, false)}`
  const key = `v = ${keyText(field.mapKey)}; ${tagText(1, Source.wireTypeOf(field.mapKey), mostBytes(field.mapKey))}`
  return `
    ${tagText(field.number, 2, 1)}
    const s = p++
    ${key} ${valueText(field.mapKey, false)}
    v = o[k]
    ${value}
    p = w.join(s, p); ${again}`
}

/** A key of an object, which is always text, as a value of the key's type. */
const keyText = (scalar: ScalarType): string => {
  switch (scalar) {
    case ScalarType.STRING:
      return "k"
    case ScalarType.BOOL:
      return 'k === "true" || k !== "false" && k'
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return "BigInt(k)"
    default:
      return "Number.parseInt(k)"
  }
}

/** The memory may be another one behind a call that makes room. */
const again = "b = w.bytes; c = b.length;"

const roomText = (byteCount: number): string => `if (p + ${byteCount} > c) { w.reserve(p, ${byteCount}); ${again} }`

/** A tag, and room for `moreBytes` behind it. */
const tagText = (number: number, wireType: number, moreBytes: number): string => {
  const bytes: Array<number> = []
  let rest = ((number << 3) | wireType) >>> 0
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return `${roomText(bytes.length + moreBytes)} ${bytes.map((byte) => `b[p++] = ${byte};`).join(" ")}`
}

/** What `valueText` needs room for; text and bytes make their own. */
const mostBytes = (scalar: ScalarType): number => {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 0
    case ScalarType.BOOL:
      return 1
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return 4
    case ScalarType.UINT32:
    case ScalarType.SINT32:
      return 5
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 8
    default:
      return 10
  }
}

const isInt32 = "if ((v | 0) !== v) throw notPlain;"
const isUint32 = "if (v >>> 0 !== v) throw notPlain;"

/** Writes the scalar `v`. `longAsString`: it is a text, and a bigint on the wire. */
const valueText = (scalar: ScalarType, longAsString: boolean): string => {
  const long = longAsString ? 'if (typeof v !== "string") throw notPlain; v = BigInt(v);' : ""
  switch (scalar) {
    case ScalarType.STRING:
      return `if (typeof v !== "string") throw notPlain; p = w.text(p, v); ${again}`
    case ScalarType.BYTES:
      return `if (!(v instanceof Uint8Array)) throw notPlain; p = w.blob(p, v); ${again}`
    case ScalarType.BOOL:
      return "b[p++] = v ? 1 : 0;"
    case ScalarType.DOUBLE:
      return "p = w.double(p, v);"
    case ScalarType.FLOAT:
      return "p = w.float(p, v);"
    case ScalarType.INT32:
      return `${isInt32} if (v >= 0 && v < 128) b[p++] = v; else p = w.int32(p, v);`
    case ScalarType.UINT32:
      return `${isUint32} if (v < 128) b[p++] = v; else p = w.uint32(p, v);`
    case ScalarType.SINT32:
      return `${isInt32} p = w.uint32(p, ((v << 1) ^ (v >> 31)) >>> 0);`
    case ScalarType.FIXED32:
      return `${isUint32} w.view.setUint32(p, v, true); p += 4;`
    case ScalarType.SFIXED32:
      return `${isInt32} w.view.setInt32(p, v, true); p += 4;`
    case ScalarType.INT64:
      return `${long} p = w.int64(p, v);`
    case ScalarType.UINT64:
      return `${long} p = w.uint64(p, v);`
    case ScalarType.SINT64:
      return `${long} p = w.sint64(p, v);`
    case ScalarType.FIXED64:
      return `${long} p = w.fixed64(p, v);`
    case ScalarType.SFIXED64:
      return `${long} p = w.sfixed64(p, v);`
  }
}
