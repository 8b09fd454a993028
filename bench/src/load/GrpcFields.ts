/**
 * Checks the heads and trailers of the replies of one connection: a status 200
 * of gRPC's content type, and a `grpc-status` of 0.
 *
 * Each block is decoded, but for those that are what the last right one was,
 * byte for byte, while the table of the connection is the same. That is most
 * of them, and costs as good as nothing.
 */
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import * as HpackField from "@sluice/core/protocol/hpack/HpackField"
import * as HpackInteger from "@sluice/core/protocol/hpack/HpackInteger"

const nothing = Buffer.alloc(0)

export class GrpcFields {
  private readonly decoder = new HpackDecoder()
  private readonly fields = new Map<string, string>()
  private readonly handler = { onField: (name: string, value: string) => void this.fields.set(name, value) }
  /** Blocks that were right; empty: none. */
  private head = nothing
  private trailers = nothing

  /** Says what is wrong with the head in `bytes[start, end)`. */
  checkHead(bytes: Buffer, start: number, end: number): string | undefined {
    if (isSame(this.head, bytes, start, end)) return undefined
    const isFixed = this.read(bytes, start, end)
    const { fields } = this
    const contentType = fields.get("content-type")
    if (fields.get(":status") !== "200") return `the status is ${fields.get(":status")}`
    if (contentType === undefined || !/^application\/grpc(?:\+proto)?$/.test(contentType))
      return `the content type is ${contentType}`
    if (isFixed) this.head = Buffer.from(bytes.subarray(start, end))
    return undefined
  }

  /** Says what is wrong with the trailers in `bytes[start, end)`. */
  checkTrailers(bytes: Buffer, start: number, end: number): string | undefined {
    if (isSame(this.trailers, bytes, start, end)) return undefined
    const isFixed = this.read(bytes, start, end)
    const status = this.fields.get("grpc-status")
    if (status !== "0") return `the status of gRPC is ${status}: ${this.fields.get("grpc-message")}`
    if (isFixed) this.trailers = Buffer.from(bytes.subarray(start, end))
    return undefined
  }

  /** Whether the block means the same as long as the table is the same, and leaves that as it is. */
  private read(bytes: Buffer, start: number, end: number): boolean {
    const block = bytes.subarray(start, end)
    this.fields.clear()
    const failure = this.decoder.decode(block, this.handler)
    if (failure !== undefined) throw new Error(`a header block that cannot be decoded: ${failure.message}`)
    if (leavesTable(block)) return true
    this.head = nothing
    this.trailers = nothing
    return false
  }
}

const isSame = (known: Buffer, bytes: Buffer, start: number, end: number): boolean => {
  const { length } = known
  if (end - start !== length || length === 0) return false
  for (let index = 0; index < length; index++) {
    if (known[index] !== bytes[start + index]) return false
  }
  return true
}

/** For a block that was decoded: has it neither a field for the table nor a size of it (RFC 7541 §6)? */
const leavesTable = (block: Buffer): boolean => {
  const cursor = { at: 0 }
  const skipString = (): void => {
    const byteCount = HpackInteger.read(cursor, block, block.length, 7)
    cursor.at += byteCount
  }
  while (cursor.at < block.length) {
    const first = block[cursor.at]!
    if (first >= HpackField.indexedPattern) {
      HpackInteger.read(cursor, block, block.length, HpackField.indexedBits)
      continue
    }
    if (first >= HpackField.tableSizePattern) return false
    if (HpackInteger.read(cursor, block, block.length, HpackField.literalBits) === 0) skipString()
    skipString()
  }
  return true
}
