/**
 * Joins chunks for one write.
 *
 * Hot path: one `write` of a joined buffer is far cheaper than a vectored
 * write of a few small ones, up to some tens of kilobytes.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "./Allocation.ts"

/** Up to this many bytes, joining chunks is cheaper than a vectored write. */
export const joinBelowBytes = 65_536

/** One array of all chunks, `byteLength` bytes in all. A single chunk is returned as it is. */
export const join = (chunks: ReadonlyArray<Uint8Array>, byteLength: number): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  const joined = allocate(byteLength)
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}
