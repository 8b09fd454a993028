/**
 * The words of 64-bit integers and floating point numbers, through memory that
 * two kinds of arrays share. Only where the host is little-endian, as the wire
 * is; elsewhere messages are left to protobuf-es.
 *
 * @internal
 * @since 0.1.0
 */

const memory = new ArrayBuffer(8)

export const bytes = new Uint8Array(memory)
/** The low word, then the high one. */
export const words = new Int32Array(memory)
export const signed = new BigInt64Array(memory)
export const unsigned = new BigUint64Array(memory)
export const floats = new Float32Array(memory)
export const doubles = new Float64Array(memory)

export const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
