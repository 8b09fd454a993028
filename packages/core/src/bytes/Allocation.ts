/**
 * Memory for bytes that are about to be written.
 *
 * A `new Uint8Array` of more than 64 bytes costs about a microsecond, ten
 * times what copying a small frame into it costs; the host's buffer pool cuts
 * small arrays out of a larger one instead.
 *
 * @internal
 * @since 0.1.0
 */
import { hostBuffer } from "./HostBuffer.ts"

/**
 * `byteCount` bytes of unknown content: the caller writes every one of them
 * before it hands the array out. It may be a part of a larger buffer.
 *
 * @category constructors
 */
export const allocate = (byteCount: number): Uint8Array =>
  hostBuffer === undefined ? new Uint8Array(byteCount) : hostBuffer.allocUnsafe(byteCount)
