/** The other implementation of gRPC on Node, as a client that calls methods by their descriptors. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import * as GrpcJs from "@grpc/grpc-js"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { authority } from "./Certificates.ts"

/** How a call went, with all that came. */
export interface Outcome {
  readonly code: GrpcJs.status
  readonly details: string
  readonly initial: GrpcJs.Metadata
  readonly trailing: GrpcJs.Metadata
  readonly replies: ReadonlyArray<MessageShape<DescMessage>>
}

export interface CallOptions {
  readonly metadata?: GrpcJs.Metadata | undefined
  readonly deadlineMillis?: number | undefined
  /** Of the messages, in their order, those that are not compressed, where the client compresses. */
  readonly uncompressed?: ReadonlyArray<number> | undefined
  /** Whether the client ends its side behind its requests. Default `end`. */
  readonly rest?: "end" | "open" | undefined
  /** What the client does when it has sent its requests. */
  readonly afterBegin?: "cancel" | undefined
  /** Hears every reply; what it gives back is sent, `end` ends, `cancel` cancels. */
  readonly onReply?: ((count: number) => object | "end" | "cancel" | undefined) | undefined
}

/** A client for the length of the scope. */
export const client = (
  port: number,
  compression: "none" | "gzip" = "none",
  security: "cleartext" | "TLS" = "cleartext"
): Effect.Effect<GrpcJs.Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new GrpcJs.Client(`127.0.0.1:${port}`, credentials[security], {
          ...(security === "TLS" ? { "grpc.ssl_target_name_override": "a.test" } : {}),
          "grpc.default_compression_algorithm":
            GrpcJs.compressionAlgorithms[compression === "gzip" ? "gzip" : "identity"]
        })
    ),
    (one) => Effect.sync(() => one.close())
  )

/** What it sends and reads for a method. */
export const definitionOf = (method: DescMethod): GrpcJs.MethodDefinition<object, MessageShape<DescMessage>> => ({
  path: `/${method.parent.typeName}/${method.name}`,
  requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
  responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
  requestSerialize: serializer(method.input),
  requestDeserialize: (bytes) => fromBinary(method.input, bytes),
  responseSerialize: serializer(method.output),
  responseDeserialize: (bytes) => fromBinary(method.output, bytes)
})

const serializer = (descriptor: DescMessage) => (value: object) =>
  Buffer.from(toBinary(descriptor, create(descriptor, value as MessageInitShape<DescMessage>)))

/** Calls a method of whatever kind, with all of `requests`; cancels when it is interrupted. */
export const call = (
  grpc: GrpcJs.Client,
  method: DescMethod,
  requests: ReadonlyArray<object>,
  options: CallOptions = {}
): Effect.Effect<Outcome> =>
  Effect.callback((resume) => {
    const definition = definitionOf(method)
    const { path, requestSerialize: serialize, responseDeserialize: deserialize } = definition
    const metadata = options.metadata ?? new GrpcJs.Metadata()
    const { deadlineMillis } = options
    const callOptions = deadlineMillis === undefined ? {} : { deadline: Date.now() + deadlineMillis }
    const replies: Array<MessageShape<DescMessage>> = []
    const reply = (_error: unknown, value?: MessageShape<DescMessage>): void => {
      if (value !== undefined) replies.push(value)
    }
    const started = (): GrpcJs.ClientUnaryCall => {
      if (method.methodKind === "unary") {
        return grpc.makeUnaryRequest(path, serialize, deserialize, requests[0]!, metadata, callOptions, reply)
      }
      if (method.methodKind === "server_streaming") {
        return read(grpc.makeServerStreamRequest(path, serialize, deserialize, requests[0]!, metadata, callOptions))
      }
      if (method.methodKind === "client_streaming") {
        return send(grpc.makeClientStreamRequest(path, serialize, deserialize, metadata, callOptions, reply))
      }
      return send(read(grpc.makeBidiStreamRequest(path, serialize, deserialize, metadata, callOptions)))
    }
    const read = <S extends GrpcJs.ClientReadableStream<MessageShape<DescMessage>>>(stream: S): S => {
      // The status says it, too.
      stream.on("error", () => {})
      stream.on("data", (value: MessageShape<DescMessage>) => {
        replies.push(value)
        const next = options.onReply?.(replies.length)
        if (next === "cancel") stream.cancel()
        else if (next === "end") (stream as unknown as GrpcJs.ClientWritableStream<object>).end()
        else if (next !== undefined) (stream as unknown as GrpcJs.ClientWritableStream<object>).write(next)
      })
      return stream
    }
    const send = <S extends GrpcJs.ClientWritableStream<object>>(stream: S): S => {
      requests.forEach((request, index) => {
        // Its types know no flags; what is no encoding is one.
        const flags = options.uncompressed?.includes(index) ? noCompress : 0
        stream.write(request, flags)
      })
      if (options.rest !== "open") stream.end()
      return stream
    }
    const surface = started()
    if (options.afterBegin === "cancel") surface.cancel()
    let initial = new GrpcJs.Metadata()
    surface.on("metadata", (came: GrpcJs.Metadata) => {
      initial = came
    })
    // Behind the last message and the callback, which come in the same turn or before it.
    surface.on("status", ({ code, details, metadata: trailing }: GrpcJs.StatusObject) =>
      setImmediate(() => resume(Effect.succeed({ code, details, initial, trailing, replies })))
    )
    return Effect.sync(() => surface.cancel())
  })

const credentials = {
  cleartext: GrpcJs.credentials.createInsecure(),
  TLS: GrpcJs.credentials.createSsl(Buffer.from(authority))
}

/** `WriteFlags.NoCompress`, which it does not export. */
const noCompress = 2
