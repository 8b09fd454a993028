import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type * as TcpClient from "@sluice/core/client/TcpClient"
import { Greeter } from "@sluice/examples/greeter"
import * as RpcGreeter from "@sluice/examples/rpc-greeter"
import * as RpcGreeterClient from "@sluice/examples/rpc-greeter-client"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as RpcClient from "effect/rpc/RpcClient"
import * as Stream from "effect/Stream"
import { identity, trusting } from "../harness/Certificates.ts"
import { local, temporaryDirectory } from "../harness/NodeNet.ts"
import * as Started from "./support/Started.ts"

const roads: ReadonlyArray<
  readonly [name: string, listen: (directory: string) => NodeTransport.ListenerOptions, dial?: TcpClient.Options]
> = [
  ["TCP", () => local],
  ["TLS", () => ({ ...local, tls: { certificates: identity("a") } }), { tls: trusting("a.test") }],
  ["a Unix socket", (directory) => ({ path: Path.join(directory, "greeter.sock") })]
]

describe("rpc-greeter", () => {
  for (const [name, listen, dial] of roads) {
    it.live(`answers calls and streams over ${name}`, () =>
      Effect.gen(function* () {
        const { address } = yield* Started.onNode(RpcGreeter.tcpServer, listen(yield* temporaryDirectory))
        yield* Effect.gen(function* () {
          const client = yield* RpcClient.make(Greeter)
          assert.deepStrictEqual(yield* client.SayHello({ name: "Ann" }), { message: "Hello Ann" })
          const replies = yield* Stream.runCollect(client.StreamHellos({ name: "Ann" }))
          assert.deepStrictEqual(
            replies.map((reply) => reply.message),
            ["Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"]
          )
        }).pipe(Effect.provide(RpcGreeterClient.layerTcp(address, dial)))
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )
  }

  it.live("answers a hundred calls at a time on one connection", () =>
    Effect.gen(function* () {
      const { address } = yield* Started.onNode(RpcGreeter.tcpServer)
      yield* Effect.gen(function* () {
        const client = yield* RpcClient.make(Greeter)
        const names = Array.from({ length: 100 }, (_, index) => `${index}`)
        const replies = yield* Effect.forEach(names, (name) => client.SayHello({ name }), { concurrency: "unbounded" })
        assert.deepStrictEqual(
          replies.map((reply) => reply.message),
          names.map((name) => `Hello ${name}`)
        )
      }).pipe(Effect.provide(RpcGreeterClient.layerTcp(address)))
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )
})
