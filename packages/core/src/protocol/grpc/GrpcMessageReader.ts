/**
 * Cuts a stream of bytes into messages, however the bytes are cut.
 *
 * ```text
 *  flag (0 or 1)   length (4 bytes, big endian)   length bytes
 * ```
 *
 * Hot path: a message whose bytes are in one chunk is a view of it. One that is
 * cut is put together in memory that grows with what has come: a length alone
 * makes nobody allocate megabytes.
 *
 * Invariants: `0 <= at <= chunk.length`; `prefixCount` is 0 between messages and
 * 5 within the bytes of one, of which `filledBytes` are in `payload`.
 *
 * @internal
 * @since 0.1.0
 */
import { prefixBytes } from "./GrpcMessageWriter.ts"
import { InvalidFlag, MessageTooLarge, TruncatedMessage, UnexpectedCompression } from "./GrpcViolation.ts"

/** @category options */
export interface Options {
  /** The largest message, in bytes as they are on the wire. */
  readonly maxReceiveBytes: number
  /** Whether messages may be compressed: there is a `grpc-encoding`, and not `identity`. */
  readonly compression: "negotiated" | "none"
}

/** @category models */
export type Violation = InvalidFlag | UnexpectedCompression | MessageTooLarge | TruncatedMessage

/**
 * ```ts
 * reader.push(chunk)
 * for (let message = reader.next(); message !== undefined; message = reader.next()) …
 * if (reader.violation !== undefined) …
 * ```
 *
 * @category models
 */
export class GrpcMessageReader {
  /** How the last message of {@link next} is to be read. */
  form: "plain" | "compressed" = "plain"
  /** Why there are no more messages, whatever comes. */
  violation: Violation | undefined = undefined

  private readonly maxReceiveBytes: number
  private readonly mostFlag: 0 | 1
  private chunk: Uint8Array = noBytes
  private at = 0
  private prefixCount = 0
  private messageBytes = 0
  private payload: Uint8Array = noBytes
  private filledBytes = 0

  constructor(options: Options) {
    this.maxReceiveBytes = options.maxReceiveBytes
    this.mostFlag = options.compression === "negotiated" ? 1 : 0
  }

  /** Takes the next chunk, and owns it; of the one before, {@link next} has taken all. */
  push(chunk: Uint8Array): void {
    if (this.at < this.chunk.length) throw new RangeError("messages of the chunk before were not taken")
    if (this.violation !== undefined) return
    this.chunk = chunk
    this.at = 0
  }

  /**
   * The next message, or `undefined`: all of the chunk is used up, or
   * {@link violation} says why there are no more.
   */
  next(): Uint8Array | undefined {
    if (this.violation !== undefined) return undefined
    const { at, chunk } = this
    const start = at + prefixBytes
    if (this.prefixCount > 0 || start > chunk.length) return this.collect()
    if (!this.takeFlag(chunk[at]!)) return undefined
    const messageBytes =
      ((chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!) >>> 0
    if (!this.takeLength(messageBytes)) return undefined
    this.at = start
    if (start + messageBytes > chunk.length) {
      this.prefixCount = prefixBytes
      return this.fill()
    }
    return this.takeView()
  }

  /** The stream has ended: what is wrong with that, or `undefined`. All messages were taken before. */
  end(): Violation | undefined {
    if (this.violation === undefined && this.waitingBytes > 0) this.violate(new TruncatedMessage(this.waitingBytes))
    return this.violation
  }

  /** Bytes of an unfinished message that have come, with its prefix. */
  get waitingBytes(): number {
    return this.prefixCount + this.filledBytes
  }

  /** Lets go of all bytes. */
  release(): void {
    this.chunk = noBytes
    this.at = 0
    this.payload = noBytes
    this.filledBytes = 0
    this.prefixCount = 0
  }

  /** A prefix that straddles chunks, byte by byte, or the rest of a message. */
  private collect(): Uint8Array | undefined {
    const { chunk } = this
    while (this.prefixCount < prefixBytes) {
      if (this.at === chunk.length) return this.needMore()
      const byte = chunk[this.at++]!
      if (this.prefixCount === 0) {
        if (!this.takeFlag(byte)) return undefined
        this.messageBytes = 0
      } else this.messageBytes = this.messageBytes * 256 + byte
      if (++this.prefixCount === prefixBytes && !this.takeLength(this.messageBytes)) return undefined
    }
    return this.fill()
  }

  /** The bytes of a message, or a part of them. */
  private fill(): Uint8Array | undefined {
    const missingBytes = this.messageBytes - this.filledBytes
    const availableBytes = this.chunk.length - this.at
    if (this.filledBytes === 0 && missingBytes <= availableBytes) return this.takeView()
    const byteCount = Math.min(missingBytes, availableBytes)
    if (byteCount > 0) this.copy(byteCount)
    if (byteCount < missingBytes) return this.needMore()
    const message = this.payload
    this.payload = noBytes
    this.filledBytes = 0
    this.prefixCount = 0
    return message
  }

  /** A message whose bytes are all in the chunk. */
  private takeView(): Uint8Array {
    const start = this.at
    this.at = start + this.messageBytes
    this.prefixCount = 0
    return this.messageBytes === 0 ? noBytes : this.chunk.subarray(start, this.at)
  }

  private copy(byteCount: number): void {
    const filledBytes = this.filledBytes + byteCount
    if (filledBytes > this.payload.length) {
      const wantedBytes = Math.max(firstBytes, filledBytes * growth)
      const larger = new Uint8Array(Math.min(this.messageBytes, wantedBytes))
      larger.set(this.payload.subarray(0, this.filledBytes))
      this.payload = larger
    }
    this.payload.set(this.chunk.subarray(this.at, this.at + byteCount), this.filledBytes)
    this.filledBytes = filledBytes
    this.at += byteCount
  }

  private needMore(): undefined {
    // An idle stream holds no chunk.
    this.chunk = noBytes
    this.at = 0
    return undefined
  }

  private takeFlag(flag: number): boolean {
    if (flag > this.mostFlag) {
      // "If the Message-Encoding header is omitted then the Compressed-Flag must be 0."
      this.violate(flag === 1 ? new UnexpectedCompression() : new InvalidFlag(flag))
      return false
    }
    this.form = flag === 0 ? "plain" : "compressed"
    return true
  }

  private takeLength(messageBytes: number): boolean {
    if (messageBytes > this.maxReceiveBytes) {
      this.violate(new MessageTooLarge(messageBytes, this.maxReceiveBytes))
      return false
    }
    this.messageBytes = messageBytes
    return true
  }

  private violate(violation: Violation): void {
    this.violation = violation
    this.release()
  }
}

const noBytes = new Uint8Array(0)
/** Memory for a message that is cut, at least; smaller ones get theirs at once. */
const firstBytes = 4_096
/** As many times what has come: a large message is copied once or twice on its way. */
const growth = 4
