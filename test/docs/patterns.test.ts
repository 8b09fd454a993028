/** The programs of docs/patterns do what they say. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Lines, Listener, MemoryNetwork, TcpClient, TcpServer, type Tls } from "@sluice/core"
import { NodeCertificates, NodeTransport } from "@sluice/node"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as NetAddress from "effect/net/NetAddress"
import * as Queue from "effect/Queue"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Echo } from "../../docs/patterns/01-echo-server.ts"
import { LineServer } from "../../docs/patterns/02-line-server.ts"
import { FrameServer, frameCodec } from "../../docs/patterns/03-framed-connection.ts"
import { ask } from "../../docs/patterns/04-client.ts"
import { talk } from "../../docs/patterns/05-interactive-client.ts"
import { makePool } from "../../docs/patterns/06-connection-pool.ts"
import * as GracefulShutdown from "../../docs/patterns/07-graceful-shutdown.ts"
import { forward } from "../../docs/patterns/08-forwarder.ts"
import * as TlsPattern from "../../docs/patterns/09-tls.ts"
import * as Certificates from "../harness/Certificates.ts"
import * as NodeNet from "../harness/NodeNet.ts"
import { connect, converse, rest, target } from "./InMemory.ts"
import { onListener } from "./OnLoopback.ts"

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("1 echo server", () => {
  it.effect("sends back what came, and ends when its client does", () =>
    converse(
      Echo,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.send("one")
        assert.strictEqual(text(yield* connection.receive), "one")
        yield* connection.send("two")
        yield* connection.end
        assert.strictEqual(yield* rest(connection), "two")
        yield* connection.closed
        const { closed } = yield* (yield* TcpServer.TcpServer).stats
        assert.deepStrictEqual(closed, { Finished: 1 })
      })
    )
  )
})

describe("2 line protocol server", () => {
  it.effect("answers each line", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.send("HELLO\r\nhel")
        yield* connection.send("lo\n\nQUIT\nHELLO\n")
        assert.strictEqual(yield* rest(connection), "WORLD\nECHO: hello\nECHO: \nBYE\n")
      })
    )
  )
  it.effect("ends a connection whose line is too long", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.send("x".repeat(65_537))
        yield* connection.end
        assert.strictEqual(yield* rest(connection), "")
        yield* connection.closed
        const { closed } = yield* (yield* TcpServer.TcpServer).stats
        assert.deepStrictEqual(closed, { FrameTooLarge: 1 })
      })
    )
  )
})

describe("3 framed connection", () => {
  it.effect("loses no byte when the codec changes, also when all came at once", () =>
    converse(
      FrameServer,
      Effect.gen(function* () {
        const { connection, lines } = yield* connect
        yield* connection.sendAll(["FRAMES\n", Uint8Array.of(0, 2), "ab", Uint8Array.of(0)])
        assert.strictEqual(yield* lines.receive, "OK")
        const frames = connection.framed(frameCodec)
        assert.strictEqual(text(yield* frames.receive), "ab")
        yield* connection.sendAll([Uint8Array.of(1), "c"])
        assert.strictEqual(text(yield* frames.receive), "c")
      })
    )
  )
  it.effect("refuses who says something else", () =>
    converse(
      FrameServer,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.send("HELLO\n")
        assert.strictEqual(yield* rest(connection), "ERROR: say FRAMES\n")
      })
    )
  )
  it.effect("refuses a frame above its maximum by its length alone", () =>
    converse(
      FrameServer,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.sendAll(["FRAMES\n", Uint8Array.of(0x80, 0x01)])
        assert.strictEqual(yield* rest(connection), "OK\n")
      })
    )
  )
})

describe("4 client", () => {
  it.effect("gets its answer", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        assert.strictEqual(yield* ask(target, "HELLO"), "WORLD")
      })
    )
  )
  it.effect("does not wait for ever", () =>
    converse(
      TcpServer.serve(() => Effect.never),
      Effect.gen(function* () {
        const answer = yield* Effect.forkChild(Effect.flip(ask(target, "HELLO")))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(answer))._tag, "TimeoutError")
      })
    )
  )
  it.effect("is told that the server ended instead", () =>
    converse(
      TcpServer.serve(() => Effect.void),
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(ask(target, "HELLO")))._tag, "Done")
      })
    )
  )
})

/** A terminal: what is typed, and what was shown. */
const terminal = Effect.gen(function* () {
  const typed = yield* Queue.make<Uint8Array, Cause.Done>()
  const shown: Array<string> = []
  const stdio = Stdio.layerTest({
    stdin: Stream.fromQueue(typed),
    stdout: () =>
      Sink.map(Sink.collect<string | Uint8Array>(), (chunks) => {
        for (const chunk of chunks) shown.push(typeof chunk === "string" ? chunk : text(chunk))
      })
  })
  return { typed, shown, stdio }
})

describe("5 interactive client", () => {
  it.effect("ends when the input does, after what the server still says", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { shown, stdio, typed } = yield* terminal
        yield* Queue.offerAll(typed, [bytes("HELLO\n"), bytes("bye")])
        yield* Queue.end(typed)
        yield* Effect.provide(talk(target), stdio)
        assert.strictEqual(shown.join(""), "WORLD\nECHO: bye\n")
      })
    )
  )
  it.effect("ends when the server does, whatever may still be typed", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { shown, stdio, typed } = yield* terminal
        yield* Queue.offerAll(typed, [bytes("QUIT\n")])
        yield* Effect.provide(talk(target), stdio)
        assert.strictEqual(shown.join(""), "BYE\n")
      })
    )
  )
})

describe("6 connection pool", () => {
  it.effect("shares its connections among questions", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { ask } = yield* makePool(target, 2)
        const answers = yield* Effect.forEach(["HELLO", "a", "b", "c"], ask, { concurrency: "unbounded" })
        assert.deepStrictEqual(answers, ["WORLD", "ECHO: a", "ECHO: b", "ECHO: c"])
        assert.strictEqual((yield* (yield* TcpServer.TcpServer).stats).accepted, 2)
      })
    )
  )
  it.effect("replaces a connection that ended", () =>
    converse(
      LineServer,
      Effect.gen(function* () {
        const { ask } = yield* makePool(target, 1)
        assert.strictEqual(yield* ask("QUIT"), "BYE")
        yield* TestClock.adjust(0)
        assert.strictEqual(yield* ask("HELLO"), "WORLD")
        assert.strictEqual((yield* (yield* TcpServer.TcpServer).stats).accepted, 2)
      })
    )
  )
  it.effect("gives up a connection whose answer nobody waited for", () =>
    converse(
      TcpServer.serve((connection) =>
        Effect.gen(function* () {
          const lines = connection.framed(Lines.codec)
          while (true) {
            const line = yield* lines.receive
            if (line === "slow") yield* Effect.sleep("20 seconds")
            yield* lines.send(`answer to ${line}`)
          }
        })
      ),
      Effect.gen(function* () {
        const { ask } = yield* makePool(target, 1)
        const slow = yield* Effect.forkChild(Effect.flip(ask("slow")))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(slow))._tag, "TimeoutError")
        assert.strictEqual(yield* ask("quick"), "answer to quick")
      })
    )
  )
})

describe("7 graceful shutdown", () => {
  it.effect("finishes the job that was begun, says farewell, and ends", () =>
    converse(
      GracefulShutdown.Worker,
      Effect.gen(function* () {
        const server = yield* TcpServer.TcpServer
        const busy = yield* connect
        const idle = yield* connect
        yield* busy.lines.send("a")
        yield* TestClock.adjust("1 second")
        const report = yield* Effect.forkChild(server.drain)
        assert.strictEqual(yield* rest(idle.connection), "closing: the server goes down\n")
        yield* Effect.all([idle.connection.end, busy.connection.end])
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* rest(busy.connection), "done: a\nclosing: the server goes down\n")
        assert.deepStrictEqual(yield* Fiber.join(report), { finished: 2, interrupted: 0, cut: 0 })
      }),
      GracefulShutdown.options
    )
  )
})

describe("8 forwarder", () => {
  const onLoopback = <R>(service: Layer.Layer<never, never, R>) =>
    onListener(service, NodeTransport.layerListener(NodeNet.local))

  /** Answers once it has read all. */
  const Answerer = TcpServer.serve((connection) =>
    Effect.flatMap(rest(connection), (received) => connection.send(`${received}<end>`))
  )

  it.live("keeps the half-close, and tells who is asking", () =>
    Effect.gen(function* () {
      const address = yield* onLoopback(forward(yield* onLoopback(Answerer)))
      const connection = yield* TcpClient.connect(address)
      yield* connection.send("a question")
      yield* connection.end
      const from = connection.local as NetAddress.InetAddress
      const to = connection.peer as NetAddress.InetAddress
      const header = `PROXY TCP4 127.0.0.1 127.0.0.1 ${from.port} ${to.port}\r\n`
      assert.strictEqual(yield* rest(connection), `${header}a question<end>`)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("closes the connection of a client when there is nobody behind it", () =>
    Effect.gen(function* () {
      const closed = yield* Effect.scoped(NodeTransport.makeListener(NodeNet.local))
      const connection = yield* TcpClient.connect(yield* onLoopback(forward(closed.address)))
      assert.strictEqual(yield* rest(connection), "")
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )

  it.effect("takes no more than the slower side does", () =>
    converse(
      Layer.unwrap(Effect.map(slowServer, ({ address }) => forward(address))),
      Effect.gen(function* () {
        const { connection } = yield* connect
        const flood = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 64 }), () => connection.send(new Uint8Array(65_536)))
        )
        // Far more turns than the flood takes when nothing holds it back.
        for (let turn = 0; turn < 10_000; turn++) yield* Effect.yieldNow
        assert.isUndefined(flood.pollUnsafe())
        const { receivedBytes } = yield* (yield* TcpServer.TcpServer).stats
        assert.isBelow(receivedBytes, 10 * 65_536)
        yield* Fiber.interrupt(flood)
      })
    )
  )
})

/** A server that reads nothing. */
const slowServer = Effect.gen(function* () {
  const network = yield* MemoryNetwork.MemoryNetwork
  const listener = yield* network.listen({ port: 0 })
  const server = yield* Effect.provideService(TcpServer.make(), Listener.Listener, listener)
  yield* Effect.forkScoped(server.run(() => Effect.never))
  return server
}).pipe(Effect.orDie)

describe("9 TLS", () => {
  const files = (name: "a" | "b") => ({
    certificate: NodeNet.tlsFile(`${name}.pem`),
    key: NodeNet.tlsFile(`${name}.key`)
  })

  /** The greeter on a free port. */
  const greeter = (certificates: Tls.TlsCertificates) =>
    onListener(TlsPattern.Greeter, TlsPattern.listener(0, certificates, Certificates.authority))

  it.live("greets a client by its certificate, and refuses one without", () =>
    Effect.gen(function* () {
      const address = yield* greeter(yield* NodeCertificates.fromFiles(files("a")))
      const client = Certificates.trusting("a.test", { identity: Certificates.identity("client") })
      assert.strictEqual(yield* TlsPattern.greet(address, client), "hello, CN=client.test")
      const stranger = { ...client, identity: Certificates.identity("stranger") }
      yield* Effect.flip(TlsPattern.greet(address, stranger))
      const wrongName = yield* NodeNet.reasonOf(
        Effect.scoped(TcpClient.connect(address, { tls: { ...client, serverName: "b.test" } })),
        "TlsHandshakeFailed"
      )
      assert.strictEqual(wrongName.fault, "peer")
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("shows a new certificate from the next handshake on", () =>
    Effect.gen(function* () {
      const directory = yield* NodeNet.temporaryDirectory
      const served = { certificate: Path.join(directory, "server.pem"), key: Path.join(directory, "server.key") }
      const install = (name: "a" | "b") => {
        Fs.copyFileSync(files(name).certificate, served.certificate)
        Fs.copyFileSync(files(name).key, served.key)
      }
      install("a")
      const certificates = yield* NodeCertificates.fromFiles(served)
      const address = yield* greeter(certificates)
      const identity = Certificates.identity("client")
      const before = yield* TcpClient.connect(address, { tls: Certificates.trusting("a.test", { identity }) })
      install("b")
      yield* certificates.reload
      assert.strictEqual(
        yield* TlsPattern.greet(address, Certificates.trusting("b.test", { identity })),
        "hello, CN=client.test"
      )
      assert.strictEqual(yield* before.framed(Lines.codec).receive, "hello, CN=client.test")
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )
})
