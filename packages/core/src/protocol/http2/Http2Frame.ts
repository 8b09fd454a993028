/**
 * The head of a frame (RFC 9113 §4.1), and what each type says about it.
 *
 * ```text
 *  +-----------------------------------------------+
 *  |                 length (24)                   |
 *  +---------------+---------------+---------------+
 *  |   type (8)    |   flags (8)   |
 *  +-+-------------+---------------+-------------------------------+
 *  |R|                 stream identifier (31)                      |
 *  +-+-------------------------------------------------------------+
 * ```
 *
 * Here are the rules that the head alone can break: its length, and whether it
 * has a stream. What is in the payload, and the order of frames, are looked at
 * by whoever has the stream.
 *
 * Hot path: `violationOf` is asked for every frame.
 *
 * @internal
 * @since 0.1.0
 */
import { ConnectionViolation, StreamViolation } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"

/** Bytes of a head. @category limits */
export const headBytes = 9

/** RFC 9113 §4.2: what every endpoint takes, and the first value of SETTINGS_MAX_FRAME_SIZE. @category limits */
export const leastMaxFrameBytes = 16_384

/** RFC 9113 §6: the types; all others are extensions. @category types */
export const type = {
  Data: 0x0,
  Headers: 0x1,
  Priority: 0x2,
  RstStream: 0x3,
  Settings: 0x4,
  PushPromise: 0x5,
  Ping: 0x6,
  GoAway: 0x7,
  WindowUpdate: 0x8,
  Continuation: 0x9
} as const

/** The same bit has another meaning in another type. @category types */
export const flag = { EndStream: 0x1, Ack: 0x1, EndHeaders: 0x4, Padded: 0x8, Priority: 0x20 } as const

/** RFC 9113 §3.4: what a client sends first. @category constants */
export const preface: Uint8Array = Uint8Array.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (character) =>
  character.charCodeAt(0)
)

/** A rule of heads that was broken, and what ends for it. @category models */
export type FrameViolation = ConnectionViolation | StreamViolation

/** A type as RFC 9113 writes it; an unknown one in hexadecimal. @category formatting */
export const nameOf = (frameType: number): string => rules[frameType]?.name ?? `0x${frameType.toString(16)}`

/**
 * The rule of RFC 9113 §4.2 and §6 that a head breaks. Of types that are not
 * known only the length is limited (§5.5).
 *
 * @category predicates
 */
export const violationOf = (
  frameType: number,
  flags: number,
  length: number,
  streamId: number,
  maxFrameBytes: number
): FrameViolation | undefined => {
  // RFC 9113 §4.2 (stricter): also for DATA this ends the connection, since its payload is not read.
  if (length > maxFrameBytes) {
    return length === http1Bytes && frameType === http1Type
      ? new ConnectionViolation(Code.FrameSizeError, "no frame, but the beginning of a message of HTTP/1")
      : sizeError(frameType, length, `above ${maxFrameBytes}`)
  }
  if (frameType >= rules.length) return undefined
  const rule = rules[frameType]!
  if (rule.stream !== anyStream && (streamId === 0) !== (rule.stream === noStream)) {
    return new ConnectionViolation(Code.ProtocolError, `${rule.name} on stream ${streamId}`)
  }
  const leastBytes = rule.leastBytes + ((flags & rule.paddedFlag) >> 3) + ((flags & rule.priorityFlag) >> 5) * 5
  const mostBytes = (flags & rule.ackFlag) === 0 ? rule.mostBytes : 0
  const { unitBytes } = rule
  if (length >= leastBytes && length <= mostBytes && (unitBytes === 1 || length % unitBytes === 0)) return undefined
  // RFC 9113 §6.3: "MUST be treated as a stream error (Section 5.4.2) of type FRAME_SIZE_ERROR"
  if (frameType === type.Priority) return new StreamViolation(Code.FrameSizeError, `PRIORITY of ${length} bytes`)
  return sizeError(frameType, length, "wrong for its type")
}

/** "HTT" and "P", read as a length and a type: a server that does not know HTTP/2 says so, in its own words. */
const http1Bytes = 0x485454
const http1Type = 0x50

const sizeError = (frameType: number, length: number, why: string): ConnectionViolation =>
  new ConnectionViolation(Code.FrameSizeError, `${nameOf(frameType)} of ${length} bytes, ${why}`)

const anyStream = 0
const someStream = 1
const noStream = 2

interface Rule {
  readonly name: string
  /** Whether the frame is of a stream, of the connection (stream 0), or of either. */
  readonly stream: 0 | 1 | 2
  readonly leastBytes: number
  readonly mostBytes: number
  /** The length is a multiple of this. */
  readonly unitBytes: number
  /** The flag that adds the length of the padding: a byte. */
  readonly paddedFlag: number
  /** The flag that adds priority fields: five bytes. */
  readonly priorityFlag: number
  /** The flag that leaves no payload. */
  readonly ackFlag: number
}

/** The largest length that 24 bits can say. */
const any = 2 ** 24 - 1

const rule = (name: string, stream: 0 | 1 | 2, leastBytes: number, mostBytes: number, more?: Partial<Rule>): Rule => ({
  name,
  stream,
  leastBytes,
  mostBytes,
  unitBytes: 1,
  paddedFlag: 0,
  priorityFlag: 0,
  ackFlag: 0,
  ...more
})

const table = {
  // RFC 9113 §6.1
  Data: rule("DATA", someStream, 0, any, { paddedFlag: flag.Padded }),
  // RFC 9113 §6.2
  Headers: rule("HEADERS", someStream, 0, any, { paddedFlag: flag.Padded, priorityFlag: flag.Priority }),
  // RFC 9113 §6.3
  Priority: rule("PRIORITY", someStream, 5, 5),
  // RFC 9113 §6.4
  RstStream: rule("RST_STREAM", someStream, 4, 4),
  // RFC 9113 §6.5
  Settings: rule("SETTINGS", noStream, 0, any, { unitBytes: 6, ackFlag: flag.Ack }),
  // RFC 9113 §6.6
  PushPromise: rule("PUSH_PROMISE", someStream, 4, any, { paddedFlag: flag.Padded }),
  // RFC 9113 §6.7
  Ping: rule("PING", noStream, 8, 8),
  // RFC 9113 §6.8
  GoAway: rule("GOAWAY", noStream, 8, any),
  // RFC 9113 §6.9
  WindowUpdate: rule("WINDOW_UPDATE", anyStream, 4, 4),
  // RFC 9113 §6.10
  Continuation: rule("CONTINUATION", someStream, 0, any)
} satisfies Record<keyof typeof type, Rule>

/** By the number of the type. */
const rules: ReadonlyArray<Rule> = Object.entries(type)
  .sort(([, left], [, right]) => left - right)
  .map(([name]) => table[name as keyof typeof type])
