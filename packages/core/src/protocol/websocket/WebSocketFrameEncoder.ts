/**
 * Writes frames into an output: head and payload of a small one in one piece,
 * and all small frames of a turn in one chunk.
 *
 * Hot path (`bench/` rows "websocket-echo"): text is encoded straight behind
 * the place of its head, in a slab that all encoders of the process share; a
 * buffer for each frame would cost as much again as the frame. A slab holds
 * some 16 KiB and lives as long as a chunk of it waits to be sent.
 *
 * Invariant: the slab is used up to `slabUsed`, and never written below that
 * again, but by the encoder whose held bytes end there.
 *
 * @internal
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import type { Output } from "../Engine.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"
import * as WebSocketMask from "./WebSocketMask.ts"

/**
 * Draws a masking key: 32 bits that the peer's scripts cannot foresee (RFC 6455
 * §5.3), as a signed or unsigned integer. `undefined`: frames are not masked.
 *
 * @category models
 */
export type NextMask = (() => number) | undefined

const slabBytes = 16_384
/** What needs more than this has a buffer of its own. */
const smallBytes = 4_096

let slab: Uint8Array = new Uint8Array(0)
let slabUsed = 0

/** @category models */
export class WebSocketFrameEncoder {
  private readonly output: Output
  private readonly nextMask: NextMask
  private readonly maskSize: number
  /** Of which slab `heldStart` to `heldEnd` were written and are not yet in the output. */
  private held: Uint8Array | undefined = undefined
  private heldStart = 0
  private heldEnd = 0
  private mode: "direct" | "collecting" = "direct"

  constructor(output: Output, nextMask: NextMask) {
    this.output = output
    this.nextMask = nextMask
    this.maskSize = nextMask === undefined ? 0 : WebSocketFrame.maskBytes
  }

  /** Small frames from now on are collected, until `flush`. */
  collect(): void {
    this.mode = "collecting"
  }

  /** Puts what was collected into the output, and collects no more. */
  flush(): void {
    this.mode = "direct"
    this.emit()
  }

  /** A text message in one frame. Lone surrogates are sent as U+FFFD. */
  text(text: string): void {
    // Three bytes are the most that UTF-8 takes for a UTF-16 code unit.
    const mostBytes = text.length * 3
    if (mostBytes > smallBytes) {
      this.frame(WebSocketFrame.final | WebSocketFrame.text, Utf8.encode(text))
      return
    }
    const start = this.reserve(mostBytes + WebSocketFrame.headBytes)
    const guess = start + 2 + WebSocketFrame.extendedLengthBytes(text.length) + this.maskSize
    const byteCount = Utf8.write(text, slab, guess)
    const body = start + 2 + WebSocketFrame.extendedLengthBytes(byteCount) + this.maskSize
    // More bytes than characters: the length itself may have become longer.
    if (body !== guess) slab.copyWithin(body, guess, guess + byteCount)
    this.writeHead(slab, start, WebSocketFrame.final | WebSocketFrame.text, byteCount)
    this.maskBody(slab, body, body + byteCount)
    this.commit(start, body + byteCount)
  }

  /**
   * A frame whose first byte is `first`. A large payload is handed on as it is
   * where it is not masked: nobody may change it afterwards.
   */
  frame(first: number, payload: Uint8Array): void {
    const byteCount = payload.length
    const headSize = 2 + WebSocketFrame.extendedLengthBytes(byteCount) + this.maskSize
    if (byteCount <= smallBytes) {
      const start = this.reserve(headSize + byteCount)
      this.writeFrame(slab, start, headSize, first, payload)
      this.commit(start, start + headSize + byteCount)
      return
    }
    this.emit()
    const hasBody = this.maskSize > 0
    const bytes = allocate(hasBody ? headSize + byteCount : headSize)
    if (hasBody) this.writeFrame(bytes, 0, headSize, first, payload)
    else this.writeHead(bytes, 0, first, byteCount)
    this.output.write(bytes)
    if (!hasBody) this.output.write(payload)
  }

  /** Bytes that are frames already, for an encoder that does not mask. */
  raw(frames: Uint8Array): void {
    if (frames.length > smallBytes || this.mode === "direct") {
      this.emit()
      this.output.write(frames)
      return
    }
    const start = this.reserve(frames.length)
    slab.set(frames, start)
    this.commit(start, start + frames.length)
  }

  private writeFrame(target: Uint8Array, start: number, headSize: number, first: number, payload: Uint8Array): void {
    const body = start + headSize
    target.set(payload, body)
    this.writeHead(target, start, first, payload.length)
    this.maskBody(target, body, body + payload.length)
  }

  private writeHead(target: Uint8Array, start: number, first: number, byteCount: number): void {
    const maskBit = this.maskSize > 0 ? WebSocketFrame.masked : 0
    target[start] = first
    if (byteCount <= 125) {
      target[start + 1] = maskBit | byteCount
    } else if (byteCount <= 0xffff) {
      target[start + 1] = maskBit | 126
      target[start + 2] = byteCount >>> 8
      target[start + 3] = byteCount
    } else {
      target[start + 1] = maskBit | 127
      writeUint32(target, start + 2, Math.floor(byteCount / 2 ** 32))
      writeUint32(target, start + 6, byteCount >>> 0)
    }
  }

  /** Masks the body in place, and writes the key in front of it. */
  private maskBody(target: Uint8Array, body: number, end: number): void {
    if (this.nextMask === undefined) return
    const key = this.nextMask()
    writeUint32(target, body - WebSocketFrame.maskBytes, key)
    WebSocketMask.apply(target, body, end, key)
  }

  /** Where `byteCount` bytes may be written in the slab. */
  private reserve(byteCount: number): number {
    if (slabUsed + byteCount > slab.length) {
      slab = allocate(slabBytes)
      slabUsed = 0
    }
    return slabUsed
  }

  /** `start` to `end` of the slab were written. */
  private commit(start: number, end: number): void {
    if (this.held !== slab || this.heldEnd !== start) {
      this.emit()
      this.held = slab
      this.heldStart = start
    }
    this.heldEnd = end
    slabUsed = end
    if (this.mode === "direct") this.emit()
  }

  private emit(): void {
    if (this.held === undefined) return
    this.output.write(this.held.subarray(this.heldStart, this.heldEnd))
    this.held = undefined
  }
}

const writeUint32 = (target: Uint8Array, at: number, value: number): void => {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}
