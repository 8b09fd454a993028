/**
 * Why bytes are no message of a type: a plain reason, without a stack trace.
 *
 * @since 0.1.0
 */

/** @category violations */
export type Reason =
  /** The bytes end within a field. */
  | "Truncated"
  /** A varint goes on behind its tenth byte. */
  | "VarintTooLong"
  /** A tag above 32 bits, of field 0, or of wire type 6 or 7; the end of a group that did not begin. */
  | "InvalidTag"
  /** A group is ended by another field's number, or not at all. */
  | "InvalidGroup"
  /** A text is not UTF-8, where the field asks for it. */
  | "InvalidUtf8"
  /** Messages and groups within each other, more than 100. */
  | "TooDeep"
  /** What the host cannot hold, or protobuf-es refused without saying more. */
  | "Unreadable"

/** The peer sent bytes that are not a message of the type. @category violations */
export class ProtobufViolation {
  readonly _tag = "ProtobufViolation"
  readonly fault = "peer"
  readonly reason: Reason
  /** Of the message as a whole, not of one within it. */
  readonly typeName: string
  constructor(reason: Reason, typeName: string) {
    this.reason = reason
    this.typeName = typeName
  }
  get message() {
    return `no ${this.typeName}: ${this.reason}`
  }
}
