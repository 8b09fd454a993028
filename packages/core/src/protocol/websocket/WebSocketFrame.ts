/**
 * The layout of a frame (RFC 6455 §5.2), in words that the decoder and the
 * encoder share.
 *
 * ```text
 *  byte 0    FIN | RSV1 RSV2 RSV3 | opcode (4)
 *  byte 1    MASK | length (7): up to 125; 126: two bytes follow; 127: eight bytes follow
 *            [length (2 or 8)] [masking key (4)] payload
 * ```
 *
 * @internal
 * @since 0.1.0
 */

/** Whether this side is the one that dialed: clients mask, servers do not. @category models */
export type Role = "client" | "server"

/** @category opcodes */
export const continuation = 0x0
/** @category opcodes */
export const text = 0x1
/** @category opcodes */
export const binary = 0x2
/** Opcodes from here on are control frames. @category opcodes */
export const close = 0x8
/** @category opcodes */
export const ping = 0x9
/** @category opcodes */
export const pong = 0xa

/** The last fragment of a message, in byte 0. @category bits */
export const final = 0x80
/** RSV1: the message is compressed (RFC 7692 §6), in byte 0. @category bits */
export const compressed = 0x40
/** RSV2 and RSV3, which nothing has given a meaning, in byte 0. @category bits */
export const reserved = 0x30
/** In byte 1. @category bits */
export const masked = 0x80

/** The longest payload of a control frame. @category sizes */
export const controlBytes = 125
/** The longest reason of a Close frame: what its code leaves. @category sizes */
export const closeReasonBytes: number = controlBytes - 2
/** The longest head: two bytes, a length of eight and a masking key. @category sizes */
export const headBytes = 14
/** @category sizes */
export const maskBytes = 4

/** How many bytes the head takes whose second byte is `second`. @category sizes */
export const headSize = (second: number): number => 2 + lengthBytes(second & 0x7f) + (second >= masked ? maskBytes : 0)

/** How many bytes of length follow for a payload of `payloadBytes`. @category sizes */
export const extendedLengthBytes = (payloadBytes: number): 0 | 2 | 8 =>
  payloadBytes <= 125 ? 0 : payloadBytes <= 0xffff ? 2 : 8

/** How many bytes of length follow the seven bits. */
const lengthBytes = (seven: number): number => (seven < 126 ? 0 : seven === 126 ? 2 : 8)
