import { assert, describe, it } from "@effect/vitest"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure } from "@sluice/core/protocol/http2/Http2Error"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as EnginePump from "@sluice/core/session/EnginePump"
import * as Http2ServerSession from "@sluice/core/session/Http2ServerSession"
import { type Drainable, Http2StreamTransport, type Tunnels } from "@sluice/core/session/Http2StreamTransport"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { bytes, fill, record, transportContract, turns } from "../../harness/TransportContract.ts"

/** A client with one tunnel, on the transport of a connection. */
class TunnelClient implements Http2Handler, EnginePump.PumpHandler, Tunnels {
  readonly transport: Transport
  readonly engine: Http2Connection
  readonly pump: EnginePump.EnginePump
  tunnel: Http2StreamTransport | undefined
  onOpened: () => void = () => {}
  private readonly filled = new Set<Drainable>()

  constructor(transport: Transport, timers: Timers.Timers, limits: Http2Options.Resolved) {
    this.transport = transport
    this.engine = new Http2Connection("client", this, limits, timers.now())
    this.pump = EnginePump.makeUnsafe(transport, this.engine, timers, this)
  }

  onRequest() {}
  onInterim() {}
  onGoAway() {}
  onPong() {}
  onViolation() {}
  onClose() {}

  onPeerSettings(): void {
    if (this.tunnel !== undefined) return
    const parts = {
      method: "CONNECT",
      scheme: "http",
      authority: "a",
      path: "/",
      protocol: "raw",
      headers: {}
    } as const
    const stream = this.engine.request(parts, undefined, "open", undefined, this.pump.now()) as Http2Stream
    this.tunnel = new Http2StreamTransport(stream, this, undefined, "open")
    stream.owner = this.tunnel
  }

  onResponse(): void {
    this.onOpened()
  }

  onData(stream: Http2Stream, data: Uint8Array): void {
    ;(stream.owner as Http2StreamTransport).onData(data)
  }

  onEnd(stream: Http2Stream): void {
    ;(stream.owner as Http2StreamTransport).onEnd()
  }

  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    ;(stream.owner as Http2StreamTransport).onClosed(failure)
  }

  onWritable(): void {}

  onTurn(): void {
    while (this.engine.hasQueued) {
      this.engine.fill(this.pump.now())
      this.pump.flush()
    }
    for (const owner of this.filled) {
      if (owner.bufferedBytes > 0) continue
      this.filled.delete(owner)
      owner.onDrained()
    }
  }

  awaitDrain(owner: Drainable): void {
    this.filled.add(owner)
  }
}

/** Two ends of a stream, and the client's end of its connection. */
const makePair = Effect.gen(function* () {
  const timers = yield* Timers.make
  const [left, right] = MemoryTransport.pair()
  const opened = yield* Deferred.make<Transport>()
  const environment = {
    timers,
    http2: Http2Options.resolve("server"),
    halfClose: "abort",
    serve: (exchange) => {
      exchange.upgrade({ status: 200, headers: {} }, (transport) => {
        Deferred.doneUnsafe(opened, Effect.succeed(transport))
        return { drain: () => transport.end(), cut: () => transport.destroy() }
      })
      return undefined
    },
    onRequest: undefined,
    onEnd: undefined
  } satisfies Http2ServerSession.Environment
  const session = Http2ServerSession.startUnsafe(environment, right, () => {})
  const client = new TunnelClient(left, timers, Http2Options.resolve("client"))
  const ready = yield* Deferred.make<void>()
  client.onOpened = () => void Deferred.doneUnsafe(ready, Effect.void)
  const server = yield* Deferred.await(opened)
  yield* Deferred.await(ready)
  yield* Effect.addFinalizer(() => Effect.sync(() => left.destroy()))
  return [client.tunnel as Transport, server, left, session] as const
})

transportContract(
  "Http2StreamTransport",
  Effect.map(makePair, ([client, server]) => [client, server] as const)
)

describe("Http2StreamTransport", () => {
  it.live("a reader that is paused holds no more than its window", () =>
    Effect.gen(function* () {
      const [client, server] = yield* makePair
      record(client)
      const atServer = record(server)
      server.pause()
      client.write(new Uint8Array(1_000_000))
      yield* turns
      // 256 KiB are the server's window.
      assert.strictEqual(client.bufferedBytes, 1_000_000 - 262_144)
      assert.strictEqual(server.receivedBytes, 0)
      server.resume()
      yield* atServer.until(({ receivedBytes }) => receivedBytes === 1_000_000)
      assert.strictEqual(client.bufferedBytes, 0)
    }).pipe(Effect.scoped)
  )

  it.live("the server's writer is told when all of it has left, as the client's is", () =>
    Effect.gen(function* () {
      const [client, server] = yield* makePair
      const atServer = record(server)
      const atClient = record(client)
      client.pause()
      server.write(new Uint8Array(400_000))
      yield* turns
      assert.isAbove(server.bufferedBytes, 0)
      assert.deepStrictEqual(atServer.events, [])
      client.resume()
      yield* atServer.saw("drain")
      assert.strictEqual(server.bufferedBytes, 0)
      yield* atClient.until(({ receivedBytes }) => receivedBytes === 400_000)
    }).pipe(Effect.scoped)
  )

  it.live("RFC 8441 §5: destroy is RST_STREAM, and the other side's connection is reset", () =>
    Effect.gen(function* () {
      const [client, server] = yield* makePair
      const atServer = record(server)
      record(client)
      client.destroy()
      yield* atServer.saw("close")
      assert.strictEqual(String(atServer.closeError?.reason.message), "connection lost (ECONNRESET)")
    }).pipe(Effect.scoped)
  )

  it.live("the loss of the connection is the loss of the stream, also while it is paused", () =>
    Effect.gen(function* () {
      const [client, server, connection] = yield* makePair
      const atServer = record(server)
      server.pause()
      const atClient = record(client)
      fill(client)
      yield* turns
      connection.destroy()
      yield* atServer.saw("close")
      yield* atClient.saw("close")
      assert.strictEqual(atServer.closeError?.reason._tag, "ConnectionLost")
      assert.deepStrictEqual(atServer.events, ["close"])
      assert.strictEqual(client.bufferedBytes, 0)
      assert.isFalse(server.write(bytes("late")))
    }).pipe(Effect.scoped)
  )

  it.live("it has the addresses of its connection, and no TLS of its own", () =>
    Effect.gen(function* () {
      const [client, server, connection] = yield* makePair
      assert.strictEqual(client.local, connection.local)
      assert.strictEqual(server.peer, connection.local)
      assert.isUndefined(server.tls)
      const failure = yield* Effect.flip(server.upgrade({ role: "client" } as never))
      assert.strictEqual(failure.reason._tag, "Unsupported")
    }).pipe(Effect.scoped)
  )

  it.live("a drain is told to whoever has taken the stream", () =>
    Effect.gen(function* () {
      const [client, , , session] = yield* makePair
      const atClient = record(client)
      session.drain()
      yield* atClient.saw("end")
      session.cut()
      yield* atClient.saw("close")
    }).pipe(Effect.scoped)
  )
})
