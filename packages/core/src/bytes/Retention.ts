/**
 * Keeps a few bytes from holding a large buffer in memory.
 *
 * A view of a received chunk keeps the whole chunk alive, up to 64 KiB for a
 * message of some bytes. What is handed to a program, which may keep it, holds
 * at most four times its own size, or 8 KiB: below that, copying costs more
 * than it frees, and the copy itself would stand in a pool of 8 KiB.
 *
 * @since 0.1.0
 */
import { allocate } from "./Allocation.ts"

/** `bytes`, or a copy of them where they would hold more than they should. @category copying */
export const keepable = (bytes: Uint8Array): Uint8Array => {
  const heldBytes = bytes.buffer.byteLength
  if (heldBytes <= smallBytes || heldBytes <= bytes.length * mostTimes) return bytes
  const copy = allocate(bytes.length)
  copy.set(bytes)
  return copy
}

const smallBytes = 8_192
const mostTimes = 4
