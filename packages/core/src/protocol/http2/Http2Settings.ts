/**
 * The settings of one side (RFC 9113 §6.5, RFC 8441 §3): what it takes from
 * its peer.
 *
 * Settings that are not known are ignored, as the RFC wants. How many come in a
 * frame is bounded by the frame, how often by `Http2AbuseGuard`.
 *
 * @since 0.1.0
 */
import { ConnectionViolation } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"

/** @category models */
export class Http2Settings {
  /** SETTINGS_HEADER_TABLE_SIZE: the HPACK table that the other side may fill. */
  headerTableBytes = 4096
  /** The lowest value of that in the last SETTINGS frame, or before it: the table has to shrink so far first (RFC 7541 §4.2). */
  leastHeaderTableBytes = 4096
  /** SETTINGS_MAX_CONCURRENT_STREAMS: how many streams the other side may have open. */
  maxConcurrentStreams = Number.POSITIVE_INFINITY
  /** SETTINGS_INITIAL_WINDOW_SIZE: the window of each new stream. */
  initialWindowBytes = 65_535
  /** SETTINGS_MAX_FRAME_SIZE: the largest payload of a frame. */
  maxFrameBytes = 16_384
  /** SETTINGS_MAX_HEADER_LIST_SIZE: the largest field section; advice only. */
  maxHeaderListBytes = Number.POSITIVE_INFINITY
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL: whether extended CONNECT is understood; said by servers. */
  connectProtocol = false
}

/** RFC 9113 §6.5.2, RFC 8441 §3. @category identifiers */
export const identifier = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
  EnableConnectProtocol: 8
} as const

/** The bytes of one setting. @category constants */
export const entryBytes = 6

/** An identifier and its value, for `Http2FrameEncoder.settings`. @category models */
export type Entry = readonly [id: number, value: number]

/**
 * Reads the payload of SETTINGS into the settings of its sender, in order
 * (§6.5.3). Behind a violation some have changed; the connection ends then.
 *
 * @category decoding
 */
export const decode = (
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Http2Settings,
  sender: "client" | "server"
): ConnectionViolation | undefined => {
  if ((end - start) % entryBytes !== 0) {
    return new ConnectionViolation(Code.FrameSizeError, "SETTINGS are not whole settings of 6 bytes")
  }
  into.leastHeaderTableBytes = into.headerTableBytes
  for (let at = start; at < end; at += entryBytes) {
    const id = bytes[at]! * 0x100 + bytes[at + 1]!
    const value = bytes[at + 2]! * 0x1000000 + bytes[at + 3]! * 0x10000 + bytes[at + 4]! * 0x100 + bytes[at + 5]!
    const violation = apply(id, value, into, sender)
    if (violation !== undefined) return violation
  }
  return undefined
}

/**
 * What to send, so that a peer that knows only the initial values knows
 * `settings`: those that differ. A client refuses pushes.
 *
 * @category encoding
 */
export const entriesOf = (settings: Http2Settings, sender: "client" | "server"): Array<Entry> => {
  const entries: Array<Entry> = []
  const put = (id: number, value: number, initial: number): void => {
    if (value !== initial) entries.push([id, value])
  }
  put(identifier.HeaderTableSize, settings.headerTableBytes, initial.headerTableBytes)
  if (sender === "client") entries.push([identifier.EnablePush, 0])
  put(identifier.MaxConcurrentStreams, settings.maxConcurrentStreams, initial.maxConcurrentStreams)
  put(identifier.InitialWindowSize, settings.initialWindowBytes, initial.initialWindowBytes)
  put(identifier.MaxFrameSize, settings.maxFrameBytes, initial.maxFrameBytes)
  put(identifier.MaxHeaderListSize, settings.maxHeaderListBytes, initial.maxHeaderListBytes)
  if (settings.connectProtocol) entries.push([identifier.EnableConnectProtocol, 1])
  return entries
}

const initial = /*#__PURE__*/ new Http2Settings()

const apply = (
  id: number,
  value: number,
  into: Http2Settings,
  sender: "client" | "server"
): ConnectionViolation | undefined => {
  switch (id) {
    case identifier.HeaderTableSize:
      into.headerTableBytes = value
      into.leastHeaderTableBytes = Math.min(into.leastHeaderTableBytes, value)
      return undefined
    case identifier.EnablePush:
      // §6.5.2: "A client MUST treat receipt of a SETTINGS frame with SETTINGS_ENABLE_PUSH set to 1 as a connection error".
      if (value > 1 || (value === 1 && sender === "server")) return outOfRange("SETTINGS_ENABLE_PUSH", value)
      return undefined
    case identifier.MaxConcurrentStreams:
      into.maxConcurrentStreams = value
      return undefined
    case identifier.InitialWindowSize:
      if (value > 0x7fffffff) return outOfRange("SETTINGS_INITIAL_WINDOW_SIZE", value, Code.FlowControlError)
      into.initialWindowBytes = value
      return undefined
    case identifier.MaxFrameSize:
      if (value < 16_384 || value > 0xffffff) return outOfRange("SETTINGS_MAX_FRAME_SIZE", value)
      into.maxFrameBytes = value
      return undefined
    case identifier.MaxHeaderListSize:
      into.maxHeaderListBytes = value
      return undefined
    case identifier.EnableConnectProtocol:
      // RFC 8441 §3: "A sender MUST NOT send [it] with the value of 0 after previously sending a value of 1."
      if (value > 1 || (value === 0 && into.connectProtocol)) {
        return outOfRange("SETTINGS_ENABLE_CONNECT_PROTOCOL", value)
      }
      into.connectProtocol = value === 1
      return undefined
    default:
      return undefined
  }
}

const outOfRange = (name: string, value: number, errorCode = Code.ProtocolError): ConnectionViolation =>
  new ConnectionViolation(errorCode, `${name} of ${value}`)
