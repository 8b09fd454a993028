/** The programs of docs/guide do what they say. */
import { assert, describe, it } from "@effect/vitest"
import { Lines, TcpClient, TcpServer } from "@sluice/core"
import { NodeCertificates, NodeTransport } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as SocketServer from "effect/socket/SocketServer"
import * as TestClock from "effect/testing/TestClock"
import * as Codecs from "../../docs/guide/codecs.ts"
import * as EffectSocket from "../../docs/guide/effect-socket.ts"
import { idleClient } from "../../docs/guide/memory-network.ts"
import * as OwnCodec from "../../docs/guide/own-codec.ts"
import { makeAsker } from "../../docs/guide/reconnecting-client.ts"
import { Adder } from "../../docs/guide/schema-frames.ts"
import { secure, startTls } from "../../docs/guide/start-tls.ts"
import { Report } from "../../docs/guide/statistics.ts"
import * as TransportHandler from "../../docs/guide/transport-handler.ts"
import * as Certificates from "../harness/Certificates.ts"
import * as NodeNet from "../harness/NodeNet.ts"
import { connect, converse, rest, target } from "./InMemory.ts"
import { onListener } from "./OnLoopback.ts"

type Served = Layer.Layer<never, never, TcpServer.TcpServer | SocketServer.SocketServer>

describe("schema-frames", () => {
  it.effect("adds, tells what is wrong, and goes on", () =>
    converse(
      Adder,
      Effect.gen(function* () {
        const { connection } = yield* connect
        yield* connection.send('{"add":[1,2]}\n{"add":"x"}\nno JSON\n{"add":[]}\n')
        yield* connection.end
        const answers = ['{"sum":3}', '{"error":"InvalidContent"}', '{"error":"InvalidContent"}', '{"sum":0}']
        assert.strictEqual(yield* rest(connection), `${answers.join("\n")}\n`)
      })
    )
  )
})

describe("codecs", () => {
  const onTheWire = {
    Lines: "a line\r\n",
    JsonLines: '{"of":"any shape"}\n',
    Delimited: "a frame--",
    LengthDelimited: "\x03abc",
    VarintDelimited: "\x03abc",
    FixedLength: "four",
    Chunks: "as it is"
  }
  it.live("each writes its frame, and reads it again", () =>
    Effect.gen(function* () {
      const results = yield* Codecs.examples
      assert.deepStrictEqual(Object.fromEntries(results.map(({ name, wire }) => [name, wire])), onTheWire)
      const text = (frame: unknown) => (frame instanceof Uint8Array ? new TextDecoder().decode(frame) : frame)
      assert.deepStrictEqual(
        results.map(({ frame }) => text(frame)),
        ["a line", { of: "any shape" }, "a frame", "abc", "abc", "four", "as it is"]
      )
    }).pipe(Effect.provide(Codecs.Network))
  )
})

describe("own-codec", () => {
  const cases: ReadonlyArray<readonly [rule: string, sent: ReadonlyArray<string>, answered: string]> = [
    ["frames, however they are cut", ["5:hel", "lo,0:,1", ":,,"], "5:hello,0:,1:,,"],
    ["no comma", ["1:ab,"], ""],
    ["no length", ["1:a,abcd"], "1:a,"],
    ["a length with zeros in front", ["01:a,"], ""],
    ["cut off", ["1:a,1:"], "1:a,"]
  ]
  for (const [rule, sent, answered] of cases) {
    it.effect(rule, () =>
      converse(
        OwnCodec.Server,
        Effect.gen(function* () {
          const { connection } = yield* connect
          for (const part of sent) {
            yield* connection.send(part)
            yield* TestClock.adjust(0)
          }
          yield* connection.end
          assert.strictEqual(yield* rest(connection), answered)
        })
      )
    )
  }
  it.effect("refuses to send more than its limit", () =>
    converse(
      OwnCodec.Server,
      Effect.gen(function* () {
        const { connection } = yield* connect
        const error = yield* Effect.flip(connection.framed(OwnCodec.netstrings).send(new Uint8Array(1000)))
        assert.strictEqual(error._tag === "CodecError" && error.reason._tag, "FrameTooLarge")
      })
    )
  )
})

describe("transport-handler and effect-socket", () => {
  const services: ReadonlyArray<readonly [name: string, service: Served]> = [
    ["without a fiber", TransportHandler.Echo],
    ["Effect's SocketServer", EffectSocket.Echo]
  ]
  for (const [name, service] of services) {
    it.effect(`${name}: echoes more than all buffers, and ends with its client`, () =>
      converse(
        service,
        Effect.gen(function* () {
          const { connection } = yield* connect
          const text = "0123456789abcdef".repeat(65_536)
          const sending = yield* Effect.forkChild(Effect.andThen(connection.send(text), connection.end))
          assert.isTrue((yield* rest(connection)) === text)
          yield* Fiber.join(sending)
        })
      )
    )
  }
})

describe("reconnecting-client", () => {
  it.effect("asks again on the next connection", () => {
    let connections = 0
    const flaky = TcpServer.serve((connection) =>
      Effect.gen(function* () {
        const lines = connection.framed(Lines.codec)
        const line = yield* lines.receive
        if (++connections > 2) yield* lines.send(`answer to ${line}`)
      })
    )
    return converse(
      flaky,
      Effect.gen(function* () {
        const ask = yield* makeAsker(target)
        const answer = yield* Effect.forkChild(ask("a"))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(answer), "answer to a")
        assert.strictEqual(connections, 3)
      })
    )
  })
})

describe("start-tls", () => {
  it.live("encrypts what follows", () =>
    Effect.gen(function* () {
      const certificates = yield* NodeCertificates.fromPem(Certificates.identity("a"))
      const address = yield* onListener(startTls(certificates), NodeTransport.layerListener(NodeNet.local))
      const connection = yield* TcpClient.connect(address)
      const lines = yield* secure(connection, Certificates.trusting("a.test"))
      yield* lines.send("secret")
      assert.strictEqual(yield* lines.receive, "TLSv1.3: secret")
      assert.strictEqual(connection.tls?.authorized, true)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerDialer()))
  )
})

describe("memory-network", () => {
  it.effect("two minutes pass at once, and the idle connection is closed", () =>
    Effect.gen(function* () {
      const { closed, received } = yield* idleClient
      assert.deepStrictEqual(closed, { IdleTimeout: 1 })
      assert.strictEqual(received._tag, "TransportError")
    })
  )
})

describe("statistics", () => {
  it.effect("logs where the server listens, and what it did", () => {
    const messages: Array<unknown> = []
    const logger = Logger.make(({ message }) => void messages.push(message))
    return converse(
      Report,
      Effect.gen(function* () {
        yield* connect
        yield* TestClock.adjust("10 seconds")
      })
    ).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.tap(() =>
        Effect.sync(() => {
          assert.include(JSON.stringify(messages[0]), "listening on 10.0.0.1:7")
          assert.include(JSON.stringify(messages), '"connections",{"open":')
        })
      )
    )
  })
})
