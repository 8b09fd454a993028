/**
 * Cuts a stream of bytes into frames, and checks each head by itself; the
 * order of frames is not looked at here.
 *
 * Hot path (`bench/` rows "websocket-echo"): no object is made for a frame.
 * `next` says what was found, and the fields say the rest. Payloads are
 * unmasked in place and handed out as they come, as positions in the chunk.
 *
 * Invariant: `0 <= at <= chunk.length`; of the head that straddles chunks,
 * `headCount` bytes are kept.
 *
 * @internal
 * @since 0.1.0
 */
import { FrameTooLarge, ProtocolViolation } from "./WebSocketError.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"
import * as WebSocketMask from "./WebSocketMask.ts"

/** All of the chunk is used up. @category steps */
export const needMore = 0
/** A frame begins: `opcode`, `final`, `compressed` and `payloadBytes` are set. @category steps */
export const head = 1
/**
 * Payload of the frame, from `pieceStart` to `pieceEnd` of `chunk`; at least
 * one for each frame, also when it is empty. `piece` says how much that is.
 *
 * @category steps
 */
export const payload = 2
/** The frame is wrong: see `violation`. Nothing more can be decoded. @category steps */
export const violated = 3

/** @category options */
export interface Options {
  /** Who receives. A server wants masked frames, a client refuses them. */
  readonly role: WebSocketFrame.Role
  /** The largest payload, in bytes, 125 or more: a control frame always has room. */
  readonly maxFrameBytes: number
  /** Whether RSV1 has a meaning (RFC 7692). */
  readonly compression: "negotiated" | "none"
}

const noBytes = new Uint8Array(0)

/** @category models */
export class WebSocketFrameDecoder {
  opcode = 0
  final = true
  compressed = false
  /** Of the whole payload, as the head says. */
  payloadBytes = 0
  chunk: Uint8Array = noBytes
  pieceStart = 0
  pieceEnd = 0
  /** `whole`: all of the payload at once. `last`: the end of what came in pieces. */
  piece: "whole" | "part" | "last" = "whole"
  violation: ProtocolViolation | FrameTooLarge | undefined = undefined

  private readonly options: Options
  private readonly maskBit: number
  private readonly reservedBits: number
  private at = 0
  private awaiting: "head" | "payload" = "head"
  private remainingBytes = 0
  private key = 0
  /** A head that straddles chunks; made when the first one does. */
  private straddling: Uint8Array | undefined = undefined
  private headCount = 0

  constructor(options: Options) {
    this.options = options
    this.maskBit = options.role === "server" ? WebSocketFrame.masked : 0
    this.reservedBits =
      options.compression === "negotiated"
        ? WebSocketFrame.reserved
        : WebSocketFrame.reserved | WebSocketFrame.compressed
  }

  /** Takes the next chunk; all of the one before was used up. The decoder changes its content. */
  push(chunk: Uint8Array): void {
    this.chunk = chunk
    this.at = 0
  }

  /** Whether all of the chunk was used up. */
  get isEmpty(): boolean {
    return this.at >= this.chunk.length
  }

  /** Lets go of the chunk, and of whatever is left in it. */
  release(): void {
    this.chunk = noBytes
    this.at = 0
  }

  next(): 0 | 1 | 2 | 3 {
    if (this.violation !== undefined) return violated
    return this.awaiting === "payload" ? this.takePiece() : this.takeHead()
  }

  private takePiece(): 0 | 2 {
    const start = this.at
    const availableBytes = this.chunk.length - start
    const isFirst = this.remainingBytes === this.payloadBytes
    if (availableBytes < this.remainingBytes) {
      if (availableBytes === 0) return needMore
      this.piece = "part"
      this.at = this.chunk.length
    } else {
      this.piece = isFirst ? "whole" : "last"
      this.at = start + this.remainingBytes
      this.awaiting = "head"
    }
    this.pieceStart = start
    this.pieceEnd = this.at
    const byteCount = this.at - start
    this.remainingBytes -= byteCount
    if (this.maskBit !== 0) {
      WebSocketMask.apply(this.chunk, start, this.at, this.key)
      if (this.piece === "part") this.key = WebSocketMask.rotate(this.key, byteCount)
    }
    return payload
  }

  private takeHead(): 0 | 1 | 3 {
    const { at, chunk } = this
    const availableBytes = chunk.length - at
    if (this.headCount > 0 || availableBytes < 2) return this.collectHead()
    if (!this.checkFirstTwo(chunk[at]!, chunk[at + 1]!)) return violated
    const size = WebSocketFrame.headSize(chunk[at + 1]!)
    if (availableBytes < size) return this.collectHead()
    this.at = at + size
    return this.readHead(chunk, at)
  }

  /** Takes a head byte by byte. */
  private collectHead(): 0 | 1 | 3 {
    this.straddling ??= new Uint8Array(WebSocketFrame.headBytes)
    const kept = this.straddling
    while (this.at < this.chunk.length) {
      kept[this.headCount++] = this.chunk[this.at++]!
      if (this.headCount < 2) continue
      if (this.headCount === 2 && !this.checkFirstTwo(kept[0]!, kept[1]!)) return violated
      if (this.headCount < WebSocketFrame.headSize(kept[1]!)) continue
      this.headCount = 0
      return this.readHead(kept, 0)
    }
    return needMore
  }

  private checkFirstTwo(first: number, second: number): boolean {
    const opcode = first & 0x0f
    const isControl = opcode >= WebSocketFrame.close
    // RFC 7692 §6.1: RSV1 is for the first fragment of a message, and for no control frame.
    const isFirst = opcode === WebSocketFrame.text || opcode === WebSocketFrame.binary
    if ((first & this.reservedBits) !== 0 || (!isFirst && (first & WebSocketFrame.compressed) !== 0)) {
      return this.violate("reserved bits")
    }
    if (opcode > WebSocketFrame.pong || (opcode > WebSocketFrame.binary && !isControl)) {
      return this.violate("reserved opcode")
    }
    // RFC 6455 §5.1: "The server MUST close the connection upon receiving a frame that is not masked." "A client MUST
    // close a connection if it detects a masked frame."
    if ((second & WebSocketFrame.masked) !== this.maskBit) {
      return this.violate(this.maskBit === 0 ? "masked frame" : "unmasked frame")
    }
    if (!isControl) return true
    // RFC 6455 §5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
    if ((first & WebSocketFrame.final) === 0) return this.violate("fragmented control frame")
    return (second & 0x7f) <= WebSocketFrame.controlBytes || this.violate("long control frame")
  }

  /** Reads the head that stands whole at `at` of `source`; its first two bytes are good. */
  private readHead(source: Uint8Array, at: number): 1 | 3 {
    const first = source[at]!
    const seven = source[at + 1]! & 0x7f
    let end = at + 2
    let payloadBytes = seven
    if (seven === 126) {
      payloadBytes = (source[end]! << 8) | source[end + 1]!
      end += 2
      // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length"
      if (payloadBytes < 126) return this.refuse("length not minimal")
    } else if (seven === 127) {
      if (source[end]! >= 0x80) return this.refuse("length above 2^63")
      // Above 2^53 this is not exact, and far above every limit.
      payloadBytes = unsigned(source, end) * 2 ** 32 + unsigned(source, end + 4)
      end += 8
      if (payloadBytes <= 0xffff) return this.refuse("length not minimal")
    }
    if (payloadBytes > this.options.maxFrameBytes) {
      this.violation = new FrameTooLarge(payloadBytes, this.options.maxFrameBytes)
      return violated
    }
    if (this.maskBit !== 0) this.key = unsigned(source, end) | 0
    this.opcode = first & 0x0f
    this.final = first >= WebSocketFrame.final
    this.compressed = (first & WebSocketFrame.compressed) !== 0
    this.payloadBytes = payloadBytes
    this.remainingBytes = payloadBytes
    this.awaiting = "payload"
    return head
  }

  private violate(rule: ProtocolViolation["rule"]): false {
    this.violation = new ProtocolViolation(rule)
    return false
  }

  private refuse(rule: ProtocolViolation["rule"]): 3 {
    this.violate(rule)
    return violated
  }
}

const unsigned = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
