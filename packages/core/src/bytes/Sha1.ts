/**
 * SHA-1 (FIPS 180-4 §6.1), for the WebSocket handshake, which asks for it.
 *
 * It protects nothing there, and is for nothing else: collisions of SHA-1 can
 * be made at will.
 *
 * @since 0.1.0
 */

/** The digest of `message`, 20 bytes. @category hashing */
export const digest = (message: Uint8Array): Uint8Array => {
  const blocks = pad(message)
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
  const schedule = new Int32Array(80)
  for (let offset = 0; offset < blocks.byteLength; offset += blockBytes) compress(state, blocks, offset, schedule)
  const result = new DataView(new ArrayBuffer(20))
  state.forEach((word, index) => {
    result.setInt32(index * 4, word)
  })
  return new Uint8Array(result.buffer)
}

const blockBytes = 64

/** The message, a one bit, zeros, and its length in bits in the last eight bytes. */
const pad = (message: Uint8Array): DataView => {
  const byteCount = Math.ceil((message.length + 9) / blockBytes) * blockBytes
  const padded = new Uint8Array(byteCount)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(byteCount - 8, BigInt(message.length) * 8n)
  return view
}

const rotate = (word: number, count: number): number => (word << count) | (word >>> (32 - count))

const compress = (state: Int32Array, blocks: DataView, offset: number, schedule: Int32Array): void => {
  for (let t = 0; t < 16; t++) schedule[t] = blocks.getInt32(offset + t * 4)
  for (let t = 16; t < 80; t++) {
    schedule[t] = rotate(schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^ schedule[t - 16]!, 1)
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number]
  for (let t = 0; t < 80; t++) {
    const round = Math.floor(t / 20)
    const mixed = round === 0 ? (b & c) ^ (~b & d) : round === 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d
    const next = (rotate(a, 5) + mixed + e + roundConstants[round]! + schedule[t]!) | 0
    e = d
    d = c
    c = rotate(b, 30)
    b = a
    a = next
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
}

const roundConstants = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6]
