import { assert, describe, it } from "@effect/vitest"
import type { Connection } from "@sluice/core/session/Connection"
import * as ConnectionSocket from "@sluice/core/session/ConnectionSocket"
import { ReceiveBuffer } from "@sluice/core/session/ReceiveBuffer"
import type { TlsUpgrade } from "@sluice/core/transport/Tls"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Socket from "effect/socket/Socket"
import * as Connected from "../../harness/Connected.ts"
import { StubTransport } from "../../harness/StubTransport.ts"
import { bytes, turns } from "../../harness/TransportContract.ts"

const reasonOf = <A, R>(effect: Effect.Effect<A, Socket.SocketError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

/** The reader's failure, which must be a close. Its code. */
const closeCodeOf = <A, R>(effect: Effect.Effect<A, Socket.SocketError, R>) =>
  Effect.map(reasonOf(effect), (reason) => (reason._tag === "SocketCloseError" ? reason.code : reason._tag))

const textOf = (chunks: ReadonlyArray<Uint8Array | string>): string =>
  chunks.map((chunk) => (typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk))).join("|")

describe("Effect's own combinators", () => {
  it.effect("a connection is a Socket", () =>
    Effect.gen(function* () {
      const { connection } = yield* Connected.make()
      assert.isTrue(Socket.isSocket(connection))
    })
  )

  it.effect("toChannel: writes what it is given, half-closes, and reads to the clean end", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      const received: Array<string> = []
      const fiber = yield* Stream.make("he", "llo").pipe(
        Stream.map(bytes),
        Stream.pipeThroughChannelOrFail(Socket.toChannel(connection)),
        Stream.runForEach((chunk) => Effect.sync(() => received.push(textOf([chunk])))),
        Effect.forkChild
      )
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "hello")
      peer.write(bytes("answer"))
      yield* turns
      peer.end()
      assert.strictEqual(yield* closeCodeOf(Fiber.join(fiber)), 1000)
      assert.deepStrictEqual(received, ["answer"])
      yield* connection.closed
    })
  )

  it.effect("toChannel: a write that fails ends the read that waits", () =>
    Effect.gen(function* () {
      const { connection } = yield* Connected.make()
      yield* connection.end
      const reason = yield* reasonOf(
        Stream.make(bytes("late")).pipe(Stream.pipeThroughChannelOrFail(Socket.toChannel(connection)), Stream.runDrain)
      )
      assert.strictEqual(reason._tag, "SocketWriteError")
    })
  )

  it.effect("readerString: characters that are cut are joined", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const pull = yield* Socket.readerString(connection)
      const [first, second] = [bytes("a€").slice(0, 2), bytes("a€").slice(2)]
      peer.write(first)
      assert.strictEqual(textOf(yield* pull), "a")
      peer.write(second)
      assert.strictEqual(textOf(yield* pull), "€")
      peer.end()
      assert.strictEqual(yield* closeCodeOf(pull), 1000)
    })
  )
})

describe("reader", () => {
  it.effect("a clean end is code 1000, after what was buffered, again and again", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const { pull } = yield* connection.reader
      peer.write(bytes("last"))
      peer.end()
      yield* turns
      assert.strictEqual(textOf(yield* pull), "last")
      assert.strictEqual(yield* closeCodeOf(pull), 1000)
      assert.strictEqual(yield* closeCodeOf(pull), 1000)
    })
  )

  it.effect("a loss is code 1006 with what is known of it, after what was buffered", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const { pull } = yield* connection.reader
      peer.write(bytes("last"))
      yield* turns
      peer.destroy()
      yield* connection.closed
      assert.strictEqual(textOf(yield* pull), "last")
      const reason = yield* reasonOf(pull)
      assert.isTrue(reason._tag === "SocketCloseError" && reason.code === 1006)
      assert.include(reason.message, "ECONNRESET")
    })
  )

  it.effect("a loss fails a pull that waits", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const { pull } = yield* connection.reader
      const waiting = yield* Effect.forkChild(pull)
      yield* turns
      peer.destroy()
      assert.strictEqual(yield* closeCodeOf(Fiber.join(waiting)), 1006)
    })
  )

  it.effect("a drain is a clean end, after what is buffered", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      const { pull } = yield* connection.reader
      peer.write(bytes("a"))
      yield* turns
      owned.drain()
      assert.strictEqual(textOf(yield* pull), "a")
      assert.strictEqual(yield* closeCodeOf(pull), 1000)
    })
  )

  it.effect("closing its scope fails a pull that waits, and leaves connection and bytes to the next reader", () =>
    Effect.gen(function* () {
      const { connection, owned, peer } = yield* Connected.make()
      const scope = yield* Scope.make()
      const { pull } = yield* Scope.provide(connection.reader, scope)
      const waiting = yield* Effect.forkChild(pull)
      yield* turns
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* closeCodeOf(Fiber.join(waiting)), 1006)
      peer.write(bytes("kept"))
      yield* turns
      assert.strictEqual(yield* closeCodeOf(pull), 1006)
      assert.strictEqual(owned.state, "open")
      const next = yield* connection.reader
      assert.strictEqual(textOf(yield* next.pull), "kept")
    })
  )

  it.effect("closing the scope of one that does not wait disturbs nobody who does", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const scope = yield* Scope.make()
      yield* Scope.provide(connection.reader, scope)
      const waiting = yield* Effect.forkChild(connection.receive)
      yield* turns
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(waiting.pollUnsafe())
      peer.write(bytes("a"))
      assert.strictEqual(textOf([yield* Fiber.join(waiting)]), "a")
    })
  )

  it.effect("an interrupted pull loses no byte", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make()
      const { pull } = yield* connection.reader
      const waiting = yield* Effect.forkChild(pull)
      yield* turns
      yield* Fiber.interrupt(waiting)
      peer.write(bytes("a"))
      yield* turns
      assert.strictEqual(textOf(yield* pull), "a")
    })
  )
})

describe("writer", () => {
  it.effect("writes bytes and text, one and many", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      const writer = yield* connection.writer
      yield* writer.write(bytes("a"))
      yield* writer.write("é")
      yield* writer.writeAll(["b", bytes("c")])
      yield* turns
      assert.strictEqual(heard.text, "aébc")
    })
  )

  it.effect("its release half-closes, after what was written; receiving goes on", () =>
    Effect.gen(function* () {
      const { connection, heard, peer } = yield* Connected.make()
      yield* Effect.scoped(Effect.flatMap(connection.writer, (writer) => writer.write("last")))
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "last")
      peer.write(bytes("answer"))
      assert.strictEqual(textOf([yield* connection.receive]), "answer")
    })
  )

  it.effect("a close event half-closes; what is written after it fails", () =>
    Effect.gen(function* () {
      const { connection, heard } = yield* Connected.make()
      const writer = yield* connection.writer
      yield* writer.write("last")
      yield* writer.write(new Socket.CloseEvent(1000))
      assert.strictEqual((yield* reasonOf(writer.write("more")))._tag, "SocketWriteError")
      assert.strictEqual((yield* reasonOf(writer.writeAll(["more"])))._tag, "SocketWriteError")
      yield* heard.saw("end")
      assert.strictEqual(heard.text, "last")
    })
  )

  it.effect("a write after the loss fails, and so does one that waited for room", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* Connected.make({ bufferBytes: 10, sendBuffer: 10, peerReads: "never" })
      const writer = yield* connection.writer
      yield* writer.write(new Uint8Array(100))
      yield* writer.write(new Uint8Array(100))
      const waiting = yield* Effect.forkChild(writer.write(new Uint8Array(100)))
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      peer.destroy()
      assert.strictEqual((yield* reasonOf(Fiber.join(waiting)))._tag, "SocketWriteError")
      assert.strictEqual((yield* reasonOf(writer.write("more")))._tag, "SocketWriteError")
    })
  )
})

describe("openError", () => {
  it("tells a timeout from the rest, and keeps the cause", () => {
    const timeout = TransportError.make(new TransportError.ConnectTimeout("a:1", 10))
    const refused = TransportError.make(new TransportError.ConnectionRefused("a:1"))
    for (const [error, kind] of [
      [timeout, "Timeout"],
      [refused, "Unknown"]
    ] as const) {
      const { reason } = ConnectionSocket.openError(error)
      assert.strictEqual(reason._tag, "SocketOpenError")
      if (reason._tag !== "SocketOpenError") continue
      assert.strictEqual(reason.kind, kind)
      assert.strictEqual(reason.cause, error)
    }
  })
})

describe("upgrade", () => {
  /** What the connection is asked for; it refuses. */
  const requestOf = (role: Connection["role"], options?: Socket.TlsUpgradeOptions) =>
    Effect.gen(function* () {
      const requests: Array<TlsUpgrade> = []
      const connection = {
        role,
        upgradeTls: (request: TlsUpgrade) => {
          requests.push(request)
          return Effect.fail(TransportError.make(new TransportError.Closed()))
        }
      } as unknown as Connection
      const reader = yield* ConnectionSocket.reader(connection, new ReceiveBuffer(new StubTransport(), 10))
      const reason = yield* reasonOf(reader.upgrade(options))
      assert.strictEqual(reason._tag, "SocketUpgradeError")
      return requests
    })

  const key = Redacted.make("KEY")
  const serverTable: ReadonlyArray<readonly [Socket.TlsUpgradeOptions, clientCertificates: string]> = [
    [{}, "none"],
    [{ rejectUnauthorized: true }, "none"],
    [{ requestCert: true }, "require"],
    [{ requestCert: true, rejectUnauthorized: true }, "require"],
    [{ requestCert: true, rejectUnauthorized: false }, "request"]
  ]
  /** Secrets in the open and without what is undefined, to be compared. */
  const plain = (value: unknown): unknown => {
    if (Redacted.isRedacted(value)) return Redacted.value(value)
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value
    const entries = Object.entries(value).filter(([, each]) => each !== undefined)
    return Object.fromEntries(entries.map(([name, each]) => [name, plain(each)]))
  }

  for (const [options, clientCertificates] of serverTable) {
    it.effect(`a server with ${JSON.stringify(options)} wants client certificates: ${clientCertificates}`, () =>
      Effect.gen(function* () {
        const [request] = yield* requestOf("server", { key, cert: "CERT", ...options })
        assert.deepStrictEqual(plain(request), {
          role: "server",
          certificates: { certificate: "CERT", key: "KEY" },
          clientCertificates
        })
      })
    )
  }

  it.effect("a client verifies, unless it is told not to", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(plain((yield* requestOf("client"))[0]), { role: "client", verification: "verify" })
      const [request] = yield* requestOf("client", {
        servername: "a.test",
        ca: "CA",
        alpnProtocols: ["x"],
        rejectUnauthorized: false
      })
      assert.deepStrictEqual(plain(request), {
        role: "client",
        serverName: "a.test",
        authorities: "CA",
        alpnProtocols: ["x"],
        verification: "skip"
      })
    })
  )

  it.effect("a client's identity may come in parts, as text or bytes", () =>
    Effect.gen(function* () {
      const [request] = yield* requestOf("client", {
        key: [key, Redacted.make(bytes("KEY2"))],
        cert: ["CERT", bytes("CERT2")],
        passphrase: Redacted.make("word")
      })
      assert.deepStrictEqual(plain(request), {
        role: "client",
        identity: { certificate: "CERT\nCERT2", key: "KEY\nKEY2", passphrase: "word" },
        verification: "verify"
      })
    })
  )

  it.effect("half an identity, and a server's lack of one, are refused before the transport is asked", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestOf("client", { key }), [])
      assert.deepStrictEqual(yield* requestOf("client", { cert: "CERT" }), [])
      assert.deepStrictEqual(yield* requestOf("server", {}), [])
      assert.deepStrictEqual(yield* requestOf("server", { key: [], cert: [] }), [])
    })
  )
})
