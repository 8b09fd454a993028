import { X509Certificate } from "node:crypto"
import type * as Net from "node:net"
import * as Path from "node:path"
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import type { TlsClientOptions, TlsServerOptions } from "@sluice/core/transport/Tls"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import { authority, identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import {
  closed,
  dialTo,
  listen,
  local,
  pair,
  portOf,
  rawClient,
  reasonOf,
  take,
  temporaryDirectory,
  tlsText
} from "../harness/NodeNet.ts"
import { bytes, echo, record, turns } from "../harness/TransportContract.ts"

leaveNoHandles()

const listenTls = (tls?: Partial<TlsServerOptions>) =>
  listen({ ...local, tls: { certificates: identity("a"), ...tls } })

const byName = { resolve: (serverName: string | undefined) => (serverName === "b.test" ? identities.b : identities.a) }
const identities = { a: identity("a"), b: identity("b") }

const subjectOf = (name: string) => new X509Certificate(tlsText(`${name}.pem`)).subject

/** Dials, takes the server's side, and exchanges a byte each way. */
const exchange = Effect.fnUntraced(function* (server: TlsServerOptions, client: TlsClientOptions) {
  const [atClient, atServer] = yield* pair({ ...local, tls: server }, { tls: client })
  echo(atServer)
  const received = record(atClient)
  atClient.write(bytes("!"))
  yield* received.until((self) => self.text === "!")
  return [atClient.tls!, atServer.tls!] as const
})

describe("handshakes", () => {
  it.live("agree on a protocol, a cipher, a name, and say who was verified", () =>
    Effect.gen(function* () {
      const [client, server] = yield* exchange({ certificates: identity("a") }, trusting("a.test"))
      assert.deepInclude(client, {
        protocol: "TLSv1.3",
        serverName: "a.test",
        alpnProtocol: undefined,
        authorized: true
      })
      assert.strictEqual(client.peerCertificate?.subject, "CN=a.test")
      assert.strictEqual(client.peerCertificate?.issuer, "CN=Sluice test authority")
      assert.strictEqual(client.peerCertificate?.subjectAltName, "DNS:a.test, DNS:localhost, IP Address:127.0.0.1")
      assert.match(client.peerCertificate?.fingerprint256 ?? "", /^[0-9a-f]{64}$/)
      assert.match(client.cipher, /^TLS_/)
      assert.deepInclude(server, { protocol: "TLSv1.3", serverName: "a.test", authorized: false })
      assert.isUndefined(server.peerCertificate)
    }).pipe(Effect.scoped)
  )

  it.live("SNI picks the certificate; a client without a name gets the default", () =>
    Effect.gen(function* () {
      const [named] = yield* exchange({ certificates: byName }, trusting("b.test"))
      assert.strictEqual(named.peerCertificate?.subject, subjectOf("b"))
      const [unnamed] = yield* exchange({ certificates: byName }, trusting("127.0.0.1"))
      assert.strictEqual(unnamed.peerCertificate?.subject, subjectOf("a"))
      assert.isUndefined(unnamed.serverName)
      assert.isTrue(unnamed.authorized)
    }).pipe(Effect.scoped)
  )

  it.live("certificates are asked for at every handshake", () =>
    Effect.gen(function* () {
      let current = identities.a
      const certificates = { resolve: () => current }
      const { listener, transports } = yield* listen({ ...local, tls: { certificates } })
      for (const name of ["a", "b", "a"] as const) {
        current = identities[name]
        for (const serverName of ["a.test", "127.0.0.1"]) {
          const tls = trusting(serverName, { verification: "skip" })
          const client = yield* dialTo(listener.address, { tls })
          yield* take(transports)
          assert.strictEqual(client.tls?.peerCertificate?.subject, subjectOf(name), `${name} for ${serverName}`)
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("ALPN: the server's preference among the client's; none when nobody offers", () =>
    Effect.gen(function* () {
      const certificates = identity("a")
      const [client, server] = yield* exchange(
        { certificates, alpnProtocols: ["h2", "http/1.1"] },
        trusting("a.test", { alpnProtocols: ["http/1.1", "h2"] })
      )
      assert.strictEqual(client.alpnProtocol, "h2")
      assert.strictEqual(server.alpnProtocol, "h2")
      const [without] = yield* exchange({ certificates, alpnProtocols: ["h2"] }, trusting("a.test"))
      assert.isUndefined(without.alpnProtocol)
    }).pipe(Effect.scoped)
  )

  it.live("RFC 7301 §3.2: no common protocol ends the handshake", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listenTls({ alpnProtocols: ["h2"] })
      const tls = trusting("a.test", { alpnProtocols: ["ftp"] })
      yield* reasonOf(dialTo(listener.address, { tls }), "TlsHandshakeFailed")
      assert.strictEqual((yield* Queue.take(refusals)).reason._tag, "TlsHandshakeFailed")
    }).pipe(Effect.scoped)
  )

  it.live("minVersion is kept by both sides", () =>
    Effect.gen(function* () {
      const { listener } = yield* listenTls({ minVersion: "TLSv1.3" })
      const socket = Tls.connect({ port: portOf(listener), host: "127.0.0.1", ca: authority, maxVersion: "TLSv1.2" })
      const code = yield* Effect.callback<string | undefined>((resume) => {
        socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code)))
      })
      assert.strictEqual(code, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
    }).pipe(Effect.scoped)
  )

  it.live("over a Unix socket, with the name that is asked for", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryDirectory, "tls.sock")
      const [client] = yield* pair({ path, tls: { certificates: identity("a") } }, { tls: trusting("a.test") })
      assert.isTrue(client.tls?.authorized)
    }).pipe(Effect.scoped)
  )
})

describe("a server that is not who it should be", () => {
  const cases: ReadonlyArray<readonly [rule: string, options: TlsClientOptions, code: string]> = [
    ["another name", { serverName: "b.test", authorities: authority }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["an unknown authority", { serverName: "a.test" }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]
  ]
  for (const [rule, tls, code] of cases) {
    it.live(`${rule} is refused, unless verification is skipped`, () =>
      Effect.gen(function* () {
        const { listener } = yield* listenTls()
        const reason = yield* reasonOf(dialTo(listener.address, { tls }), "TlsHandshakeFailed")
        assert.strictEqual(reason.code, code)
        const client = yield* dialTo(listener.address, { tls: { ...tls, verification: "skip" } })
        assert.isFalse(client.tls?.authorized)
      }).pipe(Effect.scoped)
    )
  }

  it.live("a server that speaks no TLS", () =>
    Effect.gen(function* () {
      const { listener, transports } = yield* listen(local)
      const dialing = yield* Effect.forkChild(
        reasonOf(dialTo(listener.address, { tls: trusting("a.test") }), "TlsHandshakeFailed")
      )
      const server = yield* take(transports)
      record(server, { onBytes: () => server.write(bytes("220 hello, I speak first and in clear")) })
      yield* Fiber.join(dialing)
    }).pipe(Effect.scoped)
  )
})

describe("client certificates", () => {
  const require = { certificates: identity("a"), authorities: authority, clientCertificates: "require" } as const

  it.live("require: a client that the authority vouches for", () =>
    Effect.gen(function* () {
      const [, server] = yield* exchange(require, trusting("a.test", { identity: identity("client") }))
      assert.isTrue(server.authorized)
      assert.strictEqual(server.peerCertificate?.subject, "CN=client.test")
    }).pipe(Effect.scoped)
  )

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const [rule, own] of [
      ["none", undefined],
      ["a stranger's", identity("stranger")]
    ] as const) {
      it.live(`require, ${version}: a client with ${rule} is refused, and never handed over`, () =>
        Effect.gen(function* () {
          const { listener, refusals, transports } = yield* listen({ ...local, tls: require })
          const socket = Tls.connect({
            port: portOf(listener),
            host: "127.0.0.1",
            ca: authority,
            maxVersion: version,
            ...(own === undefined ? {} : { cert: tlsText("stranger.pem"), key: tlsText("stranger.key") })
          })
          socket.on("error", () => {})
          socket.on("secureConnect", () => socket.write("sent before the verdict"))
          const { reason } = yield* Queue.take(refusals)
          assert.strictEqual(reason._tag, "TlsHandshakeFailed", reason.message)
          yield* closed(socket)
          assert.strictEqual(yield* Queue.size(transports), 0)
        }).pipe(Effect.scoped)
      )
    }
  }

  it.live("require, TLS 1.3: a client that learns late learns why", () =>
    Effect.gen(function* () {
      const { listener } = yield* listen({ ...local, tls: require })
      const received = record(yield* dialTo(listener.address, { tls: trusting("a.test") }))
      yield* received.saw("close")
      assert.strictEqual(received.receivedBytes, 0)
      assert.deepInclude(received.closeError?.reason, {
        _tag: "TlsHandshakeFailed",
        code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
      })
    }).pipe(Effect.scoped)
  )

  it.live("request reports the verdict and lets the client in", () =>
    Effect.gen(function* () {
      const request = { ...require, clientCertificates: "request" } as const
      const [, none] = yield* exchange(request, trusting("a.test"))
      assert.isFalse(none.authorized)
      assert.isUndefined(none.peerCertificate)
      const [, stranger] = yield* exchange(request, trusting("a.test", { identity: identity("stranger") }))
      assert.isFalse(stranger.authorized)
      const [, client] = yield* exchange(request, trusting("a.test", { identity: identity("client") }))
      assert.isTrue(client.authorized)
    }).pipe(Effect.scoped)
  )
})

describe("connections that never become TLS", () => {
  it.live("garbage is refused", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listenTls()
      const client = yield* rawClient(listener)
      client.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
      const { reason } = yield* Queue.take(refusals)
      assert.strictEqual(reason._tag, "TlsHandshakeFailed", reason.message)
      yield* closed(client)
    }).pipe(Effect.scoped)
  )

  for (const [rule, leave] of [
    ["resets", (client: Net.Socket) => client.resetAndDestroy()],
    ["ends", (client: Net.Socket) => client.end()]
  ] as const) {
    it.live(`a client that ${rule} the connection is refused`, () =>
      Effect.gen(function* () {
        const { listener, refusals } = yield* listenTls()
        leave(yield* rawClient(listener))
        assert.deepInclude((yield* Queue.take(refusals)).reason, { _tag: "TlsHandshakeFailed", code: "ECONNRESET" })
      }).pipe(Effect.scoped)
    )
  }

  it.live("a handshake that trickles in is refused after the timeout", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listenTls({ handshakeTimeout: "60 millis" })
      const client = yield* rawClient(listener)
      // The head of a record of 512 bytes, then a byte at a time: never silent for long.
      client.write(Buffer.from("1603010200010001fc0303", "hex"))
      const trickle = setInterval(() => client.write(Uint8Array.of(0)), 10)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(trickle)))
      assert.deepInclude((yield* Queue.take(refusals)).reason, { _tag: "TlsHandshakeTimeout", limitMillis: 60 })
      yield* closed(client)
    }).pipe(Effect.scoped)
  )

  it.live("closing the listener destroys handshakes, and frees their place", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listenTls({})
      const client = yield* rawClient(listener)
      const later = yield* rawClient(listener)
      later.write("no TLS")
      yield* Queue.take(refusals)
      yield* listener.close
      yield* closed(client)
    }).pipe(Effect.scoped)
  )

  it.live("handshakes count as connections", () =>
    Effect.gen(function* () {
      const { listener, refusals } = yield* listen({
        ...local,
        maxConnections: 1,
        tls: { certificates: identity("a") }
      })
      const first = yield* rawClient(listener)
      yield* closed(yield* rawClient(listener))
      assert.strictEqual((yield* Queue.take(refusals)).reason._tag, "TooManyConnections")
      first.resetAndDestroy()
      assert.strictEqual((yield* Queue.take(refusals)).reason._tag, "TlsHandshakeFailed")
      const client = yield* dialTo(listener.address, { tls: trusting("a.test") })
      assert.isTrue(client.tls?.authorized)
    }).pipe(Effect.scoped)
  )
})

describe("certificates that cannot be used", () => {
  const unusable: ReadonlyArray<readonly [certificate: string, key: string, source: string]> = [
    [tlsText("a.pem"), tlsText("b.key"), "the listener's certificate and key"],
    ["none", tlsText("a.key"), "the listener's certificate"],
    [tlsText("a.pem"), "none", "the listener's key"]
  ]
  for (const [certificate, key, source] of unusable) {
    it.live(`${source} fails the listener, and is named`, () =>
      Effect.gen(function* () {
        const identity = { certificate, key: Redacted.make(key) }
        for (const certificates of [identity, { resolve: () => identity }]) {
          const listening = NodeTransport.makeListener({ ...local, tls: { certificates } })
          assert.strictEqual((yield* reasonOf(listening, "CertificateInvalid")).source, source)
        }
      }).pipe(Effect.scoped)
    )
  }

  it.live("a client's own identity that is no PEM", () =>
    Effect.gen(function* () {
      const { listener } = yield* listenTls()
      const tls = trusting("a.test", { identity: { certificate: "none", key: Redacted.make("none") } })
      const reason = yield* reasonOf(dialTo(listener.address, { tls }), "CertificateInvalid")
      assert.strictEqual(reason.source, "the client's certificate")
    }).pipe(Effect.scoped)
  )
})

describe("STARTTLS", () => {
  const server = { role: "server", certificates: identity("a") } as const
  const client = { role: "client", ...trusting("a.test") } as const

  it.live("both sides upgrade in place, and count on", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const clear = record(atServer)
      const answers = record(atClient)
      atClient.write(bytes("STARTTLS"))
      yield* clear.until((self) => self.text === "STARTTLS")
      atServer.write(bytes("go"))
      yield* answers.until((self) => self.text === "go")
      const [info] = yield* Effect.all([atClient.upgrade(client), atServer.upgrade(server)], {
        concurrency: "unbounded"
      })
      assert.strictEqual(info.protocol, "TLSv1.3")
      assert.strictEqual(atClient.tls, info)
      assert.strictEqual(atServer.tls?.serverName, "a.test")
      atClient.write(bytes("secret"))
      yield* clear.until((self) => self.text === "STARTTLSsecret")
      assert.strictEqual(atServer.receivedBytes, 14)
      assert.strictEqual(atClient.sentBytes, 14)
      atServer.end()
      yield* answers.saw("end")
      atClient.end()
      yield* answers.saw("close")
      yield* clear.saw("close")
      assert.isUndefined(answers.closeError)
      assert.isUndefined(clear.closeError)
    }).pipe(Effect.scoped)
  )

  it.live("what is written during the handshake waits for it, and the end too", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const received = record(atServer)
      const answers = record(atClient)
      const upgrades = yield* Effect.forkChild(
        Effect.all([atClient.upgrade(client), atServer.upgrade(server)], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      assert.isFalse(atClient.write(bytes("held")))
      assert.isFalse(atServer.write(bytes("held too")))
      assert.strictEqual(atClient.bufferedBytes, 4)
      atClient.end()
      assert.isFalse(atClient.write(bytes("dropped")))
      yield* Fiber.join(upgrades)
      yield* received.saw("end")
      assert.strictEqual(received.text, "held")
      yield* answers.until((self) => self.text === "held too")
      yield* received.saw("drain")
      assert.strictEqual(atClient.sentBytes, 4)
    }).pipe(Effect.scoped)
  )

  it.live("a paused transport stays paused", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const received = record(atServer)
      atServer.pause()
      yield* Effect.all([atClient.upgrade(client), atServer.upgrade(server)], { concurrency: "unbounded" })
      atClient.write(bytes("wait"))
      atClient.end()
      yield* turns
      assert.deepStrictEqual(received.events, [])
      atServer.resume()
      yield* received.saw("end")
      assert.strictEqual(received.text, "wait")
    }).pipe(Effect.scoped)
  )

  it.live("a handshake that fails destroys the transport, and tells it once", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const atClientRecord = record(atClient)
      const received = record(atServer)
      const upgrade = yield* Effect.forkChild(reasonOf(atServer.upgrade(server), "TlsHandshakeFailed"), {
        startImmediately: true
      })
      atClient.write(bytes("this is no TLS record"))
      yield* Fiber.join(upgrade)
      yield* received.saw("close")
      yield* turns
      assert.deepStrictEqual(received.events, ["close"])
      assert.strictEqual(received.closeError?.reason._tag, "TlsHandshakeFailed")
      yield* Effect.race(atClientRecord.saw("end"), atClientRecord.saw("close"))
    }).pipe(Effect.scoped)
  )

  it.live("a transport that is resumed during the handshake leaves the handshake its bytes", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const received = record(atServer)
      atServer.pause()
      const upgrade = yield* Effect.forkChild(atServer.upgrade(server), { startImmediately: true })
      atServer.resume()
      yield* atClient.upgrade(client)
      yield* Fiber.join(upgrade)
      atClient.write(bytes("secret"))
      yield* received.until((self) => self.text === "secret")
    }).pipe(Effect.scoped)
  )

  for (const role of ["client", "server"] as const) {
    it.live(`as ${role}: a peer that goes away during the handshake`, () =>
      Effect.gen(function* () {
        const [atClient, atServer] = yield* pair(local)
        const [own, peer] = role === "client" ? [atClient, atServer] : [atServer, atClient]
        const received = record(own)
        const options = role === "client" ? client : server
        const upgrade = yield* Effect.forkChild(reasonOf(own.upgrade(options), "TlsHandshakeFailed"), {
          startImmediately: true
        })
        peer.destroy()
        yield* Fiber.join(upgrade)
        yield* received.saw("close")
        yield* turns
        assert.deepStrictEqual(received.events, ["close"])
        assert.strictEqual(received.closeError?.reason._tag, "TlsHandshakeFailed")
      }).pipe(Effect.scoped)
    )
  }

  it.live("a handshake that nobody answers", () =>
    Effect.gen(function* () {
      for (const role of ["client", "server"] as const) {
        const [atClient, atServer] = yield* pair(local)
        const transport = role === "client" ? atClient : atServer
        const received = record(transport)
        const options = role === "client" ? client : server
        yield* reasonOf(transport.upgrade({ ...options, handshakeTimeout: "30 millis" }), "TlsHandshakeTimeout")
        yield* received.saw("close")
        assert.strictEqual(received.closeError?.reason._tag, "TlsHandshakeTimeout")
      }
    }).pipe(Effect.scoped)
  )

  it.live("interruption destroys the transport", () =>
    Effect.gen(function* () {
      const [atClient] = yield* pair(local)
      const received = record(atClient)
      const upgrade = yield* Effect.forkChild(atClient.upgrade(client), { startImmediately: true })
      yield* Fiber.interrupt(upgrade)
      yield* received.saw("close")
      assert.isUndefined(received.closeError)
    }).pipe(Effect.scoped)
  )

  it.live("destroy during the handshake closes with the error it was given", () =>
    Effect.gen(function* () {
      const [, atServer] = yield* pair(local)
      const received = record(atServer)
      const upgrade = yield* Effect.forkChild(Effect.flip(atServer.upgrade(server)), { startImmediately: true })
      const error = TransportError.make(new TransportError.IdleTimeout(1_000))
      atServer.destroy(error)
      yield* received.saw("close")
      yield* Fiber.join(upgrade)
      assert.strictEqual(received.closeError, error)
      assert.deepStrictEqual(received.events, ["close"])
    }).pipe(Effect.scoped)
  )

  it.live("an upgrade of what speaks TLS already, and of what is closed", () =>
    Effect.gen(function* () {
      const [atClient] = yield* pair({ ...local, tls: { certificates: identity("a") } }, { tls: trusting("a.test") })
      yield* reasonOf(atClient.upgrade(client), "Unsupported")
      const [other] = yield* pair(local)
      other.destroy()
      yield* reasonOf(other.upgrade(client), "Closed")
    }).pipe(Effect.scoped)
  )

  it.live("CVE-2011-0411: clear bytes behind the command never pass as protected", () =>
    Effect.gen(function* () {
      const [atClient, atServer] = yield* pair(local)
      const received = record(atServer, { onBytes: () => atServer.pause() })
      atClient.write(bytes("STARTTLS"))
      yield* received.saw("bytes")
      atClient.write(bytes("injected"))
      yield* turns
      yield* reasonOf(atServer.upgrade(server), "TlsHandshakeFailed")
      atServer.resume()
      yield* received.saw("close")
      assert.strictEqual(received.text, "STARTTLS")
    }).pipe(Effect.scoped)
  )
})
