/**
 * What a codec makes of received chunks, and of frames to send.
 *
 * @since 0.1.0
 */
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import type { Codec } from "@sluice/core/codec/Codec"
import type { CodecReason } from "@sluice/core/codec/CodecError"
import * as Hex from "./Hex.ts"

/** A frame (bytes as `Hex.show` has them), a violation, or what is left at the end of the chunks. */
export type Event =
  | readonly ["frame", unknown]
  | readonly ["violation", CodecReason["_tag"], "goes on" | "stops"]
  | readonly ["left", string]

export interface Received {
  readonly events: ReadonlyArray<Event>
  readonly reasons: ReadonlyArray<CodecReason>
  /** The most bytes that waited after a chunk was decoded. */
  readonly mostBufferedBytes: number
}

/** Decodes chunks as they come; `ended`: the stream ends after them. Throws where a decoder breaks its contract. */
export const receive = <In>(
  codec: Codec<In, never>,
  chunks: ReadonlyArray<Uint8Array>,
  last: "ended" | "open" = "ended"
): Received => {
  const decoder = codec.decoder()
  const input = new ByteQueue()
  const events: Array<Event> = []
  const reasons: Array<CodecReason> = []
  let mostBufferedBytes = 0
  const drain = (decode: () => In | undefined): boolean => {
    for (;;) {
      const before = input.byteLength
      const frame = decode()
      if (frame !== undefined) {
        if (input.byteLength >= before) throw new Error("a frame consumed nothing")
        events.push(["frame", frame instanceof Uint8Array ? Hex.show(frame) : frame])
        continue
      }
      const reason = decoder.takeViolation()
      if (reason === undefined) return true
      reasons.push(reason)
      events.push(["violation", reason._tag, reason.recoverable ? "goes on" : "stops"])
      if (reason.recoverable) continue
      decode()
      if (decoder.takeViolation()?._tag !== reason._tag) throw new Error("the violation was not reported again")
      return false
    }
  }
  for (const chunk of chunks) {
    input.push(chunk.slice())
    if (!drain(() => decoder.decode(input))) return { events, reasons, mostBufferedBytes }
    mostBufferedBytes = Math.max(mostBufferedBytes, input.byteLength)
  }
  if (last === "ended") drain(() => decoder.decodeEnd(input))
  else if (input.byteLength > 0) events.push(["left", Hex.show(input.takeAll())])
  return { events, reasons, mostBufferedBytes }
}

/** The bytes of all frames; or why the first that cannot be sent cannot. */
export const send = <Out>(
  codec: Codec<unknown, Out>,
  frames: ReadonlyArray<Out>
): { readonly bytes: Uint8Array; readonly writes: number } | CodecReason => {
  const encoder = codec.encoder()
  const written: Array<Uint8Array> = []
  for (const frame of frames) {
    const before = written.length
    const reason = encoder.encode(frame, { write: (bytes) => written.push(bytes) })
    if (reason === undefined) continue
    if (written.length > before) throw new Error("an encoder wrote a part of a frame that it refused")
    return reason
  }
  return { bytes: Hex.concat(written), writes: written.length }
}
