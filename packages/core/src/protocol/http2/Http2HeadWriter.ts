/**
 * Heads and trailers to send, as header blocks (RFC 9113 §8.2, §8.3). All
 * fields are checked before the first is encoded: what is refused leaves block
 * and encoder as they were, so the peer's table stays in step.
 *
 * One application serves all versions of HTTP: names may be in any case, and
 * fields that are the connection's own in HTTP/1 (RFC 9113 §8.2.2) are left
 * out of heads.
 *
 * Hot path: `bench/` rows "http2". A record that comes twice in a row, as that
 * of a constant response does, is kept as bytes from then on.
 *
 * @internal
 * @since 0.1.0
 */
import type { HpackBlock } from "../hpack/HpackBlock.ts"
import type { HpackEncoder } from "../hpack/HpackEncoder.ts"
import * as HpackPrepared from "../hpack/HpackPrepared.ts"
import * as HttpContentLength from "../http/HttpContentLength.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import type { RequestParts } from "./Http2Connection.ts"
import { InvalidMessage } from "./Http2Error.ts"

/** Instead of a length: the head says none. @category models */
export const unannounced = -1

/**
 * Writes a response, interim or final, behind what `block` has: the room for
 * the head of its frame. `lengthBytes` becomes `content-length` where the
 * status may have one; a `Content-Length` of `fields` must be equal to it.
 * `dateText` is added where `fields` have no `Date`.
 *
 * Returns the `content-length` that was written, or {@link unannounced}.
 *
 * @category writing
 */
export const response = (
  block: HpackBlock,
  encoder: HpackEncoder,
  status: number,
  fields: FieldsInput,
  lengthBytes: number | undefined,
  dateText: string | undefined
): number | InvalidMessage => {
  // RFC 9113 §8.6: "HTTP/2 removes support for the 101".
  if (!HttpMessage.isStatus(status) || status === 101) return new InvalidMessage(`${status} is no status of HTTP/2`)
  const prepared = headOf(fields)
  if (prepared instanceof InvalidMessage) return prepared
  const length = HttpMessage.mayHaveLength("", status) ? lengthOf(prepared, lengthBytes) : unannounced
  if (typeof length !== "number") return length
  encoder.begin(block)
  encoder.prepared(block, statuses[status] ?? prepareStatus(status))
  if (prepared.block !== undefined) encoder.prepared(block, prepared.block)
  else encode(block, encoder, prepared)
  if (length !== unannounced) writeLength(block, encoder, length)
  if (dateText !== undefined && !prepared.hasDate) encoder.prepared(block, dateOf(dateText))
  return length
}

/**
 * Writes a request, as {@link response} does. `Host` in its fields takes the
 * place of `authority`, as it does in HTTP/1.
 *
 * @category writing
 */
export const request = (
  block: HpackBlock,
  encoder: HpackEncoder,
  parts: RequestParts,
  lengthBytes: number | undefined
): number | InvalidMessage => {
  const { method, path, protocol, scheme } = parts
  const prepared = headOf(parts.headers)
  if (prepared instanceof InvalidMessage) return prepared
  const authority = prepared.host ?? parts.authority
  const refusal = refusalOf(parts, authority)
  if (refusal !== undefined) return refusal
  const isConnect = method === "CONNECT"
  if (isConnect && prepared.lengthBytes !== unannounced) return new InvalidMessage("CONNECT has no content")
  const length = isConnect ? unannounced : lengthOf(prepared, lengthBytes)
  if (typeof length !== "number") return length
  encoder.begin(block)
  encoder.encode(block, ":method", method, "index")
  if (!isConnect || protocol !== undefined) {
    encoder.encode(block, ":scheme", scheme, "index")
    encoder.encode(block, ":path", path!, "index")
  }
  encoder.encode(block, ":authority", authority, "index")
  if (protocol !== undefined) encoder.encode(block, ":protocol", protocol, "index")
  encode(block, encoder, prepared)
  if (prepared.takesTrailers) encoder.encode(block, "te", "trailers", "index")
  if (length !== unannounced) writeLength(block, encoder, length)
  return length
}

/** Writes trailers. Fields that may not come behind a body are refused (RFC 9110 §6.5.1). @category writing */
export const trailers = (block: HpackBlock, encoder: HpackEncoder, fields: FieldsInput): InvalidMessage | undefined => {
  const prepared = trailersOf(fields)
  if (prepared instanceof InvalidMessage) return prepared
  if (prepared.notInTrailers !== undefined) {
    return new InvalidMessage(`${prepared.notInTrailers} cannot be a trailer`)
  }
  encoder.begin(block)
  if (prepared.block !== undefined) encoder.prepared(block, prepared.block)
  else encode(block, encoder, prepared)
  return undefined
}

/** Fields that were checked. */
class Prepared {
  /** All but those below: names in lower case, and values, in turn. */
  readonly list: Array<string> = []
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
}

/**
 * Fields that were checked, by their record. Only records that come twice in a
 * row are kept: an entry for each record that is used once would cost more
 * than it saves.
 */
const preparedFields = new WeakMap<FieldsInput, Prepared>()

/** The records of the last head and of the last trailers, to be known again; each holds one small record in memory. */
let lastHead: FieldsInput | undefined
let lastTrailers: FieldsInput | undefined

const headOf = (fields: FieldsInput): Prepared | InvalidMessage => {
  const known = preparedFields.get(fields)
  if (known !== undefined) return known
  const prepared = prepare(fields)
  if (fields === lastHead && prepared instanceof Prepared) keep(fields, prepared)
  lastHead = fields
  return prepared
}

const trailersOf = (fields: FieldsInput): Prepared | InvalidMessage => {
  const known = preparedFields.get(fields)
  if (known !== undefined) return known
  const prepared = prepare(fields)
  if (fields === lastTrailers && prepared instanceof Prepared) keep(fields, prepared)
  lastTrailers = fields
  return prepared
}

const keep = (fields: FieldsInput, prepared: Prepared): void => {
  const pairs: Array<readonly [string, string]> = []
  for (let index = 0; index < prepared.list.length; index += 2) {
    pairs.push([prepared.list[index]!, prepared.list[index + 1]!])
  }
  prepared.block = HpackPrepared.make(pairs)
  preparedFields.set(fields, prepared)
}

const prepare = (fields: FieldsInput): Prepared | InvalidMessage => {
  const prepared = new Prepared()
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

const secretNames: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie"
])

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
    longestValue: isOwn || secretNames.has(lower) ? -1 : longestKnownValue,
    value: undefined
  }
  if (knownNames.size < mostKnownNames) knownNames.set(name, known)
  return known
}

const add = (prepared: Prepared, known: KnownName, value: string): InvalidMessage | undefined => {
  if (value === known.value) {
    prepared.list.push(known.name, value)
    return undefined
  }
  if (!HttpField.isValue(value)) {
    return new InvalidMessage(`the value of ${known.name} has a character that no field can have`)
  }
  // RFC 9113 §8.2.1: "MUST NOT start or end with an ASCII whitespace character", which is not of the value in HTTP/1.
  const content = HttpField.trim(value, 0, value.length)
  if (known.isOwn) return addOwn(prepared, known.name, content)
  prepared.list.push(known.name, content)
  if (content.length <= known.longestValue) known.value = content
  return undefined
}

const addOwn = (prepared: Prepared, name: string, value: string): InvalidMessage | undefined => {
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
      prepared.list.push(name, value)
      return undefined
    case "te":
      // RFC 9113 §8.2.2: "MUST NOT contain any value other than "trailers"".
      if (HttpField.hasToken(value, "trailers")) prepared.takesTrailers = true
      return undefined
    default:
      return undefined
  }
}

/** What is wrong with a request beside its fields (RFC 9113 §8.3.1 and §8.5, RFC 8441 §4). */
const refusalOf = ({ method, path, protocol, scheme }: RequestParts, authority: string): InvalidMessage | undefined => {
  if (!HttpField.isToken(method)) return new InvalidMessage(`${JSON.stringify(method)} is no method`)
  const isConnect = method === "CONNECT"
  const isTunnel = isConnect && protocol === undefined
  if (protocol !== undefined && !(isConnect && HttpField.isToken(protocol))) {
    return new InvalidMessage(`the protocol ${JSON.stringify(protocol)} with ${method}`)
  }
  if (authority !== lastAuthority || isTunnel) {
    if (!HttpTarget.isAuthority(authority, isTunnel ? "required" : "optional")) {
      return new InvalidMessage(`${JSON.stringify(authority)} is no authority for ${method}`)
    }
    lastAuthority = authority
  }
  if (isTunnel) return path === undefined ? undefined : new InvalidMessage("CONNECT has no path")
  if (scheme !== "https" && scheme !== "http") return new InvalidMessage(`the scheme ${JSON.stringify(scheme)}`)
  const isPath = path !== undefined && (path.startsWith("/") || (path === "*" && method === "OPTIONS"))
  if (isPath && HttpTarget.isTarget(path)) return undefined
  return new InvalidMessage(`${JSON.stringify(path)} is no path for ${method}`)
}

/** The last authority that was found valid, of a program that mostly asks the same. */
let lastAuthority: string | undefined

const lengthOf = (prepared: Prepared, lengthBytes: number | undefined): number | InvalidMessage => {
  const own = prepared.lengthBytes
  if (lengthBytes === undefined) return own
  return own === unannounced || own === lengthBytes ? lengthBytes : new InvalidMessage("Content-Length is not true")
}

const encode = (block: HpackBlock, encoder: HpackEncoder, { list }: Prepared): void => {
  for (let index = 0; index < list.length; index += 2) encoder.encode(block, list[index]!, list[index + 1]!)
}

const writeLength = (block: HpackBlock, encoder: HpackEncoder, length: number): void =>
  encoder.encode(block, "content-length", String(length), "plain")

const statuses: Array<HpackPrepared.HpackPrepared> = []

const prepareStatus = (status: number): HpackPrepared.HpackPrepared => {
  const prepared = HpackPrepared.make([[":status", String(status)]])
  statuses[status] = prepared
  return prepared
}

/** The field of the last second: for all connections, and too short-lived for their tables. */
let lastDateText = ""
let lastDate: HpackPrepared.HpackPrepared = { bytes: new Uint8Array(0) }

const dateOf = (text: string): HpackPrepared.HpackPrepared => {
  if (text !== lastDateText) {
    lastDate = HpackPrepared.make([["date", text]])
    lastDateText = text
  }
  return lastDate
}
