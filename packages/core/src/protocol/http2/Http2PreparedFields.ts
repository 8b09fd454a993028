/**
 * Fields to send, checked: in lower case, without those that are the
 * connection's own in HTTP/1 (RFC 9113 §8.2.2), and with those apart that the
 * head's writer looks at.
 *
 * Hot path: `bench/` rows "http2". A record that comes twice in a row, as that
 * of a constant response does, is kept as bytes from then on; so records are
 * not to be changed once they were sent.
 *
 * @internal
 * @since 0.1.0
 */
import * as HpackPrepared from "../hpack/HpackPrepared.ts"
import * as HttpContentLength from "../http/HttpContentLength.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import { InvalidMessage } from "./Http2Error.ts"

/** Instead of a length: there is none. @category models */
export const unannounced = -1

/** @category models */
export class Http2PreparedFields {
  /** All but those below: names in lower case, and values, in turn. */
  readonly list: Array<string> = []
  /** What the list counts for (RFC 9113 §6.5.2): names and values, and 32 bytes more for each field. */
  listBytes = 0
  /** The same, encoded: of a record that is used again. */
  block: HpackPrepared.HpackPrepared | undefined = undefined
  /** `Content-Length`, or `unannounced`. */
  lengthBytes: number = unannounced
  /** `Host`; only for requests. */
  host: string | undefined = undefined
  /** Whether there is a `Date`, and, only for requests, a `TE: trailers`. */
  hasDate = false
  takesTrailers = false
  /** The last name that trailers cannot have. */
  notInTrailers: string | undefined = undefined

  /** Adds a field that was checked. */
  add(name: string, value: string): void {
    this.list.push(name, value)
    this.listBytes += name.length + value.length + fieldBytes
  }
}

/** RFC 9113 §6.5.2: what a field counts for beside its name and value. @category models */
export const fieldBytes = 32

/** Checks the fields of a head. @category constructors */
export const ofHead = (fields: FieldsInput): Http2PreparedFields | InvalidMessage => {
  const known = preparedFields.get(fields)
  if (known !== undefined) return known
  const prepared = prepare(fields)
  if (fields === lastHead && prepared instanceof Http2PreparedFields) keep(fields, prepared)
  lastHead = fields
  return prepared
}

/** Checks trailers. Fields that may not come behind a body are refused (RFC 9110 §6.5.1). @category constructors */
export const ofTrailers = (fields: FieldsInput): Http2PreparedFields | InvalidMessage => {
  const known = preparedFields.get(fields)
  if (known !== undefined) return known.notInTrailers === undefined ? known : noTrailer(known.notInTrailers)
  const prepared = prepare(fields)
  if (prepared instanceof Http2PreparedFields && prepared.notInTrailers !== undefined) {
    return noTrailer(prepared.notInTrailers)
  }
  if (fields === lastTrailers && prepared instanceof Http2PreparedFields) keep(fields, prepared)
  lastTrailers = fields
  return prepared
}

/**
 * Fields that were checked, by their record. Only records that come twice in a
 * row are kept: an entry for each record that is used once would cost more
 * than it saves.
 */
const preparedFields = new WeakMap<FieldsInput, Http2PreparedFields>()

/** The records of the last head and of the last trailers, to be known again; each holds one small record in memory. */
let lastHead: FieldsInput | undefined
let lastTrailers: FieldsInput | undefined

const noTrailer = (name: string): InvalidMessage => new InvalidMessage(`${name} cannot be a trailer`)

const keep = (fields: FieldsInput, prepared: Http2PreparedFields): void => {
  const pairs: Array<readonly [string, string]> = []
  for (let index = 0; index < prepared.list.length; index += 2) {
    pairs.push([prepared.list[index]!, prepared.list[index + 1]!])
  }
  prepared.block = HpackPrepared.make(pairs)
  preparedFields.set(fields, prepared)
}

const prepare = (fields: FieldsInput): Http2PreparedFields | InvalidMessage => {
  const prepared = new Http2PreparedFields()
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (value === undefined) continue
    const known = knownNames.get(name) ?? learn(name)
    if (known === undefined) return new InvalidMessage(`${JSON.stringify(name)} is no field name`)
    if (!known.isTrailer) prepared.notInTrailers = known.name
    if (typeof value === "string") {
      const refusal = add(prepared, known, value)
      if (refusal !== undefined) return refusal
      continue
    }
    for (const one of value) {
      const refusal = add(prepared, known, one)
      if (refusal !== undefined) return refusal
    }
  }
  return prepared
}

/** A name that was checked, and the last value that was: most messages of a program say the same again. */
interface KnownName {
  /** In lower case. */
  readonly name: string
  /** Whether it is the engine's own, or is looked at by it. */
  readonly isOwn: boolean
  readonly isTrailer: boolean
  /** How long a value may be to be kept: those of secrets are not. */
  readonly longestValue: number
  value: string | undefined
}

const knownNames = new Map<string, KnownName>()

/** Names are the program's words, and few. */
const mostKnownNames = 256
const longestKnownValue = 256

const ownNames: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "connection",
  "content-length",
  "date",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade"
])

const learn = (name: string): KnownName | undefined => {
  if (!HttpField.isName(name)) return undefined
  const lower = name.toLowerCase()
  const isOwn = ownNames.has(lower)
  const known: KnownName = {
    name: lower,
    isOwn,
    isTrailer: HttpField.isTrailerName(lower),
    longestValue: isOwn || HttpField.isSecretName(lower) ? -1 : longestKnownValue,
    value: undefined
  }
  if (knownNames.size < mostKnownNames) knownNames.set(name, known)
  return known
}

const add = (prepared: Http2PreparedFields, known: KnownName, value: string): InvalidMessage | undefined => {
  if (value === known.value) {
    prepared.add(known.name, value)
    return undefined
  }
  if (!HttpField.isValue(value)) {
    return new InvalidMessage(`the value of ${known.name} has a character that no field can have`)
  }
  // RFC 9113 §8.2.1: "MUST NOT start or end with an ASCII whitespace character", which is not of the value in HTTP/1.
  const content = HttpField.trim(value, 0, value.length)
  if (known.isOwn) return addOwn(prepared, known.name, content)
  prepared.add(known.name, content)
  if (content.length <= known.longestValue) known.value = content
  return undefined
}

const addOwn = (prepared: Http2PreparedFields, name: string, value: string): InvalidMessage | undefined => {
  switch (name) {
    case "content-length": {
      if (prepared.lengthBytes !== unannounced) return new InvalidMessage("Content-Length is there twice")
      const lengthBytes = HttpContentLength.parse(value)
      if (lengthBytes === undefined) return new InvalidMessage("Content-Length is no number")
      prepared.lengthBytes = lengthBytes
      return undefined
    }
    case "host":
      if (prepared.host !== undefined) return new InvalidMessage("Host is there twice")
      if (!HttpTarget.isAuthority(value, "optional")) return new InvalidMessage("Host is no host")
      prepared.host = value
      return undefined
    case "date":
      prepared.hasDate = true
      prepared.add(name, value)
      return undefined
    case "te":
      // RFC 9113 §8.2.2: "MUST NOT contain any value other than "trailers"".
      if (HttpField.hasToken(value, "trailers")) prepared.takesTrailers = true
      return undefined
    default:
      return undefined
  }
}
