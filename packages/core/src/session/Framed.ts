/**
 * Typed frames over a connection.
 *
 * The bytes stay in the connection's own buffer; a `Framed` is only a way to
 * look at them. So a program changes codecs in mid-stream by asking the same
 * connection for another `framed`, and no byte is lost or seen twice.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Codec, Decoder } from "../codec/Codec.ts"
import { CodecError } from "../codec/CodecError.ts"
import type { TransportError } from "../transport/TransportError.ts"
import * as ReceiveBuffer from "./ReceiveBuffer.ts"
import type { SendBuffer } from "./SendBuffer.ts"

/** @category models */
export interface Framed<out In, in Out = In> {
  /**
   * The next frame. Ends with `Cause.Done` when the peer has ended cleanly
   * between two frames. A `CodecError` whose reason is `recoverable` has cost
   * one frame; after any other, every later `receive` fails with it again.
   */
  readonly receive: ReceiveBuffer.Receive<In, CodecError>
  /** All frames that are there already, at least one. */
  readonly receiveAll: ReceiveBuffer.Receive<Arr.NonEmptyReadonlyArray<In>, CodecError>
  /** All frames to the end of the stream. */
  readonly stream: Stream.Stream<In, CodecError | TransportError>
  /** Sends one frame; suspends while the peer is slow. Frames of one turn leave in one write. */
  readonly send: (frame: Out) => Effect.Effect<void, CodecError | TransportError>
  /** Sends frames in one write. When one cannot be encoded, none is sent. */
  readonly sendAll: (frames: Iterable<Out>) => Effect.Effect<void, CodecError | TransportError>
}

/** @category constructors */
export const makeUnsafe = <In, Out>(
  codec: Codec<In, Out>,
  receiving: ReceiveBuffer.ReceiveBuffer,
  sending: SendBuffer
): Framed<In, Out> => {
  const decoder = codec.decoder()
  const encoder = codec.encoder()
  const receiveAll = receiving.reader(batchStep(decoder))
  return {
    receive: receiving.reader(frameStep(decoder)),
    receiveAll,
    stream: Stream.fromPull(Effect.succeed(receiveAll)),
    send: (frame) =>
      Effect.suspend((): Effect.Effect<void, CodecError | TransportError> => {
        const bytes = new FrameBytes()
        const reason = encoder.encode(frame, bytes)
        return reason === undefined ? bytes.sendTo(sending) : Exit.fail(new CodecError({ reason }))
      }),
    sendAll: (frames) =>
      Effect.suspend((): Effect.Effect<void, CodecError | TransportError> => {
        const bytes = new FrameBytes()
        for (const frame of frames) {
          const reason = encoder.encode(frame, bytes)
          if (reason !== undefined) return Exit.fail(new CodecError({ reason }))
        }
        return bytes.sendTo(sending)
      })
  }
}

type FrameEnd = Cause.Done | CodecError | TransportError

/** Takes one frame, or what stands in its place. */
const frameStep =
  <In>(decoder: Decoder<In>): ReceiveBuffer.Step<In, FrameEnd> =>
  (buffer) => {
    const frame = takeFrame(decoder, buffer)
    return frame === undefined ? whyNone(decoder, buffer) : Exit.succeed(frame)
  }

/** Takes every whole frame; what is wrong behind them is told on the next call. */
const batchStep =
  <In>(decoder: Decoder<In>): ReceiveBuffer.Step<Arr.NonEmptyReadonlyArray<In>, FrameEnd> =>
  (buffer) => {
    const frames: Array<In> = []
    for (let frame = takeFrame(decoder, buffer); frame !== undefined; frame = takeFrame(decoder, buffer)) {
      frames.push(frame)
    }
    return Arr.isReadonlyArrayNonEmpty(frames) ? Exit.succeed(frames) : whyNone(decoder, buffer)
  }

const takeFrame = <In>(decoder: Decoder<In>, buffer: ReceiveBuffer.ReceiveBuffer): In | undefined => {
  if (decoder.violation !== undefined) return undefined
  const frame = decoder.decode(buffer.queue)
  if (frame !== undefined || decoder.violation !== undefined || buffer.ending !== "ended") return frame
  return decoder.decodeEnd(buffer.queue)
}

const whyNone = <In>(
  decoder: Decoder<In>,
  buffer: ReceiveBuffer.ReceiveBuffer
): Exit.Exit<never, FrameEnd> | undefined => {
  const reason = decoder.takeViolation()
  if (reason !== undefined) return Exit.fail(new CodecError({ reason }))
  return buffer.ending === "open" && buffer.queue.byteLength > 0 ? undefined : ReceiveBuffer.endStep(buffer)
}

/** Collects what an encoder writes, until all of it is known to be good. */
class FrameBytes {
  private readonly chunks: Array<Uint8Array> = []

  write(bytes: Uint8Array): void {
    this.chunks.push(bytes)
  }

  sendTo(sending: SendBuffer): Effect.Effect<void, TransportError> {
    return sending.sendAll(this.chunks)
  }
}
