/** The services of a gRPC server, without one: handlers are called as they are. */
import { fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf"
import { assert } from "@effect/vitest"
import type { MessageInput, Service } from "@sluice/core/grpc/GrpcMethod"
import * as GrpcOutbound from "@sluice/core/grpc/GrpcOutbound"
import type { GrpcHandlers } from "@sluice/core/grpc/server/GrpcHandlers"
import { GrpcServer } from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcServerCall } from "@sluice/core/grpc/server/GrpcServerCall"
import * as ProtobufCodec from "@sluice/core/protobuf/ProtobufCodec"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export class GrpcRegistry {
  private readonly drained = Deferred.makeUnsafe<void>()
  private isDraining = false
  private readonly added = new Map<Service, GrpcHandlers<Service>>()

  readonly layer: Layer.Layer<GrpcServer> = Layer.succeed(GrpcServer, {
    add: (service, handlers) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          assert.isFalse(this.has(service), `${service.typeName} was added twice`)
          this.added.set(service, handlers as GrpcHandlers<Service>)
        }),
        () => Effect.sync(() => this.remove(service))
      ),
    services: Effect.sync(() => [...this.added.keys()]),
    draining: { isDraining: () => this.isDraining, begun: Deferred.await(this.drained) }
  })

  /** Adds one without handlers. */
  add(service: Service): void {
    this.added.set(service, {})
  }

  has(service: Service): boolean {
    return this.added.has(service)
  }

  remove(service: Service): void {
    this.added.delete(service)
  }

  drain(): void {
    this.isDraining = true
    Deferred.doneUnsafe(this.drained, Effect.void)
  }

  handlers<S extends Service>(service: S): Required<GrpcHandlers<S>> {
    const handlers = this.added.get(service)
    assert.isDefined(handlers, `${service.typeName} was not added`)
    return handlers as Required<GrpcHandlers<S>>
  }
}

/** Handlers that do not look at their call. */
export const noCall = {} as GrpcServerCall

/** A reply as its client gets it. */
export const received = <D extends Parameters<typeof ProtobufCodec.make>[0]>(
  descriptor: D,
  reply: MessageInput<MessageShape<D>>
): MessageShape<D> => {
  const codec = ProtobufCodec.make(descriptor) as ProtobufCodec.ProtobufCodec
  const bytes = GrpcOutbound.encode(codec, reply, undefined, Number.POSITIVE_INFINITY)
  assert.instanceOf(bytes, Uint8Array)
  const message = fromBinary(descriptor, (bytes as Uint8Array).subarray(5))
  assert.deepStrictEqual(toBinary(descriptor, message), (bytes as Uint8Array).subarray(5))
  return message
}
