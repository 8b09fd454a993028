import { assert, describe, it } from "@effect/vitest"
import * as TcpServer from "@sluice/core/server/TcpServer"
import { Listener } from "@sluice/core/transport/Listener"
import type { TlsClientOptions } from "@sluice/core/transport/Tls"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { closed, dialTo, listen, local, rawClient, take } from "../harness/NodeNet.ts"
import { bytes, record } from "../harness/TransportContract.ts"

leaveNoHandles()

const tls = { certificates: identity("a") }

describe("NodeAdmission", () => {
  it.live("one handshake above maxOpening is closed and reported", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({ ...local, tls, maxOpening: 1 })
      const first = yield* rawClient(listener)
      const second = yield* rawClient(listener)
      yield* closed(second)
      const { reason } = yield* Queue.take(refusals)
      assert.deepInclude(reason, { _tag: "TooManyConnections", limit: "opening", limitCount: 1 })
      first.destroy()
    }).pipe(Effect.scoped)
  )

  it.live("a handshake that is over frees its place", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({ ...local, tls, maxOpening: 1 })
      for (let round = 0; round < 3; round++) {
        const client = yield* rawClient(listener)
        client.write("no TLS")
        assert.strictEqual((yield* Queue.take(refusals)).reason._tag, "TlsHandshakeFailed")
        yield* closed(client)
      }
    }).pipe(Effect.scoped)
  )

  it.live("cleartext without PROXY passes nothing, and is not counted", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ ...local, maxOpening: 1 })
      const clients = [yield* rawClient(listener), yield* rawClient(listener)]
      yield* take(transports)
      yield* take(transports)
      for (const client of clients) client.destroy()
    }).pipe(Effect.scoped)
  )
})

/** A server of echoes on `options`, run for as long as the scope lives. */
const serving = <A, E, R>(options: NodeTransport.ListenerOptions, test: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const server = yield* TcpServer.TcpServer
    yield* Effect.forkScoped(
      server.run((connection) =>
        Effect.gen(function* () {
          while (true) yield* connection.send(yield* connection.receive)
        })
      )
    )
    yield* test
  }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(TcpServer.layer(), NodeTransport.layerListener(options))))

/** Sends `sent` and waits for `echoed`. */
const served = Effect.fnUntraced(function* (sent: string, echoed: string, tls?: TlsClientOptions) {
  const listener = yield* Listener
  const client = yield* dialTo(listener.address, tls === undefined ? {} : { tls })
  const received = record(client)
  client.write(bytes(sent))
  yield* received.until((self) => self.text === echoed)
})

const refusedBy = Effect.flatMap(TcpServer.TcpServer, (server) => Effect.map(server.stats, (stats) => stats.refused))

describe("a server behind it", () => {
  it.live("garbage in place of TLS: another client is served meanwhile, and the refusal is counted", () =>
    serving(
      { ...local, tls },
      Effect.gen(function* () {
        const listener = yield* Listener
        const silent = yield* rawClient(listener)
        const garbage = yield* rawClient(listener)
        garbage.write("no TLS at all")
        yield* served("hello", "hello", trusting("a.test"))
        yield* closed(garbage)
        assert.deepStrictEqual(yield* refusedBy, { TlsHandshakeFailed: 1 })
        silent.destroy()
      })
    )
  )

  it.live("a PROXY header that lies: its connection is closed, the next one is served", () =>
    serving(
      { ...local, proxyProtocol: { trusted: ["127.0.0.1"] } },
      Effect.gen(function* () {
        const liar = yield* rawClient(yield* Listener)
        liar.write("PROXY TCP4 2001:db8::1 198.51.100.1 56324 443\r\nhello")
        yield* closed(liar)
        assert.strictEqual(liar.bytesRead, 0)
        yield* served("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nhello", "hello")
        assert.deepStrictEqual(yield* refusedBy, { ProxyHeaderInvalid: 1 })
      })
    )
  )
})
