/**
 * A call, as its handler sees it: what came with it, and what is sent beside
 * the messages.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as NetAddress from "effect/net/NetAddress"
import type { GrpcMetadata } from "../../protocol/grpc/GrpcMetadata.ts"
import type { TlsInfo } from "../../transport/Tls.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"

/** @category models */
export interface GrpcServerCall {
  readonly method: GrpcMethod
  /** What the client sent with the call. */
  readonly metadata: GrpcMetadata
  /** The client's address. */
  readonly peer: NetAddress.SocketAddress
  /** `undefined` for cleartext. With a client certificate it says whose. */
  readonly tls: TlsInfo | undefined
  /** Whom the client has asked: host and port. */
  readonly authority: string
  /** What is left of the call's time; `undefined` where there is no deadline. */
  readonly remaining: Effect.Effect<Duration.Duration | undefined>
  /** Which attempt of its client it is: 0 for the first (`grpc-previous-rpc-attempts`). */
  readonly previousAttempts: number
  /** Adds to the metadata in front of the reply. A defect when that was sent: with the first message, or `sendMetadata`. */
  addMetadata(metadata: GrpcMetadata): Effect.Effect<void>
  /** Sends the metadata now, and not with the first message. */
  readonly sendMetadata: Effect.Effect<void>
  /** Adds to the metadata behind the reply. */
  addTrailers(metadata: GrpcMetadata): Effect.Effect<void>
  /** Whether the messages from now on are compressed, where the call has agreed on how. Default `on`. */
  setCompression(compression: "on" | "off"): Effect.Effect<void>
  /** Whether the last message that was taken came compressed. */
  readonly isRequestCompressed: boolean
}
