/**
 * Why a WebSocket was closed: the codes of RFC 6455 §7.4 and of the registry
 * that it opened (§11.7).
 *
 * @since 0.1.0
 */

/** The purpose was fulfilled. @category codes */
export const normal = 1000
/** The endpoint goes away: a server drains, a page is left. @category codes */
export const goingAway = 1001
/** The peer broke the protocol. @category codes */
export const protocolError = 1002
/** The peer sent a kind of data that this endpoint does not take. @category codes */
export const unsupportedData = 1003
/** The Close frame had no code. Never on the wire. @category codes */
export const noStatus = 1005
/** There was no Close frame. Never on the wire. @category codes */
export const abnormal = 1006
/** A message was not what its type says: text that is not UTF-8. @category codes */
export const invalidPayload = 1007
/** A rule of the endpoint was broken that no other code names. @category codes */
export const policyViolation = 1008
/** A message is too large. @category codes */
export const messageTooBig = 1009
/** A client misses an extension in the server's answer. @category codes */
export const mandatoryExtension = 1010
/** The endpoint failed. @category codes */
export const internalError = 1011
/** The service restarts; come back. @category codes */
export const serviceRestart = 1012
/** The service is overloaded; come back later. @category codes */
export const tryAgainLater = 1013
/** A gateway got no good answer from its server. @category codes */
export const badGateway = 1014
/** The TLS handshake failed. Never on the wire. @category codes */
export const tlsHandshake = 1015

/**
 * Whether a Close frame may carry `code`, sent or received: a defined code, a
 * registered one (3000 to 3999), or a private one (4000 to 4999).
 *
 * @category checking
 */
export const isOnWire = (code: number): boolean =>
  Number.isInteger(code) && ((code >= 3000 && code <= 4999) || onWire[code] === "frame")

/**
 * The codes of the protocol itself, total from 1000 to 1015; those above are
 * kept for its future.
 */
const onWire: Readonly<Record<number, "frame" | "never">> = {
  1000: "frame",
  1001: "frame",
  1002: "frame",
  1003: "frame",
  // RFC 6455 §7.4.1: "Reserved. The specific meaning might be defined in the future."
  1004: "never",
  // RFC 6455 §7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame".
  1005: "never",
  1006: "never",
  1007: "frame",
  1008: "frame",
  1009: "frame",
  1010: "frame",
  1011: "frame",
  1012: "frame",
  1013: "frame",
  1014: "frame",
  1015: "never"
}
