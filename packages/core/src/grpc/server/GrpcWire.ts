/**
 * A way in which calls come over HTTP: gRPC's own, or one of those that
 * browsers speak. A server asks its wires in their order, and the first that
 * takes a request serves it.
 *
 * ```text
 *  exchange ─▶ GrpcWire.open ─▶ GrpcWireCall ─▶ body ─▶ GrpcInbound ─▶ handler
 *  exchange ◀─────────────────── reply ◀── GrpcOutbound ◀──────────────┘
 * ```
 *
 * The server above sees messages with gRPC's prefix in both directions, and
 * gRPC's names of fields, whatever is on the wire.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type { ProtobufCodec } from "../../protobuf/ProtobufCodec.ts"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { FailureCode } from "../../protocol/grpc/GrpcStatus.ts"
import type { BodyFailure, Parts } from "../../session/HttpBody.ts"
import type { HttpExchange } from "../../session/HttpExchange.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { GrpcReply } from "./GrpcReply.ts"

/** @category models */
export interface GrpcWire {
  /**
   * What it makes of a request; `method` is that of the request's path, where
   * the server has it. `undefined`: it is none of its calls, and nothing was
   * done. `answered`: it was none, and has its answer.
   */
  open(
    exchange: HttpExchange,
    method: GrpcMethod | undefined,
    limits: WireLimits
  ): GrpcWireCall | "answered" | undefined
}

/** What the server above is set to. @category models */
export interface WireLimits {
  /** Of a message that is received, also decompressed; `Infinity` for none. */
  readonly maxReceiveBytes: number
}

/** A call, as it came. @category models */
export interface GrpcWireCall {
  /** What comes of messages, each with its prefix; `undefined` where there is nothing. */
  readonly body: GrpcWireBody | undefined
  readonly reply: GrpcReply
  /** How long the client waits; `undefined` for no limit. The error answers the call. */
  readonly timeoutMillis: number | GrpcError | undefined
  /** How messages of the client are compressed, where their flag says so; as `grpc-encoding`. */
  readonly encoding: string | undefined
  /** What the client takes; as `grpc-accept-encoding`. */
  readonly acceptEncoding: string | undefined
  /** How messages are written; `undefined` for those of the method, which is protobuf. */
  readonly codecs: WireCodecs | undefined
  /** How a call ends whose request is no message. */
  readonly malformed: FailureCode
}

/** @category models */
export interface WireCodecs {
  readonly request: ProtobufCodec
  readonly response: ProtobufCodec
}

/** As `HttpBody`, which is one; it may also fail with how the call ends. @category models */
export interface GrpcWireBody {
  readonly pull: Pull.Pull<Parts, BodyFailure | GrpcError>
  /** All of it, if that is certain already. Fails with `BodyTooLarge` above `maxBytes`, which counts prefixes too. */
  collectNow(maxBytes: number): Exit.Exit<Uint8Array, BodyFailure | GrpcError> | undefined
}
