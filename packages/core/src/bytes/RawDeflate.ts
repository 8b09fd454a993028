/**
 * Compression of single messages with DEFLATE (RFC 1951), without a header of
 * zlib or gzip: what `permessage-deflate` (RFC 7692) needs of a platform.
 *
 * One call compresses or inflates one whole message, synchronously, and keeps
 * nothing: what came before a message is handed in as a dictionary. So an idle
 * connection holds at most its last 32 KiB of text in place of zlib's 300 KiB,
 * a compressed message that turns out larger can simply be dropped, and one
 * compressed message can be sent to many connections.
 *
 * @since 0.1.0
 */

/** @category models */
export interface RawDeflate {
  /**
   * Compresses all of `input` and ends at a byte boundary with an empty stored
   * block, as zlib's `Z_SYNC_FLUSH` does: the last four bytes are `00 00 ff ff`.
   */
  readonly deflate: (input: Uint8Array, window: Window) => Uint8Array
  /**
   * Inflates `input` to its end or to the end of a block that is marked as
   * final, whichever comes first. Never throws for what is in `input`, and never
   * holds more than `maxOutputBytes` and one block of output.
   */
  readonly inflate: (input: Uint8Array, window: Window, maxOutputBytes: number) => Inflated
}

/** How far back a message may refer, and to what. @category models */
export interface Window {
  /** The base-2 logarithm of the window, 8 to 15: references go back at most `2 ** bits` bytes. */
  readonly bits: number
  /** What came before the message, at most `2 ** bits` bytes; `undefined` for nothing. */
  readonly dictionary: Uint8Array | undefined
}

/** @category models */
export type Inflated =
  | {
      readonly _tag: "Inflated"
      readonly bytes: Uint8Array
      /** Bytes of the input up to the end of its final block; all of them where there was none. */
      readonly consumedBytes: number
    }
  /** The input is no DEFLATE. */
  | { readonly _tag: "Invalid" }
  /** There is more than `maxOutputBytes` in it. */
  | { readonly _tag: "TooLarge" }
