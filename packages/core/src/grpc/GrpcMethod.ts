/**
 * The methods of a service, as its descriptor says them: their paths and the
 * codecs of their messages. They are made once for a service.
 *
 * @since 0.1.0
 */
import type { DescMessage, DescMethod, DescService, Message } from "@bufbuild/protobuf"
import * as ProtobufCodec from "../protobuf/ProtobufCodec.ts"
import type { Kind } from "../protocol/grpc/GrpcCallState.ts"

export type { Kind } from "../protocol/grpc/GrpcCallState.ts"

/** @category models */
export interface GrpcMethod {
  /** `/package.Service/Method`. */
  readonly path: string
  /** `package.Service`. */
  readonly service: string
  /** As the `.proto` has it: `SayHello`. */
  readonly name: string
  /** As handlers and clients have it: `sayHello`. */
  readonly localName: string
  readonly kind: Kind
  /** Whether the `.proto` says that it may be called twice: `no_side_effects` also that it may be cached. */
  readonly idempotency: "unknown" | "no_side_effects" | "idempotent"
  readonly descriptor: DescMethod
  readonly request: ProtobufCodec.ProtobufCodec
  readonly response: ProtobufCodec.ProtobufCodec
}

/** The descriptor of a service, as `protoc-gen-es` generates it. @category models */
export type Service = Omit<DescService, "method"> & {
  readonly method: Readonly<Record<string, DescMethod>>
}

/**
 * What is sent: a message, or what one is made of. It takes the message and not
 * its descriptor, so that the compiler speaks of `MessageInput<HelloReply>`.
 *
 * @category models
 */
export type MessageInput<M extends Message> = M | (Message extends M ? Record<string, unknown> : ProtobufCodec.Init<M>)

/** All methods of a service, in the order of its `.proto`. @category constructors */
export const of = (service: Service): ReadonlyArray<GrpcMethod> => {
  const known = services.get(service)
  if (known !== undefined) return known
  const methods = service.methods.map((descriptor) => make(service, descriptor))
  services.set(service, methods)
  return methods
}

/** Whether its request is a stream. @category kinds */
export const takesMany = ({ kind }: GrpcMethod): boolean => kind === "client_streaming" || kind === "bidi_streaming"

/** Whether its reply is a stream. @category kinds */
export const givesMany = ({ kind }: GrpcMethod): boolean => kind === "server_streaming" || kind === "bidi_streaming"

const services = new WeakMap<Service, ReadonlyArray<GrpcMethod>>()

const make = (service: Service, descriptor: DescMethod): GrpcMethod => ({
  path: `/${service.typeName}/${descriptor.name}`,
  service: service.typeName,
  name: descriptor.name,
  localName: descriptor.localName,
  kind: descriptor.methodKind,
  idempotency: idempotencies[descriptor.idempotency] ?? "unknown",
  descriptor,
  request: codecOf(descriptor.input),
  response: codecOf(descriptor.output)
})

const codecOf = (descriptor: DescMessage): ProtobufCodec.ProtobufCodec =>
  ProtobufCodec.make(descriptor) as ProtobufCodec.ProtobufCodec<Message>

/** By the numbers of `google.protobuf.MethodOptions.IdempotencyLevel`. */
const idempotencies = ["unknown", "no_side_effects", "idempotent"] as const
