/**
 * Why a stream or a connection of HTTP/2 ends, in the 32 bits of RST_STREAM
 * and GOAWAY (RFC 9113 §7).
 *
 * @since 0.1.0
 */

/** @category codes */
export const NoError = 0x0
/** @category codes */
export const ProtocolError = 0x1
/** @category codes */
export const InternalError = 0x2
/** @category codes */
export const FlowControlError = 0x3
/** @category codes */
export const SettingsTimeout = 0x4
/** @category codes */
export const StreamClosed = 0x5
/** @category codes */
export const FrameSizeError = 0x6
/** The stream was not processed: it can be sent again (RFC 9113 §8.7). @category codes */
export const RefusedStream = 0x7
/** Whoever asked for the stream does not want it any more. @category codes */
export const Cancel = 0x8
/** @category codes */
export const CompressionError = 0x9
/** @category codes */
export const ConnectError = 0xa
/** @category codes */
export const EnhanceYourCalm = 0xb
/** @category codes */
export const InadequateSecurity = 0xc
/** @category codes */
export const Http11Required = 0xd

/** A code as RFC 9113 §7 writes it; an unknown one in hexadecimal. @category formatting */
export const nameOf = (code: number): string => names[code] ?? `0x${code.toString(16)}`

const names = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED"
]
