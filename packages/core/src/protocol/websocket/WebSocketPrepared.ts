/**
 * A message that goes to many connections: encoded once, and compressed once
 * for each size of window among them, whatever their number.
 *
 * It works for servers, whose frames are the same for everybody. A client masks
 * each frame with a key of its own, and saves only the encoding of the text.
 *
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import { Output } from "../Engine.ts"
import type { WebSocketDeflate } from "./WebSocketDeflate.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"
import { WebSocketFrameEncoder } from "./WebSocketFrameEncoder.ts"

/** @category models */
export class PreparedMessage {
  /** `WebSocketFrame.text` or `binary`. */
  readonly opcode: number
  /** The message as bytes; text in UTF-8. Nobody may change them. */
  readonly payload: Uint8Array
  private plain: Uint8Array | undefined = undefined
  /** By window bits; `undefined` where compression does not make it smaller. */
  private readonly compressed = new Map<number, Uint8Array | undefined>()

  constructor(opcode: number, payload: Uint8Array) {
    this.opcode = opcode
    this.payload = payload
  }

  /** The frame of a server, uncompressed. */
  plainFrame(): Uint8Array {
    this.plain ??= frameOf(WebSocketFrame.final | this.opcode, this.payload)
    return this.plain
  }

  /** The frame of a server with the window of `deflate`; `undefined` where it would not be smaller. */
  compressedFrame(deflate: WebSocketDeflate): Uint8Array | undefined {
    const bits = deflate.sendWindowBits
    if (!this.compressed.has(bits)) {
      const body = deflate.compressAlone(this.payload)
      const first = WebSocketFrame.final | WebSocketFrame.compressed | this.opcode
      this.compressed.set(bits, body === undefined ? undefined : frameOf(first, body))
    }
    return this.compressed.get(bits)
  }
}

/** A text or a binary message. The bytes are taken over: nobody may change them. @category constructors */
export const make = (message: string | Uint8Array): PreparedMessage =>
  typeof message === "string"
    ? new PreparedMessage(WebSocketFrame.text, Utf8.encode(message))
    : new PreparedMessage(WebSocketFrame.binary, message)

/** One array of its own: it is kept for as long as the message is. */
const frameOf = (first: number, payload: Uint8Array): Uint8Array => {
  const output = new Output()
  new WebSocketFrameEncoder(output, undefined).frame(first, payload)
  const frame = allocate(output.byteLength)
  let at = 0
  for (const chunk of output.take()) {
    frame.set(chunk, at)
    at += chunk.length
  }
  return frame
}
