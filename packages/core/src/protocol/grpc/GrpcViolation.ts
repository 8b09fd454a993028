/**
 * Why a message or a head is no gRPC, or above a limit of ours: who is at fault
 * (`fault`), and the status that the call ends with (`code`).
 *
 * These are plain reasons; `GrpcError.ofViolation` makes errors of them.
 *
 * @since 0.1.0
 */
import * as GrpcStatus from "./GrpcStatus.ts"

/** The first byte of a message is neither 0 nor 1. @category violations */
export class InvalidFlag {
  readonly _tag = "InvalidFlag"
  readonly fault = "peer"
  readonly code = GrpcStatus.Internal
  readonly flag: number
  constructor(flag: number) {
    this.flag = flag
  }
  get message() {
    return `a message begins with the flag ${this.flag}, which is neither 0 nor 1`
  }
}

/** A message is compressed, and no `grpc-encoding` says how (gRPC compression, test case 6). @category violations */
export class UnexpectedCompression {
  readonly _tag = "UnexpectedCompression"
  readonly fault = "peer"
  readonly code = GrpcStatus.Internal
  get message() {
    return "a message has the compressed flag, but there is no grpc-encoding"
  }
}

/** What is compressed is not what `grpc-encoding` says, or is damaged. @category violations */
export class InvalidCompression {
  readonly _tag = "InvalidCompression"
  readonly fault = "peer"
  readonly code = GrpcStatus.Internal
  readonly encoding: string
  constructor(encoding: string) {
    this.encoding = encoding
  }
  get message() {
    return `a message cannot be decompressed with ${this.encoding}`
  }
}

/**
 * A message passed a limit: by what its head says, or by what came out of its
 * compression; then `messageBytes` is one above the limit.
 *
 * @category violations
 */
export class MessageTooLarge {
  readonly _tag = "MessageTooLarge"
  readonly fault: "limit" | "caller"
  readonly code = GrpcStatus.ResourceExhausted
  readonly messageBytes: number
  readonly limitBytes: number
  /** `caller`: this side wanted to send it. */
  constructor(messageBytes: number, limitBytes: number, fault: "limit" | "caller" = "limit") {
    this.fault = fault
    this.messageBytes = messageBytes
    this.limitBytes = limitBytes
  }
  get message() {
    return `a message of ${this.messageBytes} bytes or more is above the limit of ${this.limitBytes}`
  }
}

/** The peer ended the stream inside of a message. @category violations */
export class TruncatedMessage {
  readonly _tag = "TruncatedMessage"
  readonly fault = "peer"
  readonly code = GrpcStatus.Internal
  /** Bytes of the unfinished message that had come, with its prefix. */
  readonly receivedBytes: number
  constructor(receivedBytes: number) {
    this.receivedBytes = receivedBytes
  }
  get message() {
    return `the stream ended ${this.receivedBytes} bytes into a message`
  }
}

/**
 * The peer's `grpc-encoding` is none of ours. A server says `Unimplemented`,
 * and what it takes in `grpc-accept-encoding`; for a client it is `Internal`.
 *
 * @category violations
 */
export class UnsupportedEncoding {
  readonly _tag = "UnsupportedEncoding"
  readonly fault = "peer"
  readonly code: typeof GrpcStatus.Unimplemented | typeof GrpcStatus.Internal
  readonly encoding: string
  /** For `grpc-accept-encoding`. */
  readonly acceptText: string
  constructor(role: "client" | "server", encoding: string, acceptText: string) {
    this.code = role === "server" ? GrpcStatus.Unimplemented : GrpcStatus.Internal
    this.encoding = encoding
    this.acceptText = acceptText
  }
  get message() {
    return `messages compressed with ${JSON.stringify(this.encoding)} cannot be read, only: ${this.acceptText}`
  }
}

/** `grpc-timeout` is no time. @category violations */
export class InvalidTimeout {
  readonly _tag = "InvalidTimeout"
  readonly fault = "peer"
  readonly code = GrpcStatus.Internal
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  get message() {
    return `the grpc-timeout ${JSON.stringify(this.text)} is no time`
  }
}

/** A method that has one message in a direction got none there, or more than one. @category violations */
export class WrongMessageCount {
  readonly _tag = "WrongMessageCount"
  readonly fault: "peer" | "caller"
  // gRPC statuscodes: "Request cardinality violation", "Response cardinality violation"
  readonly code = GrpcStatus.Unimplemented
  readonly direction: "request" | "response"
  readonly found: "none" | "several"
  constructor(fault: "peer" | "caller", direction: "request" | "response", found: "none" | "several") {
    this.fault = fault
    this.direction = direction
    this.found = found
  }
  get message() {
    return `the method has one ${this.direction} message, but there were ${this.found}`
  }
}

/** Something came when it may not, such as a message before the head of the response. @category violations */
export class OutOfOrder {
  readonly _tag = "OutOfOrder"
  readonly fault: "peer" | "caller"
  readonly code = GrpcStatus.Internal
  readonly detail: string
  constructor(fault: "peer" | "caller", detail: string) {
    this.fault = fault
    this.detail = detail
  }
  get message() {
    return this.detail
  }
}

/** @category models */
export type Violation =
  | InvalidFlag
  | UnexpectedCompression
  | InvalidCompression
  | MessageTooLarge
  | TruncatedMessage
  | UnsupportedEncoding
  | InvalidTimeout
  | WrongMessageCount
  | OutOfOrder
