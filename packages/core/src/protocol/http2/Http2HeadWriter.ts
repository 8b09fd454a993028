/**
 * Heads and trailers to send, as header blocks (RFC 9113 §8.2, §8.3). All
 * fields are checked before the first is encoded: what is refused leaves block
 * and encoder as they were, so the peer's table stays in step.
 *
 * One application serves all versions of HTTP: names may be in any case, and
 * fields that are the connection's own in HTTP/1 (RFC 9113 §8.2.2) are left
 * out of heads.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @internal
 * @since 0.1.0
 */
import type { HpackBlock } from "../hpack/HpackBlock.ts"
import type { HpackEncoder } from "../hpack/HpackEncoder.ts"
import * as HpackPrepared from "../hpack/HpackPrepared.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import * as HttpField from "../http/HttpField.ts"
import * as HttpMessage from "../http/HttpMessage.ts"
import * as HttpTarget from "../http/HttpTarget.ts"
import type { RequestParts } from "./Http2Connection.ts"
import { InvalidMessage } from "./Http2Error.ts"
import { type Http2PreparedFields, ofHead, ofTrailers, unannounced } from "./Http2PreparedFields.ts"

/**
 * Writes a response, interim or final, behind what `block` has: the room for
 * the head of its frame. `lengthBytes` becomes `content-length` where the
 * status may have one; a `Content-Length` of `fields` must be equal to it.
 * `dateText` is added where `fields` have no `Date`. A section above
 * `maxListBytes` is refused: a peer that has announced so much may end the
 * connection for more (RFC 9113 §10.5.1).
 *
 * Returns the `content-length` that was written, or `Http2PreparedFields.unannounced`.
 *
 * @category writing
 */
export const response = (
  block: HpackBlock,
  encoder: HpackEncoder,
  status: number,
  fields: FieldsInput,
  lengthBytes: number | undefined,
  dateText: string | undefined,
  maxListBytes = Number.POSITIVE_INFINITY
): number | InvalidMessage => {
  // RFC 9113 §8.6: "HTTP/2 removes support for the 101".
  if (!HttpMessage.isStatus(status) || status === 101) return new InvalidMessage(`${status} is no status of HTTP/2`)
  const prepared = ofHead(fields)
  if (prepared instanceof InvalidMessage) return prepared
  if (prepared.listBytes + ownBytes > maxListBytes) return tooLarge(maxListBytes)
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
  lengthBytes: number | undefined,
  maxListBytes = Number.POSITIVE_INFINITY
): number | InvalidMessage => {
  const { method, path, protocol, scheme } = parts
  const prepared = ofHead(parts.headers)
  if (prepared instanceof InvalidMessage) return prepared
  const authority = prepared.host ?? parts.authority
  const partBytes = method.length + authority.length + (path?.length ?? 0) + (protocol?.length ?? 0)
  if (prepared.listBytes + partBytes + ownBytes > maxListBytes) return tooLarge(maxListBytes)
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
  const prepared = ofTrailers(fields)
  if (prepared instanceof InvalidMessage) return prepared
  preparedTrailers(block, encoder, prepared)
  return undefined
}

/**
 * Writes trailers that may leave long after they were checked: those of
 * `Http2PreparedFields.ofTrailers`.
 *
 * @category writing
 */
export const preparedTrailers = (block: HpackBlock, encoder: HpackEncoder, prepared: Http2PreparedFields): void => {
  encoder.begin(block)
  if (prepared.block !== undefined) encoder.prepared(block, prepared.block)
  else encode(block, encoder, prepared)
}

/** What the fields of this side count for at most, beside the values of a request: pseudo-header fields, length and date. */
const ownBytes = 320

const tooLarge = (maxListBytes: number): InvalidMessage =>
  new InvalidMessage(`the header section is above the ${maxListBytes} bytes that the peer takes`)

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

const lengthOf = (prepared: Http2PreparedFields, lengthBytes: number | undefined): number | InvalidMessage => {
  const own = prepared.lengthBytes
  if (lengthBytes === undefined) return own
  return own === unannounced || own === lengthBytes ? lengthBytes : new InvalidMessage("Content-Length is not true")
}

const encode = (block: HpackBlock, encoder: HpackEncoder, { list }: Http2PreparedFields): void => {
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
