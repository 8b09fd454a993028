/**
 * The limits of one HTTP/2 connection, as a user writes them and as its engine
 * uses them.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** @category options */
export interface Options {
  /**
   * The most streams that the peer may have open at a time
   * (SETTINGS_MAX_CONCURRENT_STREAMS). From 1 to 2^31 - 1. Default 128. Above:
   * REFUSED_STREAM. No effect for a client, to which nobody pushes.
   */
  readonly maxConcurrentStreams?: number | undefined
  /**
   * How much of one stream may wait here unread (SETTINGS_INITIAL_WINDOW_SIZE).
   * From 1 byte to 2 GiB - 1. Default 256 KiB: the memory that one slow reader
   * of a body can hold.
   */
  readonly streamWindow?: ByteSize.Input | undefined
  /**
   * The same for all streams together. From 65,535 bytes to 2 GiB - 1. Default
   * 1 MiB a connection. Who collects a whole body has a limit of its own for
   * it, and holds it besides.
   */
  readonly connectionWindow?: ByteSize.Input | undefined
  /**
   * The largest payload of a frame that is received (SETTINGS_MAX_FRAME_SIZE);
   * a frame that comes in pieces is held whole. From 16 KiB to 16 MiB - 1.
   * Default 16 KiB. Above: FRAME_SIZE_ERROR.
   */
  readonly maxFrameSize?: ByteSize.Input | undefined
  /**
   * The largest field section, counted with 32 bytes more a field
   * (SETTINGS_MAX_HEADER_LIST_SIZE). From 1 KiB to 16 MiB. Default 16 KiB. Above:
   * 431; above four times that the connection ends.
   */
  readonly maxHeaderSize?: ByteSize.Input | undefined
  /** The most fields of a section, pseudo-header fields not counted. At least 1. Default 100. Above: 431. */
  readonly maxFieldCount?: number | undefined
  /**
   * The table of fields that the peer may fill (SETTINGS_HEADER_TABLE_SIZE).
   * From 0 to 16 MiB. Default 4,096 bytes a connection; as much for the other direction.
   */
  readonly headerTableSize?: ByteSize.Input | undefined
  /** The largest body that is received. At least 1 byte. Default `"unbounded"`, since windows limit what is held. Above: 413. */
  readonly maxBodySize?: ByteSize.Input | "unbounded" | undefined
  /** What of one stream waits here to be sent before its writer should wait. At least 1. Default 64 KiB. */
  readonly sendBufferSize?: ByteSize.Input | undefined
  /** From the start to the end of the peer's preface, and of each header block of several frames. Above 0. Default 30 seconds. */
  readonly headTimeout?: Duration.Input | "unbounded" | undefined
  /** The longest pause in a body that somebody reads. Above 0. Default 30 seconds. Above: 408. */
  readonly bodyTimeout?: Duration.Input | "unbounded" | undefined
  /** How long a connection without streams is kept. Above 0. Default 65 seconds; a client: `"unbounded"`. */
  readonly idleTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * How long the transport may be full, and how long the peer's window may be
   * shut for a stream that has something to send. Above 0. Default 30 seconds.
   * Then the connection, or the stream, is given up.
   */
  readonly sendTimeout?: Duration.Input | "unbounded" | undefined
  /** How long SETTINGS may wait for their acknowledgement. Above 0. Default 10 seconds. */
  readonly settingsTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * Silence of the peer after which a PING asks whether it is there, while
   * streams are open. Above 0. Default 30 seconds.
   */
  readonly pingInterval?: Duration.Input | "unbounded" | undefined
  /** How long a PING may wait for its answer. Above 0. Default 20 seconds. */
  readonly pingTimeout?: Duration.Input | undefined
  /** How long a peer may take to close its side after this side has. Above 0. Default 5 seconds. */
  readonly closeTimeout?: Duration.Input | undefined
  /** Milliseconds from the origin of the engine's clock to 1970, for the `Date` of responses. Default: no `Date` is added. */
  readonly epochOffsetMillis?: number | undefined
}

/**
 * The same, converted once. Times in milliseconds and sizes in bytes, `Infinity` for none.
 *
 * @category models
 */
export interface Resolved {
  readonly streamCount: number
  readonly streamWindowBytes: number
  readonly connectionWindowBytes: number
  readonly frameBytes: number
  readonly headerBytes: number
  readonly fieldCount: number
  readonly headerTableBytes: number
  readonly bodyBytes: number
  readonly sendBufferBytes: number
  readonly headMillis: number
  readonly bodyMillis: number
  readonly idleMillis: number
  readonly sendMillis: number
  readonly settingsMillis: number
  readonly pingIntervalMillis: number
  readonly pingTimeoutMillis: number
  readonly closeMillis: number
  readonly epochOffsetMillis: number | undefined
}

/** RFC 9113 §6.9.1: the largest window. @category limits */
export const maxWindowBytes = 2 ** 31 - 1

/**
 * Fills in defaults. Throws a `RangeError` for what is out of its range: a
 * mistake in the program, which no traffic causes.
 *
 * @category constructors
 */
export const resolve = (role: "server" | "client", options: Options = {}): Resolved => ({
  streamCount: countOf("maxConcurrentStreams", options.maxConcurrentStreams, 128),
  streamWindowBytes: bytesOf("streamWindow", options.streamWindow, 256 * 1024, 1, maxWindowBytes),
  connectionWindowBytes: bytesOf("connectionWindow", options.connectionWindow, 1024 * 1024, 65_535, maxWindowBytes),
  frameBytes: bytesOf("maxFrameSize", options.maxFrameSize, 16_384, 16_384, 2 ** 24 - 1),
  headerBytes: bytesOf("maxHeaderSize", options.maxHeaderSize, 16 * 1024, 1024, 2 ** 24),
  fieldCount: countOf("maxFieldCount", options.maxFieldCount, 100),
  headerTableBytes: bytesOf("headerTableSize", options.headerTableSize, 4096, 0, 2 ** 24),
  bodyBytes:
    options.maxBodySize === undefined || options.maxBodySize === "unbounded"
      ? Number.POSITIVE_INFINITY
      : bytesOf("maxBodySize", options.maxBodySize, 1, 1, Number.MAX_SAFE_INTEGER),
  sendBufferBytes: bytesOf("sendBufferSize", options.sendBufferSize, 64 * 1024, 1, maxWindowBytes),
  headMillis: millisOf("headTimeout", options.headTimeout, 30_000),
  bodyMillis: millisOf("bodyTimeout", options.bodyTimeout, 30_000),
  idleMillis: millisOf("idleTimeout", options.idleTimeout, role === "server" ? 65_000 : Number.POSITIVE_INFINITY),
  sendMillis: millisOf("sendTimeout", options.sendTimeout, 30_000),
  settingsMillis: millisOf("settingsTimeout", options.settingsTimeout, 10_000),
  pingIntervalMillis: millisOf("pingInterval", options.pingInterval, 30_000),
  pingTimeoutMillis: millisOf("pingTimeout", options.pingTimeout, 20_000),
  closeMillis: millisOf("closeTimeout", options.closeTimeout, 5_000),
  epochOffsetMillis: options.epochOffsetMillis
})

const bytesOf = (
  name: string,
  input: ByteSize.Input | undefined,
  defaultBytes: number,
  least: number,
  most: number
): number => {
  if (input === undefined) return defaultBytes
  const bytes = ByteSize.fromInput(input).pipe(Option.flatMap(ByteSize.toNumber), Option.getOrUndefined)
  if (bytes === undefined || !(bytes >= least && bytes <= most)) {
    throw new RangeError(`${name} must be from ${least} to ${most} bytes`)
  }
  return bytes
}

const countOf = (name: string, input: number | undefined, defaultCount: number): number => {
  if (input === undefined) return defaultCount
  if (!(Number.isInteger(input) && input >= 1 && input <= maxWindowBytes)) {
    throw new RangeError(`${name} must be a whole number from 1 to ${maxWindowBytes}`)
  }
  return input
}

const millisOf = (name: string, input: Duration.Input | "unbounded" | undefined, defaultMillis: number): number => {
  if (input === undefined) return defaultMillis
  if (input === "unbounded") return Number.POSITIVE_INFINITY
  const millis = Duration.toMillis(Duration.fromInputUnsafe(input))
  if (!(millis > 0)) throw new RangeError(`${name} must be above 0, or "unbounded"`)
  return millis
}
