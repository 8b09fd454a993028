/**
 * HTTP/2 frames as tests write and read them, without the engine's own code:
 *
 * ```ts
 * wire(preface, settings(), headers(1, post("/"), "MORE"), continuation(1, [["a", "b"]]), data(1, "abc", "END_STREAM"))
 * new Reader().read(bytes)   // ["SETTINGS", "HEADERS 1 :status=200 END_STREAM", "DATA 1 'abc'", "GOAWAY 1 NO_ERROR"]
 * ```
 *
 * Header blocks are literals that no table keeps, in the order that is given,
 * so that whatever is wrong in them stays wrong. Those of an engine are read
 * by `HpackDecoder`, which has tests of its own.
 *
 * @since 0.1.0
 */
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import * as Hex from "./Hex.ts"

/** Lines of a header block. Text is Latin-1. */
export type Fields = ReadonlyArray<readonly [name: string, value: string]>

/**
 * What a frame has besides its content. `MORE`: header blocks have END_HEADERS
 * without it. `PADDED 3`: with that many bytes of padding. `PRIORITY`: depends
 * on stream 0.
 */
export type Option = "END_STREAM" | "MORE" | "PRIORITY" | "ACK" | `PADDED ${number}`

export const types = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION"
] as const

/** RFC 9113 §7. */
export const codes = [
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
] as const

export type Code = (typeof codes)[number] | number

/** RFC 9113 §6.5.2 and RFC 8441 §3. */
export const settingIds = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8
} as const

export type Settings = Partial<Record<keyof typeof settingIds, number>>

const padded = 0x08

/** A number of `byteCount` bytes, the high ones first. */
export const number = (value: number, byteCount: number): Uint8Array =>
  Uint8Array.from({ length: byteCount }, (_, index) => Math.floor(value / 256 ** (byteCount - 1 - index)) % 256)

/** Any frame: also one that nobody may send. The payload is bytes, or hexadecimal digits. */
export const frame = (
  type: (typeof types)[number] | number,
  flags: number,
  streamId: number,
  payload: Uint8Array | string = ""
): Uint8Array => {
  const bytes = typeof payload === "string" ? Hex.hex(payload) : payload
  const code = typeof type === "string" ? types.indexOf(type) : type
  return wire(number(bytes.length, 3), Uint8Array.of(code, flags), number(streamId, 4), bytes)
}

export const wire = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Hex.concat(parts)

/** RFC 9113 §3.4. */
export const preface = Hex.hex("'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a")

export const settings = (values: Settings = {}): Uint8Array =>
  frame(
    "SETTINGS",
    0,
    0,
    wire(
      ...Object.entries(values).map(([name, value]) =>
        wire(number(settingIds[name as keyof Settings], 2), number(value ?? 0, 4))
      )
    )
  )

export const settingsAck = frame("SETTINGS", 1, 0)

/** `content` is text, or bytes. */
export const data = (streamId: number, content: string | Uint8Array, ...options: ReadonlyArray<Option>): Uint8Array =>
  frame("DATA", flagsOf(options), streamId, inPadding(options, textOf(content)))

export const headers = (streamId: number, fields: Fields | Uint8Array, ...options: ReadonlyArray<Option>): Uint8Array =>
  frame(
    "HEADERS",
    flagsOf(options) | endHeaders(options),
    streamId,
    inPadding(options, wire(Hex.hex(options.includes("PRIORITY") ? "00000000 0f" : ""), blockOf(fields)))
  )

export const continuation = (
  streamId: number,
  fields: Fields | Uint8Array,
  ...options: ReadonlyArray<Option>
): Uint8Array => frame("CONTINUATION", flagsOf(options) | endHeaders(options), streamId, blockOf(fields))

export const pushPromise = (
  streamId: number,
  promisedId: number,
  fields: Fields | Uint8Array,
  ...options: ReadonlyArray<Option>
): Uint8Array =>
  frame(
    "PUSH_PROMISE",
    flagsOf(options) | endHeaders(options),
    streamId,
    inPadding(options, wire(number(promisedId, 4), blockOf(fields)))
  )

export const priority = (streamId: number, dependsOn = 0, weight = 15): Uint8Array =>
  frame("PRIORITY", 0, streamId, wire(number(dependsOn, 4), Uint8Array.of(weight)))

export const rstStream = (streamId: number, code: Code): Uint8Array =>
  frame("RST_STREAM", 0, streamId, number(codeOf(code), 4))

/** `text` has eight characters. */
export const ping = (text = "pingping", ...options: ReadonlyArray<Option>): Uint8Array =>
  frame("PING", flagsOf(options), 0, textOf(text))

export const goAway = (lastStreamId: number, code: Code = "NO_ERROR", debug = ""): Uint8Array =>
  frame("GOAWAY", 0, 0, wire(number(lastStreamId, 4), number(codeOf(code), 4), textOf(debug)))

export const windowUpdate = (streamId: number, increment: number): Uint8Array =>
  frame("WINDOW_UPDATE", 0, streamId, number(increment, 4))

/** HPACK literals that are not indexed, with names of their own and without Huffman (RFC 7541 §6.2.2). */
export const block = (fields: Fields): Uint8Array =>
  wire(...fields.map(([name, value]) => wire(Uint8Array.of(0), stringOf(name), stringOf(value))))

export const get = (path = "/", ...more: Fields): Fields => requestOf("GET", path, more)
export const post = (path = "/", ...more: Fields): Fields => requestOf("POST", path, more)
export const requestOf = (method: string, path: string, more: Fields = []): Fields => [
  [":method", method],
  [":scheme", "http"],
  [":authority", "a"],
  [":path", path],
  ...more
]
export const status = (code: number | string, ...more: Fields): Fields => [[":status", String(code)], ...more]

/** A frame that was sent. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Uint8Array
}

/**
 * What one end has sent, from its first byte on; keeps what is cut for the
 * next `read`. A client's preface is a line of its own.
 */
export class Reader {
  private readonly decoder = new HpackDecoder({ maxListBytes: 1 << 24 })
  private rest: Uint8Array = new Uint8Array(0)
  /** The text of each GOAWAY, which its line leaves out. */
  readonly debugTexts: Array<string> = []

  /** A line for each frame that is whole. */
  read(bytes: Uint8Array): Array<string> {
    return this.frames(bytes).map((one) => (one === "PREFACE" ? one : this.lineOf(one)))
  }

  /** The same, for whoever looks at the frames themselves. */
  frames(bytes: Uint8Array): Array<Frame | "PREFACE"> {
    this.rest = wire(this.rest, bytes)
    const frames: Array<Frame | "PREFACE"> = []
    for (;;) {
      if (this.rest[0] === 0x50 && latin1(this.rest.subarray(0, 24)) === latin1(preface)) {
        frames.push("PREFACE")
        this.rest = this.rest.subarray(24)
        continue
      }
      if (this.rest.length < 9) return frames
      const length = numberAt(this.rest, 0, 3)
      if (this.rest.length < 9 + length) return frames
      frames.push({
        type: this.rest[3]!,
        flags: this.rest[4]!,
        streamId: numberAt(this.rest, 5, 4),
        payload: this.rest.slice(9, 9 + length)
      })
      this.rest = this.rest.subarray(9 + length)
    }
  }

  lineOf({ flags, payload, streamId, type }: Frame): string {
    const name = types[type] ?? `0x${type.toString(16)}`
    if (name === "SETTINGS") return words(streamId || "", name, flags & 1 ? "ACK" : settingsOf(payload))
    if (name === "DATA") return words(name, streamId, shown(payload), flags & 1 ? "END_STREAM" : "")
    if (name === "HEADERS" || name === "CONTINUATION") return this.fieldsLine(name, streamId, flags, payload)
    if (name === "RST_STREAM") return words(name, streamId, codeName(numberAt(payload, 0, 4)))
    if (name === "PING") return words(name, shown(payload), flags & 1 ? "ACK" : "")
    if (name === "WINDOW_UPDATE") return words(name, streamId, numberAt(payload, 0, 4))
    if (name !== "GOAWAY") return words(name, streamId, Hex.show(payload))
    this.debugTexts.push(latin1(payload.subarray(8)))
    return words(name, numberAt(payload, 0, 4), codeName(numberAt(payload, 4, 4)))
  }

  /** The fields are on the line of the frame that ends them. */
  private fieldsLine(name: string, streamId: number, flags: number, payload: Uint8Array): string {
    const fields: Array<string> = []
    const handler = { onField: (field: string, value: string) => void fields.push(`${field}=${value}`) }
    const failure = this.decoder.receive(payload, handler) ?? (flags & 4 ? this.decoder.end() : undefined)
    if (failure !== undefined) return words(name, streamId, failure._tag)
    return words(
      name,
      streamId,
      ...fields,
      flags & 4 ? "" : "MORE",
      (name === "HEADERS" ? flags : 0) & 1 ? "END_STREAM" : ""
    )
  }
}

export const codeName = (code: number): string => codes[code] ?? `0x${code.toString(16)}`

const codeOf = (code: Code): number => (typeof code === "number" ? code : codes.indexOf(code))

const flagsOf = (options: ReadonlyArray<Option>): number =>
  options.reduce(
    (flags, option) =>
      flags |
      (option === "END_STREAM" || option === "ACK" ? 1 : option === "PRIORITY" ? 0x20 : option === "MORE" ? 0 : padded),
    0
  )

const endHeaders = (options: ReadonlyArray<Option>): number => (options.includes("MORE") ? 0 : 4)

const inPadding = (options: ReadonlyArray<Option>, content: Uint8Array): Uint8Array => {
  const option = options.find((one) => one.startsWith("PADDED"))
  if (option === undefined) return content
  const padding = Number(option.slice("PADDED ".length))
  return wire(Uint8Array.of(padding), content, new Uint8Array(padding))
}

const textOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === "string" ? Uint8Array.from(content, (char) => char.charCodeAt(0)) : content

const blockOf = (fields: Fields | Uint8Array): Uint8Array => (fields instanceof Uint8Array ? fields : block(fields))

/** RFC 7541 §5.1 and §5.2. */
const stringOf = (text: string): Uint8Array => {
  const lead = text.length < 127 ? [text.length] : [127]
  for (let rest = text.length - 127; rest >= 0; rest = rest < 128 ? -1 : Math.floor(rest / 128)) {
    lead.push(rest < 128 ? rest : (rest % 128) + 128)
  }
  return wire(Uint8Array.from(lead), textOf(text))
}

const numberAt = (bytes: Uint8Array, at: number, byteCount: number): number =>
  bytes.subarray(at, at + byteCount).reduce((sum, byte) => sum * 256 + byte, 0)

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")

/** Content as text where it is short, and how much it is where not. */
const shown = (bytes: Uint8Array): string => {
  if (bytes.length > 40) return `${bytes.length} bytes`
  const text = latin1(bytes)
  return /^[ -&(-~]*$/.test(text) ? `'${text}'` : Hex.show(bytes)
}

const settingsOf = (payload: Uint8Array): string =>
  Array.from({ length: payload.length / 6 }, (_, index) => {
    const id = numberAt(payload, index * 6, 2)
    const name = Object.entries(settingIds).find(([, each]) => each === id)?.[0] ?? `0x${id.toString(16)}`
    return `${name}=${numberAt(payload, index * 6 + 2, 4)}`
  }).join(" ")

const words = (...parts: ReadonlyArray<string | number>): string => parts.filter((part) => part !== "").join(" ")
