/**
 * How a call has ended: one of 17 codes and a message, in the fields
 * `grpc-status` and `grpc-message` (gRPC over HTTP/2, "Responses").
 *
 * ```ts
 * reason.code === GrpcStatus.NotFound
 * ```
 *
 * Hot path: the trailers of a call that went well are one constant record, so
 * that a writer of heads which knows records again encodes it once.
 *
 * @since 0.1.0
 */
import { byteSet, hexDigits, hexValue, isMadeOf } from "../../bytes/Ascii.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import type { FieldsInput } from "../http/HttpField.ts"

/** @category codes */
export const Ok = 0
/** Whoever made the call does not want it any more. @category codes */
export const Cancelled = 1
/** The server failed and did not say how, or what it said cannot be read. @category codes */
export const Unknown = 2
/** The request is wrong, whatever state the server is in. @category codes */
export const InvalidArgument = 3
/** The call took longer than its deadline. It may have been done all the same. @category codes */
export const DeadlineExceeded = 4
/** @category codes */
export const NotFound = 5
/** @category codes */
export const AlreadyExists = 6
/** The caller is known, and may not. @category codes */
export const PermissionDenied = 7
/** A quota or a limit, of messages and of rates too. @category codes */
export const ResourceExhausted = 8
/** The server is not in a state for it; the same call fails until that is mended. @category codes */
export const FailedPrecondition = 9
/** A conflict with another call: to be begun anew from its reading on. @category codes */
export const Aborted = 10
/** Past a range that may grow. @category codes */
export const OutOfRange = 11
/** The server has no such service, method, or encoding. @category codes */
export const Unimplemented = 12
/** Something broke that should hold: also a wrong message, or compression. @category codes */
export const Internal = 13
/** The server cannot be reached for now: to be tried again. @category codes */
export const Unavailable = 14
/** @category codes */
export const DataLoss = 15
/** The caller is not known. @category codes */
export const Unauthenticated = 16

/** @category models */
export type Code = 0 | FailureCode

/** @category models */
export type FailureCode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16

/** Whether a number is one of the codes. @category checking */
export const isCode = (code: number): code is Code => Number.isInteger(code) && code >= Ok && code <= Unauthenticated

/** A code as the specification writes it, such as `NOT_FOUND`. @category formatting */
export const nameOf = (code: Code): string => names[code]!

/**
 * The code that `grpc-status` says. What is none is `Unknown`: a code of the
 * future, and what cannot be read ("Error parsing returned status").
 *
 * @category parsing
 */
export const parse = (text: string): Code => {
  const first = text.charCodeAt(0) - 0x30
  if (text.length === 1) return first >= 0 && first <= 9 ? (first as Code) : Unknown
  // "a decimal-encoded integer as an ASCII string, without any leading zeros"
  const second = text.charCodeAt(1) - 0x30
  return text.length === 2 && first === 1 && second >= 0 && second <= 6 ? ((10 + second) as Code) : Unknown
}

/** The trailers of a call that went well; always the same record. @category trailers */
export const okTrailers: FieldsInput = /*#__PURE__*/ Object.freeze({ "grpc-status": "0" })

/** The trailers of a status; without a message always the same record for a code. @category trailers */
export const trailers = (code: Code, message: string): FieldsInput =>
  message === "" ? bareTrailers[code]! : { "grpc-status": String(code), "grpc-message": encodeMessage(message) }

/**
 * `grpc-message` for a text: UTF-8, and a percent sign with two digits for each
 * byte but printable ASCII. Spaces at both ends too, which HTTP would take off.
 *
 * @category percent-encoding
 */
export const encodeMessage = (text: string): string => {
  const last = text.length - 1
  if (isMadeOf(plain, text, 0, text.length) && text[0] !== " " && text[last] !== " ") return text
  const bytes = Utf8.encode(text)
  let encoded = ""
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    const isEdge = at === 0 || at === bytes.length - 1
    if (plain[byte] === 1 && !(isEdge && byte === 0x20)) encoded += String.fromCharCode(byte)
    else encoded += `%${upperDigits[byte >> 4]}${upperDigits[byte & 15]}`
  }
  return encoded
}

/**
 * The text of a `grpc-message`. Never fails: "implementations MUST NOT error or
 * throw the message away". A percent sign without two digits stays; what is not
 * UTF-8 in the end stays as it came.
 *
 * @category percent-encoding
 */
export const decodeMessage = (value: string): string => {
  if (isMadeOf(plain, value, 0, value.length)) return value
  const bytes = new Uint8Array(value.length)
  let length = 0
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    const [high, low] = [value.charCodeAt(at + 1), value.charCodeAt(at + 2)]
    if (code === percent && hexDigits[high] === 1 && hexDigits[low] === 1) {
      bytes[length++] = (hexValue(high) << 4) | hexValue(low)
      at += 2
    } else bytes[length++] = code
  }
  return Utf8.decodeRange(bytes, 0, length) ?? value
}

/**
 * The code for a response without `grpc-status`, by its status of HTTP: it came
 * from something between client and server (http-grpc-status-mapping).
 *
 * @category mapping
 */
export const ofHttpStatus = (status: number): FailureCode => httpStatuses[status] ?? Unknown

/**
 * The code for a stream that was ended by RST_STREAM, by its error code (gRPC
 * over HTTP/2, "Errors"). STREAM_CLOSED, which has none there, is `Internal`;
 * what the table does not know is `Unknown`.
 *
 * @category mapping
 */
export const ofHttp2Error = (errorCode: number): FailureCode => http2Errors[errorCode] ?? Unknown

const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED"
]

const bareTrailers: ReadonlyArray<FieldsInput> = /*#__PURE__*/ names.map((_, code) =>
  code === Ok ? okTrailers : Object.freeze({ "grpc-status": String(code) })
)

const percent = 0x25
/** %x20-%x24 and %x26-%x7E. */
const plain = /*#__PURE__*/ byteSet(" -$", "&-~")
const upperDigits = "0123456789ABCDEF"

const httpStatuses: Readonly<Record<number, FailureCode>> = {
  400: Internal,
  401: Unauthenticated,
  403: PermissionDenied,
  404: Unimplemented,
  429: Unavailable,
  431: Internal,
  502: Unavailable,
  503: Unavailable,
  504: Unavailable
}

/** By the error codes of HTTP/2, from NO_ERROR to INADEQUATE_SECURITY. */
const http2Errors: ReadonlyArray<FailureCode> = [
  // NO_ERROR: "An explicit GRPC status of OK should have been sent".
  Internal,
  Internal,
  Internal,
  Internal,
  Internal,
  Internal,
  Internal,
  // REFUSED_STREAM: "no processing occurred and the request can be retried".
  Unavailable,
  Cancelled,
  Internal,
  Internal,
  ResourceExhausted,
  PermissionDenied
]
