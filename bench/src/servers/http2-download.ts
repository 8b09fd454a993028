/**
 * What the servers of HTTP/2 give to who downloads: 100 MiB on one stream, or
 * its 32nd part on each of 32, in chunks of 64 KiB.
 */

const chunkBytes = 65_536
/** The same bytes in each, as a server has them that only passes them on. */
const chunk: Uint8Array = Buffer.alloc(chunkBytes, "x")

export interface Http2Download {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly byteCount: number
}

const of = (chunkCount: number): Http2Download => ({
  chunks: Array<Uint8Array>(chunkCount).fill(chunk),
  byteCount: chunkCount * chunkBytes
})

export const whole = of(1_600)
export const part = of(50)
