import { once } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import * as WebSocketEcho from "@sluice/examples/websocket-echo"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { WebSocket as WsClient } from "ws"
import * as Fetched from "./support/Fetched.ts"
import * as Program from "./support/Program.ts"
import * as WebSocketTalk from "./support/WebSocketTalk.ts"

const mebibyte = 1024 * 1024

const bytes = (length: number) => new Uint8Array(length).map((_, index) => (index * 7) % 251)

const serve = (compression: WebSocketEcho.Options["compression"]) =>
  Effect.map(Fetched.serve(WebSocketEcho.server({ compression })), (server) => ({
    ...server,
    url: `ws://${server.where}/any/path`
  }))

describe("websocket-echo", () => {
  const messages: ReadonlyArray<readonly [what: string, message: string | Uint8Array<ArrayBuffer>]> = [
    ["no text", ""],
    ["text", "hello \u{1f600}"],
    ["no bytes", bytes(0)],
    ["bytes", bytes(1000)],
    ["16 MiB of bytes", bytes(16 * mebibyte)],
    ["a MiB of text", "hello ".repeat(mebibyte / 6)]
  ]
  for (const compression of ["none", "permessage-deflate"] as const) {
    for (const [what, message] of messages) {
      it.live(`echoes ${what}, compression: ${compression}`, () =>
        Effect.gen(function* () {
          const talk = yield* WebSocketTalk.open((yield* serve(compression)).url)
          assert.strictEqual(talk.extensions !== "", compression !== "none")
          talk.send(message)
          const echoed = yield* talk.receive
          assert.strictEqual(typeof echoed, typeof message)
          assert.isTrue(Buffer.from(echoed as string).equals(Buffer.from(message as string)))
          yield* talk.close
        })
      )
    }
  }

  it.live("echoes in order", () =>
    Effect.gen(function* () {
      const talk = yield* WebSocketTalk.open((yield* serve("none")).url)
      const sent = Array.from({ length: 1000 }, (_, index) => `${index}`)
      for (const message of sent) talk.send(message)
      assert.deepStrictEqual(yield* Effect.forEach(sent, () => talk.receive), sent)
    })
  )

  it.live.each([
    [64, 16 * mebibyte],
    [1, 200_000]
  ] as const)("fragments of %i bytes make a message of %i", ([fragmentBytes, messageBytes]) =>
    Effect.gen(function* () {
      const { url } = yield* serve("none")
      const sent = bytes(messageBytes)
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new WsClient(url, { maxPayload: 16 * mebibyte })),
        (client) => Effect.sync(() => client.terminate())
      )
      yield* Effect.promise(async () => {
        await once(client, "open")
        const echoed = once(client, "message")
        for (let at = 0; at < sent.length; at += fragmentBytes) {
          client.send(sent.subarray(at, at + fragmentBytes), { fin: at + fragmentBytes === sent.length })
        }
        assert.isTrue(((await echoed)[0] as Buffer).equals(sent))
      })
    })
  )

  it.live("a larger message ends it with 1009", () =>
    Effect.gen(function* () {
      const talk = yield* WebSocketTalk.open((yield* serve("none")).url)
      talk.send(bytes(16 * mebibyte + 1))
      assert.strictEqual((yield* talk.closed).code, 1009)
    })
  )

  it.live("a request that is no WebSocket is told what is missing", () =>
    Effect.gen(function* () {
      const { ask } = yield* serve("none")
      const answer = yield* ask("/")
      assert.deepStrictEqual([answer.status, answer.headers.get("upgrade")], [426, "websocket"])
    })
  )

  it.live("when the server drains, the client is told to go away", () =>
    Effect.gen(function* () {
      const server = yield* serve("none")
      const talk = yield* WebSocketTalk.open(server.url)
      talk.send("x")
      assert.strictEqual(yield* talk.receive, "x")
      const closing = yield* Effect.forkScoped(server.close)
      assert.deepStrictEqual(yield* talk.closed, { code: 1001, clean: true })
      yield* Fiber.join(closing)
    })
  )
})

describe("websocket-echo as a process", () => {
  it.live("SIGTERM under load: all of 64 clients are told to go away, and it ends with 0", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("websocket-echo", ["websocket-echo", "--port", "0", "--deflate"])
      const talks = yield* Effect.all(
        Array.from({ length: 64 }, () => WebSocketTalk.open(`ws://${program.where}/`)),
        { concurrency: "unbounded" }
      )
      const warm = yield* Deferred.make<void>()
      let served = 0
      yield* Effect.forEach(talks, (talk) =>
        Effect.gen(function* () {
          for (let echoed = 1; ; echoed++) {
            talk.send("x")
            assert.strictEqual(yield* talk.receive, "x")
            if (echoed === 20 && ++served === talks.length) yield* Deferred.succeed(warm, undefined)
          }
        }).pipe(Effect.forkScoped)
      )
      yield* Deferred.await(warm)
      yield* program.signal("SIGTERM")
      for (const talk of talks) assert.deepStrictEqual(yield* talk.closed, { code: 1001, clean: true })
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )
})
