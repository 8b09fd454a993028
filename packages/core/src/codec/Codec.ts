/**
 * The contract of every codec: how a byte stream is cut into frames, and how
 * a frame becomes bytes.
 *
 * A decoder pulls one frame at a time off a `ByteQueue` that it does not own.
 * What it has not consumed stays there, so that a program can change to
 * another codec between two frames and lose no byte.
 *
 * @since 0.1.0
 */
import type { ByteQueue } from "../bytes/ByteQueue.ts"
import type { CodecReason } from "./CodecError.ts"

/**
 * Decodes frames, incrementally.
 *
 * A decoder remembers how far it has looked into an unfinished frame: it
 * belongs to one queue, and nothing else takes bytes off within a frame. Who
 * changes codecs makes a new decoder.
 *
 * @category models
 */
export interface Decoder<out Frame> {
  /**
   * Takes the next whole frame off the front of `input`.
   *
   * - a frame: its bytes, and nothing else, were consumed;
   * - `undefined` with no `violation`: more bytes are needed. Bytes of an
   *   unfinished frame are left in `input`, at most the codec's maximum;
   * - `undefined` with a `violation`: the frame at the front is bad.
   */
  decode(input: ByteQueue): Frame | undefined
  /**
   * The stream has ended: takes what may stand as a last frame (a line
   * without its ending). Called when `decode` has returned `undefined`, until
   * it does so itself. What is left then was cut off: `violation` is
   * `TruncatedFrame`.
   */
  decodeEnd(input: ByteQueue): Frame | undefined
  /** What is wrong with the frame at the front; read with `takeViolation`. */
  readonly violation: CodecReason | undefined
  /**
   * Reads and clears `violation`. After a recoverable one (a line that is
   * discarded) decoding may go on; after any other, `decode` reports it again.
   */
  takeViolation(): CodecReason | undefined
}

/**
 * Frames values for sending.
 *
 * @category models
 */
export interface Encoder<in Frame> {
  /**
   * Appends the bytes of one frame to `output`; or appends nothing and
   * returns why the frame cannot be sent.
   */
  encode(frame: Frame, output: FrameOutput): CodecReason | undefined
}

/**
 * Where an encoder appends its bytes. Arrays that are written are handed over,
 * not copied: do not change them afterwards.
 *
 * @category models
 */
export interface FrameOutput {
  write(bytes: Uint8Array): void
}

/**
 * How to cut a byte stream into frames and back. `In` is what is received,
 * `Out` what can be sent. A codec is a description without state: each
 * connection gets its own decoder and encoder.
 *
 * @category models
 */
export interface Codec<out In, in Out = In> {
  readonly decoder: () => Decoder<In>
  readonly encoder: () => Encoder<Out>
}
