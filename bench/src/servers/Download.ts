/**
 * What the servers of HTTP give to who downloads: 1 MiB, in chunks of 64 KiB.
 */

const chunkBytes = 65_536
const chunkCount = 16

export const byteCount = chunkBytes * chunkCount

/** The same bytes in each, as a server has them that only passes them on. */
export const chunks: ReadonlyArray<Uint8Array> = Array<Uint8Array>(chunkCount).fill(Buffer.alloc(chunkBytes, "x"))
