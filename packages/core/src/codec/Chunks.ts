/**
 * No framing: each chunk is handed out as it was received.
 *
 * Chunk borders mean nothing, since transports cut and join as they like. For
 * echoes, proxies and byte streams, and as a stand-in where a codec is asked.
 *
 * @since 0.1.0
 */
import type { Codec, Decoder, Encoder } from "./Codec.ts"

/** @category constructors */
export const make = (): Codec<Uint8Array> => ({
  decoder: () => decoder,
  encoder: () => encoder
})

/** Passes chunks through, both ways. It has no state and no limit of its own: it buffers nothing. @category codecs */
export const codec: Codec<Uint8Array> = /*#__PURE__*/ make()

const decoder: Decoder<Uint8Array> = {
  violation: undefined,
  takeViolation: () => undefined,
  decode: (input) => input.takeChunk(),
  decodeEnd: (input) => input.takeChunk()
}

const encoder: Encoder<Uint8Array> = {
  encode: (bytes, output) => {
    output.write(bytes)
    return undefined
  }
}
