/**
 * The limits of one HTTP/2 connection, as a user writes them and as its engine
 * uses them.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Limit from "../Limit.ts"

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
   * 431, for a client `ResponseTooLarge`; above four times that the connection
   * ends.
   */
  readonly maxHeaderSize?: ByteSize.Input | undefined
  /**
   * The most fields of a section, pseudo-header fields not counted. At least 1.
   * Default 100. Above: 431, for a client `ResponseTooLarge`.
   */
  readonly maxFieldCount?: number | undefined
  /**
   * The table of fields that the peer may fill (SETTINGS_HEADER_TABLE_SIZE).
   * From 0 to 16 MiB. Default 4,096 bytes a connection; as much for the other direction.
   */
  readonly headerTableSize?: ByteSize.Input | undefined
  /**
   * The largest body that is received. At least 1 byte. Default `"unbounded"`,
   * since windows limit what is held. Above: 413, for a client
   * `ResponseTooLarge`.
   */
  readonly maxBodySize?: ByteSize.Input | "unbounded" | undefined
  /**
   * What of one stream waits here to be sent before its writer should wait. At
   * least 1 byte. Default 128 KiB: two chunks of most sources, so that one is
   * made while the other is on its way.
   */
  readonly sendBufferSize?: ByteSize.Input | undefined
  /** From the start to the end of the peer's preface, and of each header block of several frames. Above 0. Default 30 seconds. */
  readonly headTimeout?: Duration.Input | "unbounded" | undefined
  /** The longest pause in a body that somebody reads. Above 0. Default 30 seconds. Above: 408, for a client `Stalled`. */
  readonly bodyTimeout?: Duration.Input | "unbounded" | undefined
  /** How long a connection without streams is kept. Above 0. Default 65 seconds; a client: `"unbounded"`. */
  readonly idleTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * How long the transport may be full, and how long the peer's window may be
   * shut for a stream that has something to send. Above 0. Default 30 seconds.
   * Then the connection, or the stream, is given up.
   */
  readonly sendTimeout?: Duration.Input | "unbounded" | undefined
  /** How long SETTINGS may wait for their acknowledgement. Above 0. Default 10 seconds. Above: SETTINGS_TIMEOUT, and the end. */
  readonly settingsTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * Silence of the peer after which a PING asks whether it is there, while
   * streams are open. Above 0. Default 30 seconds.
   */
  readonly pingInterval?: Duration.Input | "unbounded" | undefined
  /** How long a PING may wait for its answer. Above 0. Default 20 seconds. Above: the connection ends. */
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
  streamCount: Limit.count("maxConcurrentStreams", options.maxConcurrentStreams ?? 128, 1, maxCount),
  streamWindowBytes: Limit.bytes("streamWindow", options.streamWindow, 256 * 1024, 1, maxWindowBytes),
  connectionWindowBytes: Limit.bytes("connectionWindow", options.connectionWindow, 1024 * 1024, 65_535, maxWindowBytes),
  frameBytes: Limit.bytes("maxFrameSize", options.maxFrameSize, 16_384, 16_384, 2 ** 24 - 1),
  headerBytes: Limit.bytes("maxHeaderSize", options.maxHeaderSize, 16 * 1024, 1024, 2 ** 24),
  fieldCount: Limit.count("maxFieldCount", options.maxFieldCount ?? 100, 1, maxCount),
  headerTableBytes: Limit.bytes("headerTableSize", options.headerTableSize, 4096, 0, 2 ** 24),
  bodyBytes: Limit.bytesOrUnbounded("maxBodySize", options.maxBodySize, Number.POSITIVE_INFINITY),
  sendBufferBytes: Limit.bytes("sendBufferSize", options.sendBufferSize, 128 * 1024, 1, maxWindowBytes),
  headMillis: Limit.millisOrUnbounded("headTimeout", options.headTimeout ?? "30 seconds"),
  bodyMillis: Limit.millisOrUnbounded("bodyTimeout", options.bodyTimeout ?? "30 seconds"),
  idleMillis: Limit.millisOrUnbounded(
    "idleTimeout",
    options.idleTimeout ?? (role === "server" ? "65 seconds" : "unbounded")
  ),
  sendMillis: Limit.millisOrUnbounded("sendTimeout", options.sendTimeout ?? "30 seconds"),
  settingsMillis: Limit.millisOrUnbounded("settingsTimeout", options.settingsTimeout ?? "10 seconds"),
  pingIntervalMillis: Limit.millisOrUnbounded("pingInterval", options.pingInterval ?? "30 seconds"),
  pingTimeoutMillis: Limit.millis("pingTimeout", options.pingTimeout ?? "20 seconds"),
  closeMillis: Limit.millis("closeTimeout", options.closeTimeout ?? "5 seconds"),
  epochOffsetMillis: options.epochOffsetMillis
})

/** RFC 9113 §5.1.1: there are no more streams than that. */
const maxCount = 2 ** 31 - 1
