import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Dialer } from "@sluice/core/transport/Dialer"
import { Greeter } from "@sluice/examples/greeter"
import * as RpcGreeter from "@sluice/examples/rpc-greeter"
import * as RpcGreeterClient from "@sluice/examples/rpc-greeter-client"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as RpcClient from "effect/rpc/RpcClient"
import * as Stream from "effect/Stream"
import { identity, trusting } from "../harness/Certificates.ts"
import { local, temporaryDirectory } from "../harness/NodeNet.ts"
import * as Program from "./support/Program.ts"
import * as Started from "./support/Started.ts"

/** How the calls are carried: a server that was started, and a client of it. */
interface Road {
  readonly server: typeof RpcGreeter.tcpServer | typeof RpcGreeter.webServer
  readonly listen: (directory: string) => NodeTransport.ListenerOptions
  readonly client: (address: NetAddress.SocketAddress) => Layer.Layer<RpcClient.Protocol, never, Dialer>
}

const roads: Readonly<Record<string, Road>> = {
  TCP: { server: RpcGreeter.tcpServer, listen: () => local, client: (address) => RpcGreeterClient.layerTcp(address) },
  TLS: {
    server: RpcGreeter.tcpServer,
    listen: () => ({ ...local, tls: { certificates: identity("a") } }),
    client: (address) => RpcGreeterClient.layerTcp(address, { tls: trusting("a.test") })
  },
  "a Unix socket": {
    server: RpcGreeter.tcpServer,
    listen: (directory) => ({ path: Path.join(directory, "greeter.sock") }),
    client: (address) => RpcGreeterClient.layerTcp(address)
  },
  WebSocket: {
    server: RpcGreeter.webServer,
    listen: () => local,
    client: (address) => RpcGreeterClient.layerWebSocket(NetAddress.formatSocketAddress(address))
  },
  HTTP: {
    server: RpcGreeter.webServer,
    listen: () => local,
    client: (address) => RpcGreeterClient.layerHttp(NetAddress.formatSocketAddress(address))
  }
}

describe("rpc-greeter", () => {
  for (const [name, { server, listen, client: layerClient }] of Object.entries(roads)) {
    it.live(`answers calls and streams over ${name}`, () =>
      Effect.gen(function* () {
        const { address } = yield* Started.onNode(server, listen(yield* temporaryDirectory))
        yield* Effect.gen(function* () {
          const client = yield* RpcClient.make(Greeter)
          assert.deepStrictEqual(yield* client.SayHello({ name: "Ann" }), { message: "Hello Ann" })
          const replies = yield* Stream.runCollect(client.StreamHellos({ name: "Ann" }))
          assert.deepStrictEqual(
            replies.map((reply) => reply.message),
            ["Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"]
          )
        }).pipe(Effect.scoped, Effect.provide(layerClient(address)))
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )

    it.live(`answers a hundred calls at a time over ${name}`, () =>
      Effect.gen(function* () {
        const { address } = yield* Started.onNode(server, listen(yield* temporaryDirectory))
        yield* Effect.gen(function* () {
          const client = yield* RpcClient.make(Greeter)
          const names = Array.from({ length: 100 }, (_, index) => `${index}`)
          const replies = yield* Effect.forEach(names, (name) => client.SayHello({ name }), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(
            replies.map((reply) => reply.message),
            names.map((name) => `Hello ${name}`)
          )
        }).pipe(Effect.scoped, Effect.provide(layerClient(address)))
      }).pipe(Effect.provide(NodeTransport.layerDialer()))
    )
  }
})

describe("rpc-greeter as a process", () => {
  it.live("serves the client in all its ways, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const server = yield* Program.serve("rpc-greeter", ["rpc-greeter", "--port", "0", "--web-port", "0"])
      const web = /^WebSocket and HTTP: (\S+)\/rpc$/.exec(yield* server.line)![1]!
      const ways: ReadonlyArray<readonly [via: string, to: string]> = [
        ["tcp", server.where],
        ["websocket", web],
        ["http", web]
      ]
      for (const [via, to] of ways) {
        const client = yield* Program.start(["rpc-greeter-client", "Ann", "--via", via, "--to", to])
        const { code, stdout, stderr } = yield* client.ended
        assert.deepStrictEqual([code, stderr], [0, []], via)
        assert.deepStrictEqual(stdout, ["Hello Ann", "Hello #1", "Hello #2", "Hello #3", "Hello #4", "Hello #5"])
      }
      yield* server.signal("SIGTERM")
      const ended = yield* server.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )

  it.live("a way that does not fit is told, and exit code 1", () =>
    Effect.gen(function* () {
      const args = ["rpc-greeter-client", "--via", "http", "--to", "unix:///run/greeter.sock"]
      const { code, stderr } = yield* (yield* Program.start(args)).ended
      assert.strictEqual(code, 1)
      assert.include(stderr.join("\n"), "--via tcp")
    })
  )

  for (const via of ["websocket", "http"]) {
    it.live(`nobody at the other end is one line, and exit code 1: ${via}`, () =>
      Effect.gen(function* () {
        const client = yield* Program.start(["rpc-greeter-client", "--via", via, "--to", "127.0.0.1:1"])
        const { code, stderr } = yield* client.ended
        assert.strictEqual(code, 1)
        assert.lengthOf(stderr, 1)
        assert.include(stderr[0]!, "127.0.0.1:1")
      })
    )
  }
})
