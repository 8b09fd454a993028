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
import type { DescMethod, Message, MessageShape } from "@bufbuild/protobuf"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { MessageInput, Service } from "../GrpcMethod.ts"
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

/** Handlers that no method of the service has, and fields that no reply has, are a mistake. @category models */
export type OnlyKnown<S extends Service, H> = {
  readonly [K in keyof H]: K extends keyof S["method"] ? OnlyFields<ReplyOf<H[K]>, S["method"][K]> : never
}

/** The handler of a method, by the kind of that. @category models */
export type Handler<M extends DescMethod, R = never> = M["methodKind"] extends "unary"
  ? (
      request: MessageShape<M["input"]>,
      call: GrpcServerCall
    ) => Effect.Effect<MessageInput<MessageShape<M["output"]>>, GrpcError, R>
  : M["methodKind"] extends "server_streaming"
    ? (
        request: MessageShape<M["input"]>,
        call: GrpcServerCall
      ) => Stream.Stream<MessageInput<MessageShape<M["output"]>>, GrpcError, R>
    : M["methodKind"] extends "client_streaming"
      ? (
          requests: Requests<MessageShape<M["input"]>>,
          call: GrpcServerCall
        ) => Effect.Effect<MessageInput<MessageShape<M["output"]>>, GrpcError, R>
      : (
          requests: Requests<MessageShape<M["input"]>>,
          call: GrpcServerCall
        ) => Stream.Stream<MessageInput<MessageShape<M["output"]>>, GrpcError, R>

/** What the client sends, as it comes. Fails when the call does. @category models */
export type Requests<M extends Message> = Stream.Stream<M, GrpcError>

/** What a handler replies; `never` where it only fails. */
type ReplyOf<F> = F extends (...args: never) => infer A
  ? A extends Effect.Effect<infer T, unknown, unknown>
    ? T
    : A extends Stream.Stream<infer T, unknown, unknown>
      ? T
      : never
  : never

/** The compiler looks for fields too many in literals alone, and what a handler gives back is none by then. */
type OnlyFields<T, M extends DescMethod> = unknown extends T
  ? unknown
  : [UnknownFields<T, MessageShape<M["output"]>>] extends [never]
    ? unknown
    : { readonly unknownFields: UnknownFields<T, MessageShape<M["output"]>> }

type UnknownFields<T, M> = T extends unknown ? Exclude<keyof T, keyof M> : never
