import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as ProxyHeader from "@sluice/core/protocol/proxy/ProxyHeader"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"
import { authority, identity } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { closed, listen, local, rawClient, take } from "../harness/NodeNet.ts"
import { record } from "../harness/TransportContract.ts"

leaveNoHandles()

const source = NetAddress.inetAddressFromStringUnsafe("192.0.2.1:56324")
const destination = NetAddress.inetAddressFromStringUnsafe("198.51.100.1:443")
const v1 = ProxyHeader.encodeV1(source, destination)
const v2 = ProxyHeader.encodeV2({
  addresses: { source, destination },
  tlvs: [{ type: 0xe0, value: Uint8Array.of(7) }],
  checksum: true
})

const trusting = { ...local, proxyProtocol: { trusted: ["127.0.0.0/8"] } }

const refusal = (refusals: Queue.Queue<TransportError>) =>
  Effect.map(Queue.take(refusals), ({ reason }) => {
    assert.strictEqual(reason._tag, "ProxyHeaderInvalid", reason.message)
    return reason.message
  })

describe("a trusted proxy", () => {
  for (const [version, header] of Object.entries({ v1, v2 })) {
    it.live(`${version}: the client's address, and every byte behind the header`, () =>
      Effect.gen(function* () {
        const { listener, transports } = yield* listen(trusting)
        const proxy = yield* rawClient(listener)
        proxy.end(Buffer.concat([header, Buffer.from("hello")]))
        const server = yield* take(transports)
        assert.strictEqual(String(server.peer), String(source))
        assert.strictEqual(String(server.local), String(listener.address))
        const received = record(server)
        yield* received.saw("end")
        assert.strictEqual(received.text, "hello")
        assert.strictEqual(server.receivedBytes, 5)
      }).pipe(Effect.scoped)
    )

    it.live(`${version}: in pieces`, () =>
      Effect.gen(function* () {
        const { listener, transports } = yield* listen(trusting)
        const proxy = yield* rawClient(listener)
        for (const byte of header) {
          yield* Effect.callback<void>((resume) => {
            proxy.write(Uint8Array.of(byte), () => setImmediate(() => resume(Effect.void)))
          })
        }
        const server = yield* take(transports)
        assert.strictEqual(String(server.peer), String(source))
      }).pipe(Effect.scoped)
    )
  }

  it.live("LOCAL and UNKNOWN keep the real address", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(trusting)
      for (const header of [ProxyHeader.encodeV2({}), Buffer.from("PROXY UNKNOWN\r\n")]) {
        const proxy = yield* rawClient(listener)
        proxy.write(header)
        const server = yield* take(transports)
        assert.strictEqual(String(server.peer), `127.0.0.1:${proxy.localPort}`)
      }
    }).pipe(Effect.scoped)
  )

  it.live("the header comes before TLS", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ ...trusting, tls: { certificates: identity("a") } })
      const proxy = yield* rawClient(listener)
      proxy.write(v1)
      Tls.connect({ socket: proxy, servername: "a.test", ca: authority }).on("error", () => {})
      const server = yield* take(transports)
      assert.strictEqual(String(server.peer), String(source))
      assert.strictEqual(server.tls?.serverName, "a.test")
    }).pipe(Effect.scoped)
  )

  it.live("something else than a header is refused", () =>
    Effect.gen(function* () {
      const { listener, refusals, transports } = yield* listen(trusting)
      const client = yield* rawClient(listener)
      client.write("GET / HTTP/1.1\r\n")
      yield* refusal(refusals)
      yield* closed(client)
      assert.strictEqual(yield* Queue.size(transports), 0)
    }).pipe(Effect.scoped)
  )

  it.live("an end before the header's is refused", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen(trusting)
      const client = yield* rawClient(listener)
      client.end(v1.subarray(0, 10))
      yield* refusal(refusals)
      yield* closed(client)
    }).pipe(Effect.scoped)
  )

  it.live("silence is refused after the timeout", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({
        ...local,
        proxyProtocol: { trusted: ["127.0.0.1"], timeout: "20 millis" }
      })
      const client = yield* rawClient(listener)
      client.write(v2.subarray(0, 20))
      assert.include(yield* refusal(refusals), "20 ms")
      yield* closed(client)
    }).pipe(Effect.scoped)
  )

  it.live("a header of a datagram is refused", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen(trusting)
      const client = yield* rawClient(listener)
      const datagram = ProxyHeader.encodeV2({ addresses: { source, destination } })
      datagram[13] = 0x12
      client.write(datagram)
      yield* refusal(refusals)
    }).pipe(Effect.scoped)
  )

  it.live("closing the listener ends the wait for a header", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen(trusting)
      const client = yield* rawClient(listener)
      client.write(v2.subarray(0, 20))
      // A connection that came later is refused: so the first one was accepted by then.
      const later = yield* rawClient(listener)
      later.write("no header")
      yield* refusal(refusals)
      yield* listener.close
      yield* closed(client)
    }).pipe(Effect.scoped)
  )
})

describe("anyone else", () => {
  it.live("is taken as it comes, header and all", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen({ ...local, proxyProtocol: { trusted: ["192.0.2.0/24", "::1"] } })
      const client = yield* rawClient(listener)
      client.end(v1)
      const server = yield* take(transports)
      assert.strictEqual(String(server.peer), `127.0.0.1:${client.localPort}`)
      const received = record(server)
      yield* received.saw("end")
      assert.strictEqual(received.text, Buffer.from(v1).toString())
    }).pipe(Effect.scoped)
  )
})
