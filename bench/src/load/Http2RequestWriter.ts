/**
 * How a connection of the load of HTTP/2 sends its requests: `Http2Gets`,
 * `Http2Uploads`.
 */

/** As much of a socket as the load needs. */
export interface Wire {
  write(bytes: Uint8Array): unknown
  destroy(): unknown
}

export interface RequestWriter {
  /** Sends `count` requests, on the streams from `firstId` on. */
  begin(firstId: number, count: number): void
  /** A stream is over: it was answered, or given up. */
  onEnd(streamId: number): void
  /** The server takes so much more, on a stream or (0) on the connection. */
  onWindow(streamId: number, byteCount: number): void
  /** So much it takes on a new stream, and on those that are open (RFC 9113 §6.9.2). */
  onInitialWindow(byteCount: number): void
}
