/**
 * Unmasking a payload in place, as `WebSocketMask` does it by its size, and
 * otherwise. Bytes in a nanosecond are 1,000 over what is shown for "1 KiB".
 */
import * as WebSocketMask from "@sluice/core/protocol/websocket/WebSocketMask"
import type { Case, Cases } from "./Case.ts"

const key = 0x12345678
const headBytes = 6

const subject = (byteCount: number): Case => {
  const bytes = Buffer.alloc(headBytes + byteCount, "m")
  return {
    operationsPerRun: 1,
    run: () => {
      WebSocketMask.apply(bytes, headBytes, bytes.length, key)
      return bytes[headBytes]!
    }
  }
}

/** A loop over bytes, with an index into the key. */
const byBytes = (byteCount: number): Case => {
  const bytes = Buffer.alloc(headBytes + byteCount, "m")
  const keyBytes = Uint8Array.of(key >>> 24, key >>> 16, key >>> 8, key)
  return {
    operationsPerRun: 1,
    run: () => {
      for (let index = headBytes; index < bytes.length; index++) bytes[index]! ^= keyBytes[(index - headBytes) & 3]!
      return bytes[headBytes]!
    }
  }
}

const sizes = { "16 B": 16, "64 B": 64, "1 KiB": 1024, "64 KiB": 65_536 }

export const cases: Cases = Object.fromEntries(
  Object.entries(sizes).flatMap(([size, byteCount]) => [
    [size, subject(byteCount)],
    [`${size}, by bytes`, byBytes(byteCount)]
  ])
)
