/**
 * Puts the fragments of a message together (RFC 6455 §5.4), within its limits.
 *
 * Text is checked as it comes, so that a peer which sends something else is
 * stopped at the first wrong byte (RFC 6455 §8.1); a compressed message can be
 * checked only when it is whole.
 *
 * @internal
 * @since 0.1.0
 */
import { ByteQueue } from "../../bytes/ByteQueue.ts"
import { Utf8Validator } from "../../bytes/Utf8Validator.ts"
import { InvalidUtf8, MessageTooLarge, ProtocolViolation, TooManyFragments } from "./WebSocketError.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"

/** @category options */
export interface Limits {
  /** Of all fragments together, as they are on the wire. */
  readonly maxMessageBytes: number
  readonly maxFragmentCount: number
}

/** @category models */
export type Reason = ProtocolViolation | InvalidUtf8 | MessageTooLarge | TooManyFragments

/** @category models */
export class WebSocketFragments {
  /** The message that its fragments belong to: `text`, `binary`, or `none` between messages. */
  kind: "none" | "text" | "binary" = "none"
  /** How the message is on the wire. */
  form: "plain" | "compressed" = "plain"
  private readonly limits: Limits
  private messageBytes = 0
  private fragmentCount = 0
  /** Made with the first message that does not come in one piece. */
  private pieces: ByteQueue | undefined = undefined
  private validator: Utf8Validator | undefined = undefined

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** A data frame begins, of `payloadBytes`. Why it may not, or `undefined`. */
  begin(opcode: number, form: "plain" | "compressed", payloadBytes: number): Reason | undefined {
    if (opcode === WebSocketFrame.continuation) {
      if (this.kind === "none") return new ProtocolViolation("continuation of nothing")
    } else {
      if (this.kind !== "none") return new ProtocolViolation("message within a message")
      this.kind = opcode === WebSocketFrame.text ? "text" : "binary"
      this.form = form
      this.messageBytes = 0
      this.fragmentCount = 0
    }
    const { maxFragmentCount, maxMessageBytes } = this.limits
    this.messageBytes += payloadBytes
    if (this.messageBytes > maxMessageBytes) return new MessageTooLarge(this.messageBytes, maxMessageBytes)
    if (++this.fragmentCount > maxFragmentCount) return new TooManyFragments(maxFragmentCount)
    return undefined
  }

  /** Adds payload of the fragment. What is wrong with it, or `undefined`. */
  append(bytes: Uint8Array): InvalidUtf8 | undefined {
    this.pieces ??= new ByteQueue()
    this.pieces.push(bytes)
    if (this.kind !== "text" || this.form === "compressed") return undefined
    this.validator ??= new Utf8Validator()
    return this.validator.push(bytes) ? undefined : new InvalidUtf8()
  }

  /**
   * Hands over what was appended to the message, and waits for the next one.
   * Whether its text ends where a character does is left to its decoding.
   */
  take(): Uint8Array {
    this.reset()
    return this.pieces === undefined ? noBytes : this.pieces.takeAll()
  }

  /** The message came in one piece, which was not appended: waits for the next one. */
  reset(): void {
    this.kind = "none"
    this.validator?.reset()
  }

  /** Lets go of an unfinished message. */
  release(): void {
    this.reset()
    this.pieces = undefined
    this.validator = undefined
  }
}

const noBytes = new Uint8Array(0)
