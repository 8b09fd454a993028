/**
 * Why bytes are no frame, or a value cannot be framed.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/** A frame or line passed the codec's maximum. On sending, the value is too large. @category reasons */
export class FrameTooLarge {
  readonly _tag = "FrameTooLarge"
  readonly fault: "limit" | "caller"
  /** The frame's size where it announced one; else one byte above the limit, however the stream was cut. */
  readonly receivedBytes: number
  readonly limitBytes: number
  /** Whether decoding may go on with the next frame (the rest of this one is discarded). */
  readonly recoverable: boolean
  constructor(options: {
    readonly receivedBytes: number
    readonly limitBytes: number
    readonly fault?: "limit" | "caller"
    readonly recoverable?: boolean
  }) {
    this.fault = options.fault ?? "limit"
    this.receivedBytes = options.receivedBytes
    this.limitBytes = options.limitBytes
    this.recoverable = options.recoverable ?? false
  }
  get message() {
    return `a frame of ${this.receivedBytes} bytes or more is above the limit of ${this.limitBytes}`
  }
}

/** The stream ended inside a frame. @category reasons */
export class TruncatedFrame {
  readonly _tag = "TruncatedFrame"
  readonly fault = "peer"
  readonly recoverable = false
  /** Bytes of the unfinished frame that had come. */
  readonly receivedBytes: number
  constructor(receivedBytes: number) {
    this.receivedBytes = receivedBytes
  }
  get message() {
    return `the stream ended ${this.receivedBytes} bytes into a frame`
  }
}

/** Text that is not UTF-8 (RFC 3629). @category reasons */
export class InvalidUtf8 {
  readonly _tag = "InvalidUtf8"
  readonly fault = "peer"
  readonly recoverable: boolean
  constructor(options?: { readonly recoverable?: boolean }) {
    this.recoverable = options?.recoverable ?? false
  }
  get message() {
    return "the text is not valid UTF-8"
  }
}

/** A length that cannot be: negative after its adjustment, not representable, or a varint that does not end. @category reasons */
export class InvalidLength {
  readonly _tag = "InvalidLength"
  readonly fault: "peer" | "caller"
  readonly recoverable = false
  readonly detail: string
  constructor(detail: string, fault: "peer" | "caller" = "peer") {
    this.detail = detail
    this.fault = fault
  }
  get message() {
    return this.detail
  }
}

/** A frame whose content is not what was agreed: no JSON, or not of the schema. @category reasons */
export class InvalidContent {
  readonly _tag = "InvalidContent"
  readonly fault: "peer" | "caller"
  readonly recoverable = true
  readonly detail: string
  constructor(detail: string, fault: "peer" | "caller" = "peer") {
    this.detail = detail
    this.fault = fault
  }
  get message() {
    return this.detail
  }
}

/** @category reasons */
export type CodecReason = FrameTooLarge | TruncatedFrame | InvalidUtf8 | InvalidLength | InvalidContent

/**
 * Bytes were no frame, or a value could not be framed; `reason` says why, and
 * `reason.recoverable` whether the next frame can still be received.
 *
 * @category errors
 */
export class CodecError extends Data.TaggedError("CodecError")<{
  readonly reason: CodecReason
}> {
  override get message(): string {
    return this.reason.message
  }
}
