/**
 * CRC-32C (Castagnoli), the checksum of PROXY headers (RFC 3720 appendix B.4).
 *
 * @internal
 * @since 0.1.0
 */

const table = new Uint32Array(256)
for (let index = 0; index < 256; index++) {
  let value = index
  // The polynomial 0x1EDC6F41, its bits reversed.
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  table[index] = value
}

/** The checksum of all bytes, as an unsigned 32-bit integer. @category checksums */
export const of = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
