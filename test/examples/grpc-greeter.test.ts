import { assert, describe, it } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus
} from "@sluice/core/grpc/generated/grpc/health/v1/health_pb"
import { ServerReflection } from "@sluice/core/grpc/generated/grpc/reflection/v1/reflection_pb"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import * as GrpcGreeter from "@sluice/examples/grpc-greeter"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Stream from "effect/Stream"
import { identity, trusting } from "../harness/Certificates.ts"
import * as GrpcPythonGreeter from "../harness/GrpcPythonGreeter.ts"
import { local } from "../harness/NodeNet.ts"
import * as Tool from "../harness/Tool.ts"
import * as Program from "./support/Program.ts"
import * as Started from "./support/Started.ts"

const ways = {
  cleartext: { listen: local, channel: {} },
  TLS: {
    listen: { ...local, tls: { certificates: identity("a"), alpnProtocols: ["h2"] } },
    channel: { tls: trusting("a.test") }
  }
}

const five = ["Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"]
const names = Stream.make({ name: "Ann" }, { name: "Bob" }, { name: "Eve" })

describe("grpc-greeter", () => {
  for (const [name, { channel, listen }] of Object.entries(ways)) {
    it.live(`greets by a method of each kind, over ${name}`, () =>
      Effect.gen(function* () {
        const { address } = yield* Started.onNode(GrpcGreeter.server, listen)
        yield* Effect.gen(function* () {
          const greeter = yield* GrpcClient.make(Greeter)
          const messages = (replies: Stream.Stream<{ readonly message: string }, unknown>) =>
            Stream.runCollect(Stream.map(replies, (reply) => reply.message))
          assert.strictEqual((yield* greeter.sayHello({ name: "Ada" })).message, "Hello Ada")
          assert.deepStrictEqual(yield* messages(greeter.streamHellos({ name: "Ada" })), five)
          assert.strictEqual((yield* greeter.collectHellos(names)).message, "Hello all 3")
          assert.deepStrictEqual(yield* messages(greeter.chatHellos(names)), ["Hello Ann", "Hello Bob", "Hello Eve"])
        }).pipe(Effect.provide(GrpcChannel.layer(address, channel)))
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )
  }

  it.live("greets whoever has nothing but JSON, from a page of any origin", () =>
    Effect.gen(function* () {
      const { address } = yield* Started.onNode(GrpcGreeter.server)
      const url = `http://${NetAddress.formatSocketAddress(address)}/hello.Greeter/SayHello`
      const answer = yield* Effect.promise(async (signal) => {
        const headers = { "content-type": "application/json", origin: "http://page.test" }
        const response = await fetch(url, { method: "POST", headers, body: '{"name":"Ada"}', signal })
        return [response.status, response.headers.get("access-control-allow-origin"), await response.json()]
      })
      assert.deepStrictEqual(answer, [200, "*", { message: "Hello Ada" }])
    })
  )

  it.live("tells its health and its services", () =>
    Effect.gen(function* () {
      const { address } = yield* Started.onNode(GrpcGreeter.server)
      yield* Effect.gen(function* () {
        const health = yield* GrpcClient.make(Health)
        assert.strictEqual((yield* health.check({ service: "hello.Greeter" })).status, ServingStatus.SERVING)
        const reflection = yield* GrpcClient.make(ServerReflection)
        const asked = Stream.make({ messageRequest: { case: "listServices" as const, value: "" } })
        const [answer] = yield* Stream.runCollect(reflection.serverReflectionInfo(asked))
        assert.deepStrictEqual(
          answer!.messageResponse.case === "listServicesResponse"
            ? answer!.messageResponse.value.service.map((one) => one.name)
            : answer,
          [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "hello.Greeter"
          ]
        )
      }).pipe(Effect.provide(GrpcChannel.layer(address)))
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )
})

const missing = GrpcPythonGreeter.missing()

describe.skipIf(missing !== undefined)(`grpc-greeter and a client of grpcio${Tool.skipped(missing)}`, () => {
  const services = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "hello.Greeter"
  ]
  const greetings: ReadonlyArray<GrpcPythonGreeter.Heard> = [
    ["SayHello", "Hello Ada"],
    ["StreamHellos", five],
    ["CollectHellos", "Hello all 3"],
    ["ChatHellos", ["Hello Ann", "Hello Bob", "Hello Eve"]]
  ]

  it.live("it finds the greeter by reflection, calls it, and asks for its health", () =>
    Effect.gen(function* () {
      const { address } = yield* Started.onNode(GrpcGreeter.server)
      const client = yield* GrpcPythonGreeter.start("all", NetAddress.formatSocketAddress(address))
      assert.deepStrictEqual(yield* client.rest, [
        ["v1 services", services],
        ["v1 missing", 5],
        ...greetings,
        ["v1alpha services", services],
        ["v1alpha missing", 5],
        ...greetings,
        ["Check ", ServingStatus.SERVING],
        ["Check hello.Greeter", ServingStatus.SERVING],
        ["Check none", "NOT_FOUND"]
      ])
    }).pipe(Effect.timeout("20 seconds"))
  )

  it.live("who watches hears that the server drains, which does not wait for it", () =>
    Effect.gen(function* () {
      const server = yield* Program.serve("grpc-greeter", ["grpc-greeter", "--port", "0"])
      const client = yield* GrpcPythonGreeter.start("watch", server.where)
      assert.deepStrictEqual(yield* client.next, ["Watch", ServingStatus.SERVING])
      yield* server.signal("SIGTERM")
      assert.deepStrictEqual(yield* client.rest, [
        ["Watch", ServingStatus.NOT_SERVING],
        ["Watch", "UNAVAILABLE"]
      ])
      const { code, stderr } = yield* server.ended
      assert.deepStrictEqual([code, stderr], [0, []])
    }).pipe(Effect.timeout("20 seconds"))
  )
})
