/**
 * Clients of gRPC services, made of their descriptors.
 *
 * ```ts
 * Effect.gen(function* () {
 *   const greeter = yield* GrpcClient.make(Greeter)
 *   const reply = yield* greeter.sayHello({ name: "Ada" })
 * }).pipe(Effect.provide(GrpcChannel.layer({ host: "localhost", port: 50051 })))
 * ```
 *
 * ```text
 *  unary              (request,  options?) => Effect<reply>
 *  server streaming   (request,  options?) => Stream<reply>
 *  client streaming   (requests, options?) => Effect<reply>
 *  both               (requests, options?) => Stream<reply>
 * ```
 *
 * A request is a message, or what one is made of; a reply is a message. Calls
 * fail with `GrpcError`, and with whatever a stream of requests fails with. An
 * interruption, or leaving a stream of replies early, cancels the call.
 *
 * @since 0.1.0
 */
import type { DescMethod, Message, MessageShape } from "@bufbuild/protobuf"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMethod from "../GrpcMethod.ts"
import type { GrpcCallOptions } from "./GrpcCallOptions.ts"
import { GrpcChannel } from "./GrpcChannel.ts"
import { type GrpcClientCall, GrpcClientCalls, type Requests } from "./GrpcClientCall.ts"
import * as GrpcClientCallReply from "./GrpcClientCallReply.ts"
import * as GrpcClientStreamReplies from "./GrpcClientStreamReplies.ts"
import { GrpcClientWatch } from "./GrpcClientWatch.ts"

/** A function for each method of a service, by its local name. @category models */
export type Client<S extends GrpcMethod.Service> = {
  readonly [K in keyof S["method"]]: Method<S["method"][K]>
}

/** How a method is called, by its kind. @category models */
export type Method<M extends DescMethod> = M["methodKind"] extends "unary"
  ? (
      request: GrpcMethod.MessageInput<MessageShape<M["input"]>>,
      options?: GrpcCallOptions
    ) => Effect.Effect<MessageShape<M["output"]>, GrpcError>
  : M["methodKind"] extends "server_streaming"
    ? (
        request: GrpcMethod.MessageInput<MessageShape<M["input"]>>,
        options?: GrpcCallOptions
      ) => Stream.Stream<MessageShape<M["output"]>, GrpcError>
    : M["methodKind"] extends "client_streaming"
      ? <E = never, R = never>(
          requests: Stream.Stream<GrpcMethod.MessageInput<MessageShape<M["input"]>>, E, R>,
          options?: GrpcCallOptions
        ) => Effect.Effect<MessageShape<M["output"]>, GrpcError | E, R>
      : <E = never, R = never>(
          requests: Stream.Stream<GrpcMethod.MessageInput<MessageShape<M["input"]>>, E, R>,
          options?: GrpcCallOptions
        ) => Stream.Stream<MessageShape<M["output"]>, GrpcError | E, R>

/** The client of a service, over the channel. @category constructors */
export const make = <S extends GrpcMethod.Service>(service: S): Effect.Effect<Client<S>, never, GrpcChannel> =>
  Effect.map(GrpcChannel, (channel) => {
    const calls = new GrpcClientCalls(channel)
    const client: Record<string, unknown> = {}
    for (const method of GrpcMethod.of(service)) client[method.localName] = callerOf(calls, method)
    return client as unknown as Client<S>
  })

/** Without observers, nothing stands between the caller and the call. */
const callerOf = (calls: GrpcClientCalls, method: GrpcMethod.GrpcMethod): Caller => {
  const caller = plainCallerOf(calls, method)
  return calls.defaults.observers.length === 0 ? caller : watchedCallerOf(calls, method, caller)
}

/** `input` is a request, or the stream of them. */
type Caller = (
  input: never,
  options?: GrpcCallOptions
) => Effect.Effect<Message, unknown> | Stream.Stream<Message, unknown>

const watchedCallerOf = (calls: GrpcClientCalls, method: GrpcMethod.GrpcMethod, caller: Caller): Caller => {
  const { connector, defaults } = calls
  const watched = (input: object) => {
    const watch = new GrpcClientWatch(defaults.observers, method, connector.timers)
    if (GrpcMethod.takesMany(method)) return { watch, input: watch.requests(input as RequestStream) as never }
    watch.requestCount = 1
    return { watch, input: input as never }
  }
  if (GrpcMethod.givesMany(method)) {
    return (input, options) =>
      Stream.suspend(() => {
        const call = watched(input)
        return call.watch.replies(caller(call.input, options) as Stream.Stream<Message, unknown>)
      })
  }
  return (input, options) =>
    Effect.suspend(() => {
      const call = watched(input)
      return call.watch.reply(caller(call.input, options) as Effect.Effect<Message, unknown>)
    })
}

const plainCallerOf = (calls: GrpcClientCalls, method: GrpcMethod.GrpcMethod): Caller => {
  switch (method.kind) {
    case "unary":
      return (request: object, options: GrpcCallOptions = noOptions): Effect.Effect<Message, GrpcError> =>
        intercepted(calls, method, options, (options) =>
          ordered(calls, method, options, (call) => withRequest(call, request, GrpcClientCallReply.send))
        )
    case "server_streaming":
      return (request: object, options: GrpcCallOptions = noOptions): Stream.Stream<Message, unknown> =>
        GrpcClientStreamReplies.make((send) =>
          intercepted(calls, method, options, (options) =>
            ordered(calls, method, options, (call) => withRequest(call, request, send))
          )
        )
    case "client_streaming":
      return (requests: RequestStream, options: GrpcCallOptions = noOptions): Effect.Effect<Message, unknown> =>
        withRequests(requests, (requests) =>
          intercepted(calls, method, options, (options) =>
            ordered(calls, method, options, (call) => {
              call.requests = requests
              return GrpcClientCallReply.send(call)
            })
          )
        )
    case "bidi_streaming":
      return (requests: RequestStream, options: GrpcCallOptions = noOptions): Stream.Stream<Message, unknown> =>
        GrpcClientStreamReplies.make((send) =>
          withRequests(requests, (requests) =>
            intercepted(calls, method, options, (options) =>
              ordered(calls, method, options, (call) => {
                call.requests = requests
                return send(call)
              })
            )
          )
        )
  }
}

type RequestStream = Requests["stream"]

const withRequest = <A>(
  call: GrpcClientCall,
  request: object,
  send: (call: GrpcClientCall) => Effect.Effect<A, GrpcError>
): Effect.Effect<A, GrpcError> => {
  const body = call.encode(request)
  if (!(body instanceof Uint8Array)) return Effect.fail(body)
  call.body = body
  return send(call)
}

/** Where the stream of requests fails, that is what the caller hears: in its own words, and past all interceptors. */
const withRequests = <A, E>(
  stream: RequestStream,
  send: (requests: Requests) => Effect.Effect<A, E>
): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    const requests: Requests = { stream, failure: undefined }
    return Effect.catchCause(send(requests), (cause) => Effect.failCause(requests.failure ?? cause))
  })

/** What is ordered is looked at when it is run: then its time begins. */
const ordered = <A, E, R>(
  calls: GrpcClientCalls,
  method: GrpcMethod.GrpcMethod,
  options: GrpcCallOptions,
  run: (call: GrpcClientCall) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withFiber((fiber) => run(calls.begin(method, options, fiber)))

/** The first of the interceptors is the outermost. */
const intercepted = <A, R>(
  calls: GrpcClientCalls,
  method: GrpcMethod.GrpcMethod,
  options: GrpcCallOptions,
  call: (options: GrpcCallOptions) => Effect.Effect<A, GrpcError, R>
): Effect.Effect<A, GrpcError, R> => {
  const { interceptors } = calls.defaults
  let next = call
  for (let at = interceptors.length - 1; at >= 0; at--) {
    const [interceptor, inner] = [interceptors[at]!, next]
    next = (options) => interceptor({ method, options }, inner)
  }
  return next(options)
}

const noOptions: GrpcCallOptions = {}
