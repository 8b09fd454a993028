/**
 * Protocol Buffers for the few messages that describe errors, which are made of
 * text: read and written by a table of their fields, without generated code.
 *
 * Reading never throws, and says `undefined` for what is no such message. Fields
 * that the table has not are passed over. How deep messages nest is bounded by
 * the table.
 *
 * @internal
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Utf8 from "../../bytes/Utf8.ts"

/**
 * What a field is: one text or several, a text that may be missing, a map of
 * text to text, `google.protobuf.Duration`, an `int32`, `bytes`, or several
 * messages with a table of their own.
 *
 * @category models
 */
export type Kind = "text" | "texts" | "optionalText" | "map" | "duration" | "int32" | "bytes" | Table

/** The fields of a message, in the order of their numbers. @category models */
export type Table = ReadonlyArray<readonly [number: number, key: string, kind: Kind]>

/** A message by the keys of its table. @category models */
export type Message = Readonly<Record<string, unknown>>

/** @category writing */
export const encode = (table: Table, message: Message): Uint8Array => {
  const writer = new Writer()
  writer.message(table, message)
  return writer.done()
}

/** @category reading */
export const decode = (table: Table, bytes: Uint8Array): Message | undefined =>
  decodeRange(table, bytes, 0, bytes.length)

const lengthDelimited = 2

class Writer {
  private bytes = new Uint8Array(64)
  private length = 0

  done(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  message(table: Table, message: Message): void {
    for (const [number, key, kind] of table) this.field(number, kind, message[key])
  }

  private field(number: number, kind: Kind, value: unknown): void {
    if (typeof kind !== "string") {
      for (const one of value as ReadonlyArray<Message>) this.nested(number, encode(kind, one))
      return
    }
    switch (kind) {
      case "text":
      case "optionalText":
        // What is not written is empty.
        if (value !== undefined && value !== "") this.nested(number, Utf8.encode(value as string))
        return
      case "texts":
        for (const one of value as ReadonlyArray<string>) this.nested(number, Utf8.encode(one))
        return
      case "map":
        // An entry has both of its fields, also the empty ones, as other implementations write it.
        for (const [name, text] of Object.entries(value as Record<string, string>)) {
          const entry = new Writer()
          entry.nested(1, Utf8.encode(name))
          entry.nested(2, Utf8.encode(text))
          this.nested(number, entry.done())
        }
        return
      case "duration":
        this.nested(number, encodeDuration(value as Duration.Duration))
        return
      case "int32":
        this.integer(number, value as number)
        return
      case "bytes":
        if ((value as Uint8Array).length > 0) this.nested(number, value as Uint8Array)
    }
  }

  integer(number: number, value: number): void {
    if (value === 0) return
    this.varint(number << 3)
    this.varint(value)
  }

  private nested(number: number, bytes: Uint8Array): void {
    this.varint((number << 3) | lengthDelimited)
    this.varint(bytes.length)
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Negative numbers have ten bytes: all 64 bits. */
  private varint(value: number): void {
    this.reserve(10)
    let low = (value % 2 ** 32) >>> 0
    let high = Math.floor(value / 2 ** 32) >>> 0
    while (high > 0 || low > 0x7f) {
      this.bytes[this.length++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.bytes[this.length++] = low
  }

  private reserve(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + byteCount))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}

/** `google.protobuf.Duration`: seconds and nanoseconds, of the same sign and within 10,000 years. */
const encodeDuration = (duration: Duration.Duration): Uint8Array => {
  const most = mostSeconds * 1_000
  const millis = Math.min(Math.max(Duration.toMillis(duration), -most), most)
  const seconds = Math.trunc(millis / 1_000)
  const writer = new Writer()
  writer.integer(1, seconds)
  writer.integer(2, Math.round((millis - seconds * 1_000) * 1e6))
  return writer.done()
}

const decodeDuration = (bytes: Uint8Array, start: number, end: number): Duration.Duration | undefined => {
  const parts = decodeRange(durationTable, bytes, start, end)
  if (parts === undefined) return undefined
  const { nanos, seconds } = parts as { readonly nanos: number; readonly seconds: number }
  if (nanos % 1e6 === 0) return Duration.millis(seconds * 1_000 + nanos / 1e6)
  return Duration.nanos(BigInt(seconds) * 1_000_000_000n + BigInt(nanos))
}

const mostSeconds = 315_576_000_000

// An int64 on the wire is an int32 that is larger.
const durationTable: Table = [
  [1, "seconds", "int32"],
  [2, "nanos", "int32"]
]

const mapTable: Table = [
  [1, "name", "text"],
  [2, "text", "text"]
]

/** Where in the bytes a reader is; above `end` once a field is cut off. */
interface Position {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
}

const decodeRange = (table: Table, bytes: Uint8Array, start: number, end: number): Message | undefined => {
  const found = emptyOf(table)
  const position: Position = { bytes, at: start, end }
  while (position.at < end) {
    const tag = varint(position)
    const wireType = tag % 8
    const number = Math.floor(tag / 8)
    if (number < 1) return undefined
    const field = table.find((one) => one[0] === number)
    const isKnown = field !== undefined && wireType === (field[2] === "int32" ? 0 : lengthDelimited)
    if (isKnown ? !take(found, field[1], field[2], position) : !skip(position, wireType)) return undefined
  }
  return position.at === end ? found : undefined
}

const emptyOf = (table: Table): Record<string, unknown> => {
  const empty: Record<string, unknown> = {}
  for (const [, key, kind] of table) {
    if (typeof kind !== "string" || kind === "texts") empty[key] = []
    else if (kind === "text") empty[key] = ""
    else if (kind === "map") empty[key] = {}
    else if (kind === "duration") empty[key] = Duration.zero
    else if (kind === "int32") empty[key] = 0
    else if (kind === "bytes") empty[key] = new Uint8Array(0)
  }
  return empty
}

/** Takes a field; whether it is good, as far as there are bytes for it. */
const take = (into: Record<string, unknown>, key: string, kind: Kind, position: Position): boolean => {
  const { bytes } = position
  const value = varint(position)
  if (kind === "int32") {
    into[key] = value
    return true
  }
  const start = position.at
  const end = start + value
  if (!(value >= 0 && end <= position.end)) return false
  position.at = end
  if (typeof kind !== "string") return push(into[key], decodeRange(kind, bytes, start, end))
  switch (kind) {
    case "texts":
      return push(into[key], Utf8.decodeRange(bytes, start, end))
    case "map": {
      const entry = decodeRange(mapTable, bytes, start, end)
      if (entry === undefined) return false
      const { name, text } = entry as { readonly name: string; readonly text: string }
      // An own property, whatever its name is: `__proto__` too.
      Object.defineProperty(into[key], name, { ...ownProperty, value: text })
      return true
    }
    case "duration":
      into[key] = decodeDuration(bytes, start, end)
      break
    case "bytes":
      into[key] = bytes.subarray(start, end)
      break
    default:
      into[key] = Utf8.decodeRange(bytes, start, end)
  }
  return into[key] !== undefined
}

const ownProperty = { configurable: true, enumerable: true, writable: true }

const push = (list: unknown, value: unknown): boolean => {
  if (value === undefined) return false
  ;(list as Array<unknown>).push(value)
  return true
}

/** Passes over a field that nobody knows. Groups are long gone, and are no message here. */
const skip = (position: Position, wireType: number): boolean => {
  if (wireType === 0) varint(position)
  else if (wireType === 1) position.at += 8
  else if (wireType === 5) position.at += 4
  else if (wireType === lengthDelimited) {
    const length = varint(position)
    if (length < 0) return false
    position.at += length
  } else return false
  return true
}

/** A number of up to ten bytes, as a signed one of 64 bits; above 2^53 it is not exact. */
const varint = (position: Position): number => {
  const { bytes, end } = position
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (position.at >= end) break
    const byte = bytes[position.at++]!
    const part = byte & 0x7f
    if (shift < 28) low |= part << shift
    else if (shift === 28) {
      low |= part << 28
      high = part >>> 4
    } else if (shift < 63) high |= part << (shift - 32)
    else high |= part << 31
    if (byte < 0x80) return (high | 0) * 2 ** 32 + (low >>> 0)
  }
  position.at = end + 1
  return 0
}
