import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import { assert, describe, it } from "@effect/vitest"
import type { Service } from "@sluice/core/grpc/GrpcMethod"
import * as V1 from "@sluice/core/grpc/generated/grpc/reflection/v1/reflection_pb"
import * as V1Alpha from "@sluice/core/grpc/generated/grpc/reflection/v1alpha/reflection_pb"
import * as GrpcReflection from "@sluice/core/grpc/server/GrpcReflection"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { GrpcRegistry, noCall, received } from "../../../harness/GrpcRegistry.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const versions = { v1: V1, v1alpha: V1Alpha } as unknown as Readonly<Record<string, typeof V1>>

type Request = MessageInitShape<typeof V1.ServerReflectionRequestSchema>
type Question = NonNullable<Request["messageRequest"]>
type Answer = V1.ServerReflectionResponse["messageResponse"]

const serving = Effect.gen(function* () {
  const registry = new GrpcRegistry()
  registry.add(Greeter)
  yield* Layer.build(Layer.provide(GrpcReflection.layer, registry.layer))
  return registry
})

/** A service whose file imports that of the greeter. */
const importing: Service = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "importing.proto",
    package: "importing",
    syntax: "proto3",
    dependency: ["hello.proto"],
    service: [
      { name: "Other", method: [{ name: "Do", inputType: ".hello.HelloRequest", outputType: ".hello.HelloReply" }] }
    ]
  }),
  () => Greeter.file
).getService("importing.Other")!

const symbol = (value: string): Request => ({ messageRequest: { case: "fileContainingSymbol", value } })

/** The answers to all of `requests`, on one stream. */
const ask = (registry: GrpcRegistry, version: typeof V1, ...requests: ReadonlyArray<Request>) =>
  registry
    .handlers(version.ServerReflection)
    .serverReflectionInfo(
      Stream.fromIterable(requests.map((request) => create(version.ServerReflectionRequestSchema, request))),
      noCall
    )
    .pipe(
      Stream.map((reply) => received(version.ServerReflectionResponseSchema, reply)),
      Stream.runCollect
    )

/** An answer in short: names of files in place of their bytes. */
const shown = (answer: Answer): unknown => {
  switch (answer.case) {
    case "fileDescriptorResponse":
      return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
    case "listServicesResponse":
      return answer.value.service.map((one) => one.name)
    case "allExtensionNumbersResponse":
      return [answer.value.baseTypeName, ...answer.value.extensionNumber]
    case "errorResponse":
      return answer.value.errorCode
    default:
      return undefined
  }
}

const extension = (containingType: string, extensionNumber: number): Question => ({
  case: "fileContainingExtension",
  value: { containingType, extensionNumber }
})

const cases: ReadonlyArray<readonly [why: string, question: Question, answer: unknown]> = [
  [
    "the services, its own too",
    { case: "listServices", value: "anything" },
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "hello.Greeter"]
  ],
  ["a file", { case: "fileByFilename", value: "hello.proto" }, ["hello.proto"]],
  ["no file", { case: "fileByFilename", value: "hello" }, 5],
  ["the file of a service", { case: "fileContainingSymbol", value: "hello.Greeter" }, ["hello.proto"]],
  ["the file of a method", { case: "fileContainingSymbol", value: "hello.Greeter.SayHello" }, ["hello.proto"]],
  ["the file of a message", { case: "fileContainingSymbol", value: "hello.HelloReply" }, ["hello.proto"]],
  ["no symbol", { case: "fileContainingSymbol", value: "hello.None" }, 5],
  ["no extension", extension("hello.HelloReply", 1), 5],
  ["no numbers of extensions", { case: "allExtensionNumbersOfType", value: "hello.HelloReply" }, ["hello.HelloReply"]],
  ["the numbers of nothing", { case: "allExtensionNumbersOfType", value: "hello.None" }, 5],
  ["nothing that is known", { case: undefined }, 12]
]

for (const [name, version] of Object.entries(versions)) {
  describe(`GrpcReflection, ${name}`, () => {
    for (const [why, messageRequest, expected] of cases) {
      it.effect(`asked for ${why}`, () =>
        Effect.gen(function* () {
          const request = { host: "server.test", messageRequest }
          const [response, ...more] = yield* ask(yield* serving, version, request)
          assert.deepStrictEqual(shown(response!.messageResponse), expected)
          assert.strictEqual(response!.validHost, "server.test")
          assert.deepStrictEqual(
            response!.originalRequest,
            create(version.ServerReflectionRequestSchema, request) as typeof response.originalRequest
          )
          assert.deepStrictEqual(more, [])
        })
      )
    }
  })
}

describe("GrpcReflection", () => {
  it.effect("one stream has an answer for each request, in order, also behind an error", () =>
    Effect.gen(function* () {
      const responses = yield* ask(yield* serving, V1, ...cases.map(([, messageRequest]) => ({ messageRequest })))
      assert.deepStrictEqual(
        responses.map((one) => shown(one.messageResponse)),
        cases.map(([, , expected]) => expected)
      )
    })
  )

  it.effect("a file comes whole", () =>
    Effect.gen(function* () {
      const [response] = yield* ask(yield* serving, V1, {
        messageRequest: { case: "fileByFilename", value: "hello.proto" }
      })
      const answer = response!.messageResponse
      assert.strictEqual(answer.case, "fileDescriptorResponse")
      const [bytes] = (answer.value as V1.FileDescriptorResponse).fileDescriptorProto
      assert.deepStrictEqual(fromBinary(FileDescriptorProtoSchema, bytes!), Greeter.file.proto)
    })
  )

  it.effect("what a file imports comes behind it", () =>
    Effect.gen(function* () {
      const registry = yield* serving
      registry.add(importing)
      const [response] = yield* ask(registry, V1, symbol("importing.Other"))
      assert.deepStrictEqual(shown(response!.messageResponse), ["importing.proto", "hello.proto"])
    })
  )

  it.effect("services that come and go are told of as they are then", () =>
    Effect.gen(function* () {
      const registry = new GrpcRegistry()
      yield* Layer.build(Layer.provide(GrpcReflection.layer, registry.layer))
      const found = Effect.map(ask(registry, V1, symbol("hello.Greeter"), symbol("importing.Other")), (responses) =>
        responses.map((one) => (one.messageResponse.case === "errorResponse" ? "no" : "yes"))
      )
      assert.deepStrictEqual(yield* found, ["no", "no"])
      registry.add(Greeter)
      assert.deepStrictEqual(yield* found, ["yes", "no"])
      registry.remove(Greeter)
      registry.add(importing)
      assert.deepStrictEqual(yield* found, ["yes", "yes"])
      registry.remove(importing)
      assert.deepStrictEqual(yield* found, ["no", "no"])
      registry.add(importing)
      yield* found
      registry.remove(importing)
      registry.add(Greeter)
      assert.deepStrictEqual(yield* found, ["yes", "no"])
    })
  )

  it.effect("two servers of a program tell of their own, and one that has it twice has one", () =>
    Effect.gen(function* () {
      const [one, other] = [new GrpcRegistry(), new GrpcRegistry()]
      one.add(Greeter)
      const twice = Layer.merge(GrpcReflection.layer, Layer.mergeAll(GrpcReflection.layer))
      yield* Layer.build(Layer.merge(Layer.provide(twice, one.layer), Layer.provide(GrpcReflection.layer, other.layer)))
      const found = (registry: GrpcRegistry) =>
        Effect.map(ask(registry, V1, symbol("hello.Greeter")), ([response]) => response!.messageResponse.case)
      assert.deepStrictEqual([yield* found(one), yield* found(other)], ["fileDescriptorResponse", "errorResponse"])
    })
  )

  it.effect("a client that does not go is sent away when the server drains", () =>
    Effect.gen(function* () {
      const registry = yield* serving
      const heard = yield* Queue.unbounded<unknown>()
      const request = create(V1.ServerReflectionRequestSchema, {
        messageRequest: { case: "listServices", value: "" }
      })
      const running = yield* registry
        .handlers(V1.ServerReflection)
        .serverReflectionInfo(Stream.concat(Stream.make(request), Stream.never), noCall)
        .pipe(
          Stream.runForEach((reply) => Queue.offer(heard, reply)),
          Effect.forkScoped({ startImmediately: true })
        )
      yield* Queue.take(heard)
      registry.drain()
      const exit = yield* Fiber.await(running)
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) assert.include(Cause.pretty(exit.cause), "UNAVAILABLE")
    })
  )
})
