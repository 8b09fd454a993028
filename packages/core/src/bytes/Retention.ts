/**
 * Keeps a few bytes from holding a large buffer in memory.
 *
 * A view of a received chunk keeps the whole chunk alive, up to 64 KiB for a
 * message of some bytes. What is handed to a program, which may keep it, holds
 * at most four times its own size, or 8 KiB.
 *
 * Small copies stand in a pool of 8 KiB, since an array of its own costs a
 * microsecond; the host's pool would not do, which may have 64 KiB.
 *
 * @since 0.1.0
 */

/** `bytes`, or a copy of them where they would hold more than they should. @category copying */
export const keepable = (bytes: Uint8Array): Uint8Array => {
  const heldBytes = bytes.buffer.byteLength
  if (heldBytes <= poolBytes || heldBytes <= bytes.length * mostTimes) return bytes
  const copy = bytes.length * mostTimes > poolBytes ? new Uint8Array(bytes.length) : takeFromPool(bytes.length)
  copy.set(bytes)
  return copy
}

const poolBytes = 8_192
const mostTimes = 4

let pool = new Uint8Array(0)
let poolUsed = 0

const takeFromPool = (byteCount: number): Uint8Array => {
  if (poolUsed + byteCount > pool.length) {
    pool = new Uint8Array(poolBytes)
    poolUsed = 0
  }
  poolUsed += byteCount
  return pool.subarray(poolUsed - byteCount, poolUsed)
}
