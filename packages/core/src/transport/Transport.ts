/**
 * One duplex byte stream: the only seam between Sluice and a platform.
 *
 * A transport pushes: it calls its `Receiver` synchronously, on the platform's
 * own turn. A fiber parked and resumed for each read would cost a fifth of the
 * throughput, so effects begin above, where a connection, a request or a
 * message begins.
 *
 * The rules that every implementation keeps, and every user may rely on:
 *
 * 1. A new transport is paused. Nothing is delivered before `attach` and the
 *    first `resume`.
 * 2. `onBytes` comes in order, never empty, never while paused. The receiver
 *    owns the chunk.
 * 3. `onEnd` comes at most once, after the last `onBytes`; the sending side
 *    stays open until `end`.
 * 4. `onClose` comes exactly once, last of all, also after `destroy`; paused
 *    or not. With an error when the stream did not end cleanly. It is never
 *    called from inside `write`, `end`, `destroy`, `pause`, `resume` or `attach`.
 * 5. `write` takes the bytes over: do not change them afterwards. `false`
 *    means that a buffer is full, and `onDrain` will come when it is empty.
 *    After `end` or `destroy`, or when the peer is gone, bytes are dropped and
 *    the answer is `false`.
 * 6. `end` and `destroy` may be called at any time and more than once.
 * 7. When both directions have ended and all is written, the transport closes
 *    by itself.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import type { TlsInfo, TlsUpgrade } from "./Tls.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * Who is called when something comes from the peer.
 *
 * @category models
 */
export interface Receiver {
  onBytes(chunk: Uint8Array): void
  /** All that was written is on its way: write again. */
  onDrain(): void
  /** The peer's half-close: it will send nothing more, and may still read. */
  onEnd(): void
  /** The transport is gone. `undefined`: both sides ended, or this side destroyed it without an error. */
  onClose(error: TransportError | undefined): void
}

/** @category models */
export interface Transport {
  readonly local: NetAddress.SocketAddress
  /** The peer's address; behind a trusted PROXY header, the one that the header names. */
  readonly peer: NetAddress.SocketAddress
  /** `undefined` for cleartext. */
  readonly tls: TlsInfo | undefined
  /** Bytes that were written and not yet handed to the network. */
  readonly bufferedBytes: number
  /** Bytes received so far. */
  readonly receivedBytes: number
  /** Bytes handed to `write` so far; the network has `sentBytes - bufferedBytes` of them. */
  readonly sentBytes: number
  readonly state: "open" | "closed"
  /** Names the receiver, in place of the one before. Safe within a callback of the one before. */
  attach(receiver: Receiver): void
  /** Calls `observer` once, when the transport closes, after the receiver; at once when it is closed. */
  observeClose(observer: (error: TransportError | undefined) => void): void
  write(bytes: Uint8Array): boolean
  /** Writes all of them with one system call where the platform can. */
  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean
  /** Half-close: sends what is buffered, then the end of the stream. Reading goes on. */
  end(): void
  /** Gives up the stream at once, and what is buffered with it. `error` is handed to `onClose`. */
  destroy(error?: TransportError): void
  pause(): void
  resume(): void
  /**
   * Turns the open stream into a TLS stream, in place (STARTTLS). While it
   * runs nothing is delivered. Fails with `TlsHandshakeFailed`,
   * `TlsHandshakeTimeout`, or `Unsupported`; the transport is then destroyed.
   *
   * Bytes that the peer sent in clear before the handshake must not reach the
   * program as if they had been protected: callers refuse the upgrade while
   * they hold undelivered bytes (RFC 3207 §6, CVE-2011-0411).
   */
  readonly upgrade: (options: TlsUpgrade) => Effect.Effect<TlsInfo, TransportError>
}
