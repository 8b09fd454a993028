/**
 * What a service is made of: a function for each method of its descriptor.
 *
 * ```text
 *  unary              (request,  call) => Effect<reply>
 *  server streaming   (request,  call) => Stream<reply>
 *  client streaming   (requests, call) => Effect<reply>
 *  both               (requests, call) => Stream<reply>
 * ```
 *
 * Requests are messages; `requests` is a stream of them, which is taken from no
 * faster than its handler goes. A reply is a message, or what one is made of.
 *
 * A `Scope` that a handler needs is that of the call: it is closed when the
 * call has ended, behind the reply.
 *
 * @since 0.1.0
 */
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { Service } from "../GrpcMethod.ts"
import type { GrpcServerCall } from "./GrpcServerCall.ts"

/** The handlers of a service, by the local names of its methods. What is left out is answered with UNIMPLEMENTED. @category models */
export type GrpcHandlers<S extends Service, R = never> = {
  readonly [K in keyof S["method"]]?: Handler<S["method"][K], R>
}

/** What handlers need of their layer. @category models */
export type Requirements<H> = {
  [K in keyof H]-?: NonNullable<H[K]> extends (...args: never) => infer A
    ? A extends Effect.Effect<unknown, unknown, infer R>
      ? R
      : A extends Stream.Stream<unknown, unknown, infer R>
        ? R
        : never
    : never
}[keyof H]

/** Names that no method of the service has are a mistake. @category models */
export type OnlyMethods<S extends Service, H> = { readonly [K in Exclude<keyof H, keyof S["method"]>]: never }

/** The handler of a method, by the kind of that. @category models */
export type Handler<M extends DescMethod, R = never> = M["methodKind"] extends "unary"
  ? (request: MessageShape<M["input"]>, call: GrpcServerCall) => Effect.Effect<Reply<M["output"]>, GrpcError, R>
  : M["methodKind"] extends "server_streaming"
    ? (request: MessageShape<M["input"]>, call: GrpcServerCall) => Stream.Stream<Reply<M["output"]>, GrpcError, R>
    : M["methodKind"] extends "client_streaming"
      ? (requests: Requests<M["input"]>, call: GrpcServerCall) => Effect.Effect<Reply<M["output"]>, GrpcError, R>
      : (requests: Requests<M["input"]>, call: GrpcServerCall) => Stream.Stream<Reply<M["output"]>, GrpcError, R>

/** A message, or what one is made of. @category models */
export type Reply<O extends DescMessage> = MessageShape<O> | MessageInitShape<O>

/** What the client sends, as it comes. Fails when the call does. @category models */
export type Requests<I extends DescMessage> = Stream.Stream<MessageShape<I>, GrpcError>
