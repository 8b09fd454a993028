/**
 * Masking keys and handshake keys of a client, from the platform's strong
 * source of randomness (RFC 6455 §10.3): one call of it for a thousand masks,
 * whatever the number of connections.
 *
 * @internal
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"

/** What is used of the platform's `Crypto`. @category models */
export interface RandomSource {
  readonly getRandomValues: <A extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(array: A) => A
}

/** @category models */
export class WebSocketMasks {
  /** Draws a masking key of 32 bits. */
  readonly next: () => number
  private readonly crypto: RandomSource

  constructor(crypto: RandomSource) {
    this.crypto = crypto
    const pool = new Int32Array(poolCount)
    let used = poolCount
    this.next = () => {
      if (used === poolCount) {
        crypto.getRandomValues(pool)
        used = 0
      }
      const mask = pool[used]!
      // What was used is on the wire, and nobody else's.
      pool[used++] = 0
      return mask
    }
  }

  /** A `Sec-WebSocket-Key`: 16 random bytes in base64. */
  key(): string {
    return Base64.encode(this.crypto.getRandomValues(new Uint8Array(16)))
  }
}

/** The masks of a source. @category accessors */
export const of = (crypto: RandomSource): WebSocketMasks => {
  const known = bySource.get(crypto)
  if (known !== undefined) return known
  const masks = new WebSocketMasks(crypto)
  bySource.set(crypto, masks)
  return masks
}

const bySource = new WeakMap<RandomSource, WebSocketMasks>()

const poolCount = 1024
