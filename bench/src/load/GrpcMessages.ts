/**
 * The messages of a load as they are sent, each behind the five bytes of gRPC,
 * and those that must come back. Written by hand: the generator is to trust no
 * codec that it measures.
 */
import type { GrpcCall } from "./GrpcLoad.ts"

/** Bytes in front of each message: whether it is compressed, and its length. */
export const prefixBytes = 5
/** What payloads are made of: as `Bench.Stream` has it, whatever it is asked for. */
export const filling = "x".charCodeAt(0)

const bodyField = 0x0a
const countField = 0x08
const sizeField = 0x10

export const path = ({ method }: GrpcCall): string => `/sluice.bench.Bench/${method}`

/** The only message of a request. */
export const request = (call: GrpcCall): Buffer => {
  if (call.method === "Hello") return prefixed(field(Buffer.from(call.name)))
  if (call.method === "Unary") return prefixed(payload(call.payloadBytes))
  return prefixed(Buffer.from([countField, ...varint(call.count), sizeField, ...varint(call.payloadBytes)]))
}

/** Each message of the reply. */
export const reply = (call: GrpcCall): Buffer =>
  prefixed(call.method === "Hello" ? field(Buffer.from(`Hello ${call.name}`)) : payload(call.payloadBytes))

/** How many of them there are. */
export const replyCount = (call: GrpcCall): number => (call.method === "Stream" ? call.count : 1)

const payload = (byteCount: number): Buffer => field(Buffer.alloc(byteCount, filling))

const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bodyField, ...varint(bytes.length)]), bytes])

const varint = (value: number): ReadonlyArray<number> =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]

const prefixed = (message: Buffer): Buffer => {
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}
