import { create, createFileRegistry } from "@bufbuild/protobuf"
import {
  DescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Level
} from "@bufbuild/protobuf/wkt"
import { assert, describe, it } from "@effect/vitest"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import { Greeter, HelloReplySchema, HelloRequestSchema } from "../../harness/protobuf/hello_pb.ts"

/** A service without a package, whose methods say how often they may be called. */
const marked = () => {
  const levels: ReadonlyArray<Level | undefined> = [
    undefined,
    Level.IDEMPOTENCY_UNKNOWN,
    Level.NO_SIDE_EFFECTS,
    Level.IDEMPOTENT
  ]
  const file = create(FileDescriptorProtoSchema, {
    name: "marked.proto",
    syntax: "proto3",
    messageType: [create(DescriptorProtoSchema, { name: "Nothing" })],
    service: [
      {
        name: "Marked",
        method: levels.map((idempotencyLevel, at) => ({
          name: `Do${at}`,
          inputType: ".Nothing",
          outputType: ".Nothing",
          ...(idempotencyLevel !== undefined && { options: { idempotencyLevel } })
        }))
      }
    ]
  })
  return createFileRegistry(file, () => undefined).getService("Marked")! as unknown as GrpcMethod.Service
}

describe("the methods of a service", () => {
  it("are those of its descriptor, in its order", () => {
    assert.deepStrictEqual(
      GrpcMethod.of(Greeter).map(({ kind, localName, name, path, service }) => ({
        kind,
        localName,
        name,
        path,
        service
      })),
      [
        {
          kind: "unary",
          localName: "sayHello",
          name: "SayHello",
          path: "/hello.Greeter/SayHello",
          service: "hello.Greeter"
        },
        {
          kind: "server_streaming",
          localName: "streamHellos",
          name: "StreamHellos",
          path: "/hello.Greeter/StreamHellos",
          service: "hello.Greeter"
        },
        {
          kind: "client_streaming",
          localName: "collectHellos",
          name: "CollectHellos",
          path: "/hello.Greeter/CollectHellos",
          service: "hello.Greeter"
        },
        {
          kind: "bidi_streaming",
          localName: "chatHellos",
          name: "ChatHellos",
          path: "/hello.Greeter/ChatHellos",
          service: "hello.Greeter"
        }
      ]
    )
  })

  it("have the codecs of their messages", () => {
    for (const { request, response } of GrpcMethod.of(Greeter)) {
      assert.strictEqual(request.descriptor, HelloRequestSchema)
      assert.strictEqual(response.descriptor, HelloReplySchema)
    }
  })

  it("are made once", () => assert.strictEqual(GrpcMethod.of(Greeter), GrpcMethod.of(Greeter)))

  it("say whether they may be called again, and a service may have no package", () => {
    assert.deepStrictEqual(
      GrpcMethod.of(marked()).map(({ idempotency, localName, path }) => [path, localName, idempotency]),
      [
        ["/Marked/Do0", "do0", "unknown"],
        ["/Marked/Do1", "do1", "unknown"],
        ["/Marked/Do2", "do2", "no_side_effects"],
        ["/Marked/Do3", "do3", "idempotent"]
      ]
    )
  })
})
