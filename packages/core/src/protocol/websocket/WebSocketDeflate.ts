/**
 * Compression of the messages of one connection, once `permessage-deflate` was
 * negotiated (RFC 7692 §7.2).
 *
 * A compressed message is a DEFLATE stream without its last four bytes, `00 00
 * ff ff`. The platform compresses single messages; what a side may refer to
 * with context takeover, the last 32 KiB of messages, is kept here.
 *
 * @since 0.1.0
 */
import { allocate } from "../../bytes/Allocation.ts"
import { ByteQueue } from "../../bytes/ByteQueue.ts"
import type { RawDeflate, Window } from "../../bytes/RawDeflate.ts"
import type { Parameters, Side } from "./WebSocketDeflateParameters.ts"
import { InvalidCompression, MessageTooLarge } from "./WebSocketError.ts"
import type { Role } from "./WebSocketFrame.ts"

/** @category options */
export interface Options {
  readonly role: Role
  readonly parameters: Parameters
  /** The platform's DEFLATE. */
  readonly codec: RawDeflate
  readonly compressFromBytes: number
  readonly maxMessageBytes: number
}

/** @category models */
export class WebSocketDeflate {
  /** The window of what is sent: who has the same gets the same compressed bytes. */
  readonly sendWindowBits: number
  private readonly options: Options
  private readonly sent: History
  private readonly received: History

  constructor(options: Options) {
    const { parameters, role } = options
    this.options = options
    this.sent = new History(role === "server" ? parameters.server : parameters.client)
    this.received = new History(role === "server" ? parameters.client : parameters.server)
    this.sendWindowBits = this.sent.windowBits
  }

  /** Whether a message of so many bytes is large enough to be compressed. */
  wants(byteCount: number): boolean {
    return byteCount >= this.options.compressFromBytes
  }

  /**
   * The payload of the compressed message; `undefined` where it is small, or
   * compression is of no use, and it goes as it is. An uncompressed message is
   * in no window (RFC 7692 §7.2.3.2), so dropping the result costs nothing.
   */
  compress(message: Uint8Array): Uint8Array | undefined {
    if (!this.wants(message.length)) return undefined
    const compressed = withoutTail(this.options.codec.deflate(message, this.sent.window()))
    if (compressed.length >= message.length + this.sent.worthBytes) return undefined
    this.sent.append(message)
    return compressed
  }

  /**
   * The same, for many connections with the same window: it refers to no
   * earlier message, so that it can be sent to any of them.
   */
  compressAlone(message: Uint8Array): Uint8Array | undefined {
    const window = { bits: this.sendWindowBits, dictionary: undefined }
    const compressed = withoutTail(this.options.codec.deflate(message, window))
    return compressed.length >= message.length ? undefined : compressed
  }

  /** `message` was sent, compressed elsewhere: what comes after may refer to it. */
  sentAlone(message: Uint8Array): void {
    this.sent.append(message)
  }

  /**
   * Inflates the payload of a message. What it becomes is bounded while it is
   * made: more than `maxMessageBytes` is `MessageTooLarge`.
   */
  inflate(payload: Uint8Array): Uint8Array | InvalidCompression | MessageTooLarge {
    const { codec, maxMessageBytes } = this.options
    let input = withTail(payload)
    const pieces = new ByteQueue()
    for (let streamCount = 0; streamCount <= mostFinalBlocks; streamCount++) {
      const leftBytes = maxMessageBytes - pieces.byteLength
      const begunBytes = pieces.byteLength
      const window = begunBytes === 0 ? this.received.window() : this.received.windowWithin(pieces.peek(begunBytes))
      const result = codec.inflate(input, window, leftBytes)
      if (result._tag === "Invalid") return new InvalidCompression()
      if (result._tag === "TooLarge") return new MessageTooLarge(maxMessageBytes + 1, maxMessageBytes)
      pieces.push(result.bytes)
      if (result.consumedBytes >= input.length) {
        const message = pieces.takeAll()
        this.received.append(message)
        return message
      }
      // RFC 7692 §7.2.3.4: behind a final block there may be others.
      input = input.subarray(result.consumedBytes)
    }
    return new InvalidCompression()
  }
}

/**
 * The most final blocks of one message that others may follow. Each one starts
 * the inflater again, which costs some microseconds for two bytes; senders that
 * need them at all have one, at the end.
 */
const mostFinalBlocks = 8

/**
 * The first of many small messages does not become smaller alone, and those
 * after it do with its help. What grows by more than this is no text.
 */
const mostWorthBytes = 64

const tail = Uint8Array.of(0x00, 0x00, 0xff, 0xff)

/** RFC 7692 §7.2.1: "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end." */
const withoutTail = (deflated: Uint8Array): Uint8Array => deflated.subarray(0, deflated.length - tail.length)

/** RFC 7692 §7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload." */
const withTail = (payload: Uint8Array): Uint8Array => {
  const bytes = allocate(payload.length + tail.length)
  bytes.set(payload)
  bytes.set(tail, payload.length)
  return bytes
}

/** What one side's messages may refer to: the end of the messages before, at most a window of it. */
class History {
  readonly windowBits: number
  /** What a message may grow by to be in the window of those after it. */
  readonly worthBytes: number
  private readonly context: "keep" | "reset"
  /** Of which the first `length` bytes are kept; grows up to a window, and is then used again and again. */
  private bytes: Uint8Array = new Uint8Array(0)
  private length = 0

  constructor(side: Side) {
    this.windowBits = side.windowBits
    this.context = side.context
    this.worthBytes = side.context === "keep" ? mostWorthBytes : 0
  }

  /** The window of the next message; good until the next `append`. */
  window(): Window {
    return { bits: this.windowBits, dictionary: this.length === 0 ? undefined : this.bytes.subarray(0, this.length) }
  }

  /** The window of what follows `begun`, the beginning of a message. */
  windowWithin(begun: Uint8Array): Window {
    const both = allocate(this.length + begun.length)
    both.set(this.bytes.subarray(0, this.length))
    both.set(begun, this.length)
    return { bits: this.windowBits, dictionary: both.subarray(Math.max(0, both.length - 2 ** this.windowBits)) }
  }

  append(message: Uint8Array): void {
    if (this.context === "reset") return
    const mostBytes = 2 ** this.windowBits
    const added = message.length > mostBytes ? message.subarray(message.length - mostBytes) : message
    const keptBytes = Math.min(this.length, mostBytes - added.length)
    const kept = this.bytes.subarray(this.length - keptBytes, this.length)
    const neededBytes = keptBytes + added.length
    if (neededBytes > this.bytes.length) {
      this.bytes = new Uint8Array(Math.min(mostBytes, Math.max(neededBytes, this.bytes.length * 2)))
    }
    this.bytes.set(kept)
    this.bytes.set(added, keptBytes)
    this.length = neededBytes
  }
}
