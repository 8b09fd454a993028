/**
 * A WebSocket as a fiber sees it, either side of it, over HTTP/1.1 or 2.
 *
 * The end of the conversation is no error: `receive` ends with `Cause.Done`,
 * as every `Pull` in Effect does, when the peer has closed, and while the
 * server drains. A connection that is lost, or a peer that breaks a rule, is a
 * `WebSocketError`.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import type * as Pull from "effect/Pull"
import type * as Stream from "effect/Stream"
import type { WebSocketError } from "../protocol/websocket/WebSocketError.ts"
import type { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"
import type { TlsInfo } from "../transport/Tls.ts"

/** A text or a binary message. @category models */
export type Message = string | Uint8Array

/** How a WebSocket ended. @category models */
export interface Closed {
  /** The code of the peer's Close frame; 1005 where that had none, 1006 where none came (RFC 6455 §7.1.5). */
  readonly code: number
  readonly reason: string
  /** Whether both sides have said Close. */
  readonly clean: boolean
}

/** @category models */
export interface WebSocket {
  readonly role: "client" | "server"
  readonly local: NetAddress.SocketAddress
  readonly peer: NetAddress.SocketAddress
  readonly tls: TlsInfo | undefined
  /** The subprotocol that was agreed on; `undefined` for none. */
  readonly protocol: string | undefined
  /** Whether `permessage-deflate` was agreed on. */
  readonly compression: "none" | "permessage-deflate"
  /** The next message. One fiber at a time. */
  readonly receive: Pull.Pull<Message, WebSocketError>
  /** All messages that wait, at least one: for who takes many at a time. */
  readonly receiveAll: Pull.Pull<Arr.NonEmptyReadonlyArray<Message>, WebSocketError>
  /** All messages to the end. */
  readonly messages: Stream.Stream<Message, WebSocketError>
  /**
   * Calls `onMessage` for each message, in order, to the end: the fastest way.
   * An effect that is not done at once is waited for, and the peer with it.
   */
  readonly runForEach: <E, R>(
    onMessage: (message: Message) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<void, E | WebSocketError, R>
  /**
   * Sends a message. Suspends while more than the send buffer waits for a slow
   * peer; fails once the WebSocket is closing. What is sent in one turn leaves
   * in one write. Who is interrupted while it waits has sent nothing. Do not
   * change an array after it was sent.
   */
  readonly send: (message: Message | PreparedMessage) => Effect.Effect<void, WebSocketError>
  /** Sends if the peer keeps up; `"full"` or `"closed"`: nothing was sent. For who broadcasts and must not wait. */
  readonly offerUnsafe: (message: Message | PreparedMessage) => "sent" | "full" | "closed"
  /** Calls `resume` once, when `offerUnsafe` may succeed again or never will. Returns how to forget it. */
  readonly onWritable: (resume: () => void) => () => void
  /** Sends a Ping and waits for its Pong. Up to 125 bytes; more is a defect. Default: a payload of its own. */
  readonly ping: (payload?: Uint8Array) => Effect.Effect<void, WebSocketError>
  /**
   * The closing handshake: says Close, and waits for the peer's, no longer
   * than `closeTimeout`. Default 1000 without a reason. Idempotent. A code
   * that may not be sent, or a reason of more than 123 bytes, is a defect.
   */
  readonly close: (code?: number, reason?: string) => Effect.Effect<void>
  /** Gives the connection up at once. */
  readonly abort: Effect.Effect<void>
  /** `false` once either side has begun to close. */
  readonly isOpen: boolean
  /** Completes when the WebSocket is over and its transport is gone. */
  readonly closed: Effect.Effect<Closed>
  /** Calls `observer` when `closed` completes; at once when it has. Returns how to forget it. */
  readonly observeClose: (observer: (closed: Closed) => void) => () => void
  /** Bytes that wait for the peer. */
  readonly bufferedBytes: number
}

/**
 * The WebSocket that the current handler serves.
 *
 * @category services
 */
export const WebSocket: Context.Service<WebSocket, WebSocket> = Context.Service<WebSocket>(
  "@sluice/core/session/WebSocket"
)
