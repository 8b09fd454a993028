/**
 * Heads and trailers to send, as header blocks (RFC 9113 §8.2, §8.3).
 *
 * @internal
 * @since 0.1.0
 */
import type { HpackBlock } from "../hpack/HpackBlock.ts"
import type { HpackEncoder } from "../hpack/HpackEncoder.ts"
import type { FieldsInput } from "../http/HttpField.ts"
import type { RequestParts } from "./Http2Connection.ts"
import type { InvalidMessage } from "./Http2Error.ts"

/** Instead of a length: the head says none. @category models */
export const unannounced = -1

/**
 * Writes a response, interim or final, behind what `block` has: the room for
 * the head of its frame. `lengthBytes` becomes `content-length` where the
 * status may have one; a `Content-Length` of `fields` must be equal to it.
 * `dateText` is added where `fields` have no `Date`.
 *
 * Returns the `content-length` that was written, or {@link unannounced}. Where
 * it is refused, neither block nor encoder have changed.
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
  encoder.begin(block)
  encoder.encode(block, ":status", String(status))
  write(block, encoder, fields)
  if (lengthBytes !== undefined) encoder.encode(block, "content-length", String(lengthBytes))
  if (dateText !== undefined) encoder.encode(block, "date", dateText, "plain")
  return lengthBytes ?? unannounced
}

/** Writes a request, as {@link response} does. @category writing */
export const request = (
  block: HpackBlock,
  encoder: HpackEncoder,
  parts: RequestParts,
  lengthBytes: number | undefined
): number | InvalidMessage => {
  encoder.begin(block)
  encoder.encode(block, ":method", parts.method)
  encoder.encode(block, ":scheme", parts.scheme)
  encoder.encode(block, ":authority", parts.authority)
  if (parts.path !== undefined) encoder.encode(block, ":path", parts.path, "index")
  if (parts.protocol !== undefined) encoder.encode(block, ":protocol", parts.protocol)
  write(block, encoder, parts.headers)
  if (lengthBytes !== undefined) encoder.encode(block, "content-length", String(lengthBytes))
  return lengthBytes ?? unannounced
}

/** Writes trailers. Fields that may not come behind a body are refused (RFC 9110 §6.5.1). @category writing */
export const trailers = (block: HpackBlock, encoder: HpackEncoder, fields: FieldsInput): InvalidMessage | undefined => {
  encoder.begin(block)
  write(block, encoder, fields)
  return undefined
}

const write = (block: HpackBlock, encoder: HpackEncoder, fields: FieldsInput): void => {
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (value === undefined) continue
    for (const one of typeof value === "string" ? [value] : value) encoder.encode(block, name.toLowerCase(), one)
  }
}
