/**
 * The limits of one HTTP/1.1 connection, as a user writes them and as its
 * engine uses them.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Limit from "../Limit.ts"

/** @category options */
export interface Options {
  /** The longest request line or status line, in bytes without its CR LF. At least 16. Default 8 KiB. Above: 414. */
  readonly maxStartLineSize?: ByteSize.Input | undefined
  /**
   * The largest header section, in bytes with its line ends; up to so much,
   * and the first line, is buffered for a head that comes in pieces. At least
   * 16. Default 16 KiB. Above: 431.
   */
  readonly maxHeaderSize?: ByteSize.Input | undefined
  /** The most fields of a header or trailer section. At least 1. Default 100. Above: 431 for headers, 400 for trailers. */
  readonly maxFieldCount?: number | undefined
  /** The largest trailer section, in bytes with its line ends. At least 2. Default 16 KiB. Above: 400. */
  readonly maxTrailerSize?: ByteSize.Input | undefined
  /** The most bytes of all chunk extensions of one body. At least 1. Default 16 KiB. Above: 400. */
  readonly maxChunkExtensionSize?: ByteSize.Input | undefined
  /**
   * The largest body that is received. At least 1 byte. Default `"unbounded"`,
   * which costs the engine no memory: it hands bodies on as they come, and who
   * collects them has a limit of its own. Above: 413.
   */
  readonly maxBodySize?: ByteSize.Input | "unbounded" | undefined
  /**
   * Bytes that wait in the engine, for a body that is paused or behind a
   * request that is not answered yet, before it asks to stop reading. At least
   * 1. Default 64 KiB a connection; a chunk of the transport may come on top.
   */
  readonly maxWaitingSize?: ByteSize.Input | undefined
  /**
   * The most bytes of a request's body that a server receives and drops after
   * it has answered, to keep the connection. At least 1. Default 256 KiB.
   * Above: the connection is closed.
   */
  readonly maxDiscardSize?: ByteSize.Input | undefined
  /** The most 1xx responses that a client takes for one request. At least 1. Default 32. */
  readonly maxInterimResponses?: number | undefined
  /** From the first byte of a head to its last. Above 0. Default 30 seconds. Above: 408. */
  readonly headTimeout?: Duration.Input | "unbounded" | undefined
  /** The longest pause in a body that is being received. Above 0. Default 30 seconds. Above: 408. */
  readonly bodyTimeout?: Duration.Input | "unbounded" | undefined
  /** The longest wait of a server for the next request; then it closes without a word. Above 0. Default 65 seconds. */
  readonly idleTimeout?: Duration.Input | "unbounded" | undefined
  /**
   * The longest wait of a client for the first byte of a response, counted
   * from the last byte of the request or the last interim response. Above 0.
   * Default 5 minutes.
   */
  readonly responseTimeout?: Duration.Input | "unbounded" | undefined
  /** How long the transport may be full before it is given up. Above 0. Default 30 seconds. */
  readonly sendTimeout?: Duration.Input | "unbounded" | undefined
  /** How long a peer may take to close its side after this side has. Above 0. Default 5 seconds. */
  readonly closeTimeout?: Duration.Input | undefined
  /**
   * Milliseconds from the origin of the engine's clock to 1970: what is added
   * to its time for the `Date` of responses. Default: no `Date` is added
   * (RFC 9110 §6.6.1 wants one from every server that has a clock).
   */
  readonly epochOffsetMillis?: number | undefined
}

/**
 * The same, converted once. Times in milliseconds and sizes in bytes, `Infinity` for none.
 *
 * @category models
 */
export interface Resolved {
  readonly startLineBytes: number
  readonly headerBytes: number
  readonly fieldCount: number
  readonly trailerBytes: number
  readonly chunkExtensionBytes: number
  readonly bodyBytes: number
  readonly waitingBytes: number
  readonly discardBytes: number
  readonly interimCount: number
  readonly headMillis: number
  readonly bodyMillis: number
  readonly idleMillis: number
  readonly responseMillis: number
  readonly sendMillis: number
  readonly closeMillis: number
  readonly epochOffsetMillis: number | undefined
}

/**
 * Fills in defaults. Throws a `RangeError` for what is out of its range: a
 * mistake in the program, which no traffic causes.
 *
 * @category constructors
 */
export const resolve = (options: Options = {}): Resolved => ({
  startLineBytes: Limit.bytes("maxStartLineSize", options.maxStartLineSize, 8 * 1024, 16),
  headerBytes: Limit.bytes("maxHeaderSize", options.maxHeaderSize, 16 * 1024, 16),
  fieldCount: Limit.count("maxFieldCount", options.maxFieldCount ?? 100),
  trailerBytes: Limit.bytes("maxTrailerSize", options.maxTrailerSize, 16 * 1024, 2),
  chunkExtensionBytes: Limit.bytes("maxChunkExtensionSize", options.maxChunkExtensionSize, 16 * 1024, 1),
  bodyBytes: Limit.bytesOrUnbounded("maxBodySize", options.maxBodySize, Number.POSITIVE_INFINITY),
  waitingBytes: Limit.bytes("maxWaitingSize", options.maxWaitingSize, 64 * 1024, 1),
  discardBytes: Limit.bytes("maxDiscardSize", options.maxDiscardSize, 256 * 1024, 1),
  interimCount: Limit.count("maxInterimResponses", options.maxInterimResponses ?? 32),
  headMillis: Limit.millisOrUnbounded("headTimeout", options.headTimeout ?? "30 seconds"),
  bodyMillis: Limit.millisOrUnbounded("bodyTimeout", options.bodyTimeout ?? "30 seconds"),
  idleMillis: Limit.millisOrUnbounded("idleTimeout", options.idleTimeout ?? "65 seconds"),
  responseMillis: Limit.millisOrUnbounded("responseTimeout", options.responseTimeout ?? "5 minutes"),
  sendMillis: Limit.millisOrUnbounded("sendTimeout", options.sendTimeout ?? "30 seconds"),
  closeMillis: Limit.millis("closeTimeout", options.closeTimeout ?? "5 seconds"),
  epochOffsetMillis: options.epochOffsetMillis
})
