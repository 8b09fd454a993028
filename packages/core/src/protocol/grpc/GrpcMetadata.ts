/**
 * Metadata of a call: names with text, and names that end in `-bin` with bytes
 * (gRPC over HTTP/2, "Custom-Metadata"). A value: what changes it makes another.
 *
 * ```ts
 * GrpcMetadata.make({ "x-tenant": "a", "x-trace-bin": Uint8Array.of(1, 2) })
 * call.metadata.get("authorization")
 * ```
 *
 * What was received is read when someone asks for it. It is what the peer sent,
 * without the fields of gRPC and of HTTP themselves; a text may have characters
 * that this side would not send, and can be sent back all the same.
 *
 * @since 0.1.0
 */
import { byteSet, isMadeOf } from "../../bytes/Ascii.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import { EmptyRecord, type HttpFields } from "../http/HttpFields.ts"
import * as GrpcBase64 from "./GrpcBase64.ts"

/** Text, or bytes for a name that ends in `-bin`. @category models */
export type Value = string | Uint8Array

/** By names in any case; a list is a value after the other. @category models */
export type Input = Readonly<Record<string, Value | ReadonlyArray<Value> | undefined>>

/** @category models */
export class GrpcMetadata {
  /** Names and values in turn, as on the wire: in lower case, and bytes in base64. */
  private lines: ReadonlyArray<string>
  /** What was received and not yet read. */
  private unread: HttpFields | undefined
  private head: FieldsInput | undefined = undefined
  private trailers: FieldsInput | undefined = undefined

  /** Use {@link make} or {@link fromFields}. */
  constructor(lines: ReadonlyArray<string>, unread: HttpFields | undefined) {
    this.lines = lines
    this.unread = unread
  }

  get isEmpty(): boolean {
    return this.read().length === 0
  }

  has(name: string): boolean {
    return find(this.read(), name.toLowerCase(), 0) >= 0
  }

  /** The first text of a name; `undefined` when there is none, and for a name that ends in `-bin`. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    if (isBinary(wanted)) return undefined
    const lines = this.read()
    const at = find(lines, wanted, 0)
    return at < 0 ? undefined : lines[at + 1]
  }

  /** All texts of a name, in order. */
  getAll(name: string): ReadonlyArray<string> {
    const wanted = name.toLowerCase()
    return isBinary(wanted) ? [] : allOf(this.read(), wanted)
  }

  /** The first bytes of a name that ends in `-bin`; `undefined` when there are none, or what came is no base64. */
  getBinary(name: string): Uint8Array | undefined {
    return this.getAllBinary(name)[0]
  }

  /** All bytes of a name that ends in `-bin`, in order, without what is no base64. */
  getAllBinary(name: string): ReadonlyArray<Uint8Array> {
    const wanted = name.toLowerCase()
    return isBinary(wanted) ? allOf(this.read(), wanted).flatMap(decodeList) : []
  }

  /**
   * With these values of a name in place of what it had; without any, it is
   * gone. Throws a `RangeError` for what cannot be metadata: see {@link make}.
   */
  set(name: string, value: Value | ReadonlyArray<Value>): GrpcMetadata {
    const kept = without(this.read(), name.toLowerCase())
    add(kept, name, value)
    return new GrpcMetadata(kept, undefined)
  }

  /** With one more value of a name, or several. Throws as {@link set} does. */
  append(name: string, value: Value | ReadonlyArray<Value>): GrpcMetadata {
    const lines = [...this.read()]
    add(lines, name, value)
    return new GrpcMetadata(lines, undefined)
  }

  remove(name: string): GrpcMetadata {
    return this.has(name) ? new GrpcMetadata(without(this.read(), name.toLowerCase()), undefined) : this
  }

  /** With all values of `other` behind those of the same names. */
  merge(other: GrpcMetadata): GrpcMetadata {
    if (other.isEmpty) return this
    return this.isEmpty ? other : new GrpcMetadata([...this.read(), ...other.read()], undefined)
  }

  /** Names in lower case with their values, in order; bytes that are no base64 are left out. */
  entries(): ReadonlyArray<readonly [name: string, value: Value]> {
    const lines = this.read()
    const entries: Array<readonly [string, Value]> = []
    for (let at = 0; at < lines.length; at += 2) {
      const name = lines[at]!
      if (!isBinary(name)) entries.push([name, lines[at + 1]!])
      else for (const bytes of decodeList(lines[at + 1]!)) entries.push([name, bytes])
    }
    return entries
  }

  /** The fields of a head; the same record each time. */
  toFields(): FieldsInput {
    this.head ??= recordOf(this.read(), () => true)
    return this.head
  }

  /** The fields of trailers, without those that HTTP forbids there (RFC 9110 §6.5.1); the same record each time. */
  toTrailers(): FieldsInput {
    this.trailers ??= recordOf(this.read(), HttpField.isTrailerName)
    return this.trailers
  }

  /** As logs and `JSON.stringify` show it: bytes in base64, and nothing of what tells who someone is. */
  toJSON(): FieldsInput {
    const record = { ...recordOf(this.read(), () => true) }
    for (const name of secretNames) if (record[name] !== undefined) record[name] = "<redacted>"
    return record
  }

  toString(): string {
    return JSON.stringify(this)
  }

  [Symbol.for("nodejs.util.inspect.custom")](): FieldsInput {
    return this.toJSON()
  }

  private read(): ReadonlyArray<string> {
    if (this.unread === undefined) return this.lines
    const lines: Array<string> = []
    this.unread.visit((name, value) => {
      const lower = name.toLowerCase()
      if (!ownNames.has(lower)) lines.push(lower, value)
    })
    this.lines = lines
    this.unread = undefined
    return lines
  }
}

/** @category constructors */
export const empty: GrpcMetadata = /*#__PURE__*/ new GrpcMetadata([], undefined)

/**
 * Metadata of names and values. Throws a `RangeError` for what cannot be sent:
 *
 * - a name with other characters than letters, digits, `_`, `-` and `.`;
 * - one that is gRPC's or HTTP's own: `grpc-…`, `te`, `content-type`, `host` and those of the connection;
 * - a text with characters outside printable ASCII (send bytes under a name that ends in `-bin`);
 * - text for a name that ends in `-bin`, and bytes for another.
 *
 * @category constructors
 */
export const make = (input: Input): GrpcMetadata => {
  const lines: Array<string> = []
  for (const name of Object.keys(input)) {
    const value = input[name]
    if (value !== undefined) add(lines, name, value)
  }
  return lines.length === 0 ? empty : new GrpcMetadata(lines, undefined)
}

/** What was received in a head or in trailers; they are read at the first question. @category constructors */
export const fromFields = (fields: HttpFields): GrpcMetadata => new GrpcMetadata([], fields)

/** Whether values of a name are bytes. `name` is in lower case. @category grammar */
export const isBinary = (name: string): boolean => name.endsWith("-bin")

/** Whether this side may send metadata of a name, in lower case. @category grammar */
export const isName = (name: string): boolean =>
  name !== "" && isMadeOf(nameBytes, name, 0, name.length) && !name.startsWith("grpc-") && !ownNames.has(name)

/** Where a name stands, from `from` on; -1 when it does not. Its value is the next. */
const find = (lines: ReadonlyArray<string>, name: string, from: number): number => {
  for (let at = from; at < lines.length; at += 2) if (lines[at] === name) return at
  return -1
}

const allOf = (lines: ReadonlyArray<string>, name: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (let at = find(lines, name, 0); at >= 0; at = find(lines, name, at + 2)) values.push(lines[at + 1]!)
  return values
}

const without = (lines: ReadonlyArray<string>, name: string): Array<string> => {
  const kept: Array<string> = []
  for (let at = 0; at < lines.length; at += 2) if (lines[at] !== name) kept.push(lines[at]!, lines[at + 1]!)
  return kept
}

const add = (lines: Array<string>, name: string, value: Value | ReadonlyArray<Value>): void => {
  const lower = name.toLowerCase()
  if (!isName(lower)) throw new RangeError(`${JSON.stringify(name)} is no name of metadata`)
  if (typeof value === "string" || value instanceof Uint8Array) lines.push(lower, encodeOne(lower, value))
  else for (const one of value) lines.push(lower, encodeOne(lower, one))
}

const encodeOne = (name: string, value: Value): string => {
  if (typeof value !== "string") {
    if (!isBinary(name)) throw new RangeError(`bytes are metadata only of a name that ends in -bin, not of ${name}`)
    return GrpcBase64.encode(value)
  }
  if (isBinary(name)) throw new RangeError(`the metadata ${name} wants bytes`)
  if (!isMadeOf(textBytes, value, 0, value.length)) {
    throw new RangeError(`the metadata ${name} has a character that is not printable ASCII`)
  }
  // "ASCII-Value should not have leading or trailing whitespace"
  return value.trim()
}

/** "Implementations must split Binary-Headers on "," before decoding the Base64-encoded values." */
const decodeList = (value: string): ReadonlyArray<Uint8Array> => {
  const list: Array<Uint8Array> = []
  for (const part of value.split(",")) {
    const bytes = GrpcBase64.decode(HttpField.trim(part, 0, part.length))
    if (bytes !== undefined) list.push(bytes)
  }
  return list
}

const recordOf = (
  lines: ReadonlyArray<string>,
  isSent: (name: string) => boolean
): Record<string, string | Array<string>> => {
  const record = new EmptyRecord() as Record<string, string | Array<string>>
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at]!
    if (!isSent(name)) continue
    const earlier = record[name]
    if (earlier === undefined) record[name] = lines[at + 1]!
    else if (typeof earlier === "string") record[name] = [earlier, lines[at + 1]!]
    else earlier.push(lines[at + 1]!)
  }
  return record
}

const nameBytes = /*#__PURE__*/ byteSet("0-9", "a-z", "_", "-", ".")
const textBytes = /*#__PURE__*/ byteSet(" -~")

/** Those that Effect does not show of the fields of HTTP either. */
const secretNames = ["authorization", "cookie", "set-cookie", "x-api-key"]

/** Fields that are no metadata: gRPC reads them itself, or HTTP does. */
const ownNames: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "connection",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-message-type",
  "grpc-status",
  "grpc-status-details-bin",
  "grpc-timeout",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])
