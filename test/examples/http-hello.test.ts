import { once } from "node:events"
import * as Http2 from "node:http2"
import { text } from "node:stream/consumers"
import * as Tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as HttpHello from "@sluice/examples/http-hello"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fetched from "./support/Fetched.ts"
import * as KeepAliveClient from "./support/KeepAliveClient.ts"
import * as Program from "./support/Program.ts"
import * as Started from "./support/Started.ts"

/** More than any buffer on the way holds. */
const large = new Uint8Array(8 * 1024 * 1024).map((_, index) => index % 251)

describe("http-hello", () => {
  const answers: ReadonlyArray<readonly [path: string, status: number, type: RegExp | undefined, body: string]> = [
    ["/", 200, /^text\/plain/, "hello world"],
    ["/json", 200, /^application\/json/, '{"message":"hello world"}'],
    ["/users/7", 200, /^application\/json/, '{"id":"7"}'],
    ["/users/a%20b%2Fc", 200, /^application\/json/, '{"id":"a b/c"}'],
    ["/nowhere", 404, undefined, ""],
    ["/stream", 400, undefined, ""],
    ["/stream?chunks=0", 400, undefined, ""],
    ["/stream?chunks=1.5", 400, undefined, ""],
    ["/stream?chunks=many", 400, undefined, ""],
    ["/stream?chunks=1000001", 400, undefined, ""]
  ]
  for (const [path, status, type, body] of answers) {
    it.live(`GET ${path} is answered with ${status}`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Fetched.serve(HttpHello.server)
        const answer = yield* ask(path)
        assert.strictEqual(answer.status, status)
        if (type !== undefined) assert.match(answer.headers.get("content-type") ?? "", type)
        assert.strictEqual(answer.text, body)
      })
    )
  }

  it.live("GET /stream is as many KiB as were asked for", () =>
    Effect.gen(function* () {
      const { ask } = yield* Fetched.serve(HttpHello.server)
      for (const chunks of [1, 5000]) {
        const answer = yield* ask(`/stream?chunks=${chunks}`)
        assert.deepStrictEqual([answer.status, answer.bytes.length], [200, chunks * 1024])
      }
    })
  )

  const echoes: ReadonlyArray<readonly [what: string, body: Uint8Array<ArrayBuffer>, type: string]> = [
    ["nothing", new Uint8Array(), "text/plain"],
    ["a little", new TextEncoder().encode("hello"), "text/plain; charset=utf-8"],
    ["8 MiB", large, "application/x-anything"]
  ]
  for (const [what, body, type] of echoes) {
    it.live(`POST /echo answers ${what} with the same bytes and content type`, () =>
      Effect.gen(function* () {
        const { ask } = yield* Fetched.serve(HttpHello.server)
        const answer = yield* ask("/echo", { method: "POST", body, headers: { "content-type": type } })
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers.get("content-type"), type)
        assert.deepStrictEqual(Buffer.from(answer.bytes), Buffer.from(body))
      })
    )
  }

  it.live("POST /echo begins its answer before it has heard all", () =>
    Effect.gen(function* () {
      const { where } = yield* Fetched.serve(HttpHello.server)
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      const encode = (text: string) => new TextEncoder().encode(text)
      yield* Effect.promise(async () => {
        const asked = fetch(`http://${where}/echo`, {
          method: "POST",
          body: readable,
          duplex: "half"
        } as RequestInit)
        await writer.write(encode("first"))
        const reader = (await asked).body!.getReader()
        assert.deepStrictEqual((await reader.read()).value, encode("first"))
        await writer.write(encode("second"))
        assert.deepStrictEqual((await reader.read()).value, encode("second"))
        await writer.close()
        assert.isTrue((await reader.read()).done)
      })
    })
  )
})

const clientCount = 64

/** So many of them, each on a connection of its own. */
const forEachClient = <A, E, R>(each: Effect.Effect<A, E, R>) =>
  Effect.all(
    Array.from({ length: clientCount }, () => each),
    { concurrency: "unbounded" }
  )

describe("http-hello as a process", () => {
  it.live("says where it listens, serves, and ends with 0 on SIGTERM", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("http-hello", ["http-hello", "--port", "0"])
      const answer = yield* Fetched.fetched(`http://${program.where}/users/7`)
      assert.strictEqual(answer.text, '{"id":"7"}')
      yield* program.signal("SIGTERM")
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    })
  )

  it.live("--tls speaks HTTP/2 to who offers it", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("http-hello", ["http-hello", "--port", "0", "--tls"])
      const session = yield* Effect.acquireRelease(
        Effect.sync(() => Http2.connect(`https://${program.where}`, { rejectUnauthorized: false })),
        (session) => Effect.sync(() => session.destroy())
      )
      const answer = yield* Effect.promise(() => text(session.request({ ":path": "/" })))
      assert.deepStrictEqual([session.alpnProtocol, answer], ["h2", "hello world"])
    })
  )

  it.live("--tls speaks HTTP/1.1 over TLS, with a certificate for localhost", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("http-hello", ["http-hello", "--port", "0", "--tls"])
      const { port } = new URL(`https://${program.where}`)
      const socket = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const socket = Tls.connect({
            port: Number(port),
            servername: "localhost",
            ALPNProtocols: ["http/1.1"],
            rejectUnauthorized: false
          })
          await once(socket, "secureConnect")
          return socket
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
      assert.strictEqual(socket.alpnProtocol, "http/1.1")
      assert.strictEqual(socket.getPeerX509Certificate()?.checkHost("localhost"), "localhost")
      socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
      const answer = yield* Effect.promise(() => text(socket))
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello world$/)
    })
  )

  it.live("SIGTERM: what was accepted is answered whole, and idle connections end", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("http-hello", ["http-hello", "--port", "0"])
      const idle = yield* Started.talk(program.address)
      yield* idle.say("GET /json HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.strictEqual(yield* idle.line, "HTTP/1.1 200 OK\r")
      const clients = yield* forEachClient(
        Effect.gen(function* () {
          const client = yield* Started.talk(program.address)
          yield* client.say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nfirst\n")
          while ((yield* client.line) !== "first") {}
          return client
        })
      )
      yield* program.signal("SIGTERM")
      yield* idle.bye
      yield* Effect.forEach(clients, (client) => client.say("second"), { concurrency: "unbounded" })
      for (const client of clients) {
        assert.deepStrictEqual(yield* client.lines(5), ["\r", "6\r", "second\r", "0\r", "\r"])
        yield* client.bye
      }
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
    }).pipe(Effect.provide(NodeTransport.layerDialer()))
  )

  it.live("SIGTERM under load: no response is cut, no connection is reset, and it is over at once", () =>
    Effect.gen(function* () {
      const program = yield* Program.serve("http-hello", ["http-hello", "--port", "0"])
      const warm = yield* Deferred.make<void>()
      // Node accepts a connection a turn, and serves those before meanwhile.
      let served = 0
      const load = Effect.promise(() =>
        KeepAliveClient.run(program.where, "/stream?chunks=20", (answered) => {
          if (answered === 5 && ++served === clientCount) Deferred.doneUnsafe(warm, Effect.void)
        })
      )
      const loads = yield* Effect.forkScoped(forEachClient(load))
      yield* Deferred.await(warm)
      yield* program.signal("SIGTERM")
      const outcomes = yield* Fiber.join(loads)
      const ended = yield* program.ended
      assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
      for (const outcome of outcomes) {
        assert.deepInclude(outcome, { announced: true, unanswered: false, partial: "", error: undefined })
      }
    })
  )
})
