/** `http-hello` as a process, asked in HTTP/2: both versions on one port, ALPN, and how it ends. */

import * as Tls from "node:tls"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http2Socket from "../harness/Http2Socket.ts"
import * as Wire from "../harness/Http2Wire.ts"
import * as NodeHttp2 from "../harness/NodeHttp2.ts"
import * as Fetched from "./support/Fetched.ts"
import * as Program from "./support/Program.ts"

const draining = fileURLToPath(new URL("./fixtures/http-hello-draining.ts", import.meta.url))

const start = (...args: ReadonlyArray<string>) => Program.serve("http-hello", ["http-hello", "--port", "0", ...args])

const portOf = (program: { readonly where: string }): number => Number(program.where.split(":")[1])

const connectionCount = 10
const streamCount = 32

const times = <A, E, R>(count: number, each: Effect.Effect<A, E, R>) =>
  Effect.all(
    Array.from({ length: count }, () => each),
    { concurrency: "unbounded" }
  )

describe("http-hello in HTTP/2", () => {
  it.live("both versions on one port, and what the routes say", () =>
    Effect.gen(function* () {
      const program = yield* start()
      const session = yield* NodeHttp2.connect(`http://${program.where}`)
      const answers: ReadonlyArray<readonly [path: string, status: number, text: string]> = [
        ["/", 200, "hello world"],
        ["/json", 200, '{"message":"hello world"}'],
        ["/users/a%20b%2Fc", 200, '{"id":"a b/c"}'],
        ["/nowhere", 404, ""],
        ["/stream?chunks=many", 400, ""]
      ]
      for (const [path, status, text] of answers) {
        const older = yield* Fetched.fetched(`http://${program.where}${path}`)
        const newer = yield* NodeHttp2.ask(session, { ":path": path })
        assert.deepStrictEqual([newer.status, newer.text, newer.code], [status, text, 0])
        assert.deepStrictEqual([older.status, older.text], [status, text])
        assert.strictEqual(newer.headers["content-type"], older.headers.get("content-type") ?? undefined)
      }
    })
  )

  it.live("--tls: ALPN offers h2 before http/1.1", () =>
    Effect.gen(function* () {
      const program = yield* start("--tls")
      const session = yield* NodeHttp2.connect(`https://localhost:${portOf(program)}`)
      assert.strictEqual(session.alpnProtocol, "h2")
      assert.strictEqual((yield* NodeHttp2.ask(session, { ":path": "/" })).text, "hello world")
      const offers: ReadonlyArray<readonly [offered: ReadonlyArray<string>, agreed: string | false]> = [
        [["http/1.1", "h2"], "h2"],
        [["http/1.1"], "http/1.1"],
        [[], false]
      ]
      for (const [offered, agreed] of offers) {
        const alpn = yield* Effect.callback<string | false | null>((resume) => {
          const options = { port: portOf(program), host: "127.0.0.1", rejectUnauthorized: false }
          const socket = Tls.connect({ ...options, ALPNProtocols: [...offered] }, () => {
            resume(Effect.succeed(socket.alpnProtocol))
            socket.destroy()
          })
        })
        assert.strictEqual(alpn, agreed)
      }
    })
  )
})

describe("SIGTERM, in HTTP/2", () => {
  for (const [scheme, flags] of [
    ["http", []],
    ["https", ["--tls"]]
  ] as const) {
    it.live(
      `${scheme}: ${connectionCount} × ${streamCount} requests in flight are finished, each connection hears GOAWAY`,
      () =>
        Effect.gen(function* () {
          const program = yield* start(...flags)
          const connections = yield* times(
            connectionCount,
            Effect.gen(function* () {
              const session = yield* NodeHttp2.connect(`${scheme}://${program.where}`)
              let said: ReadonlyArray<unknown> | undefined
              const goAway = new Promise<ReadonlyArray<unknown>>((resolve) => {
                session.on("goaway", (code, lastStreamId) => {
                  said ??= [code, lastStreamId]
                  resolve(said)
                })
              })
              const streams = Array.from({ length: streamCount }, () => {
                const stream = session.request({ ":method": "POST", ":path": "/echo" })
                stream.write("first")
                return { stream, first: NodeHttp2.heard(stream, "first"), answer: NodeHttp2.answerOf(stream) }
              })
              yield* Effect.all(
                streams.map(({ first }) => first),
                { concurrency: "unbounded" }
              )
              return { streams, goAway }
            })
          )
          yield* program.signal("SIGTERM")
          for (const { goAway, streams } of connections) {
            assert.deepStrictEqual(yield* Effect.promise(() => goAway), [0, 2 ** 31 - 1])
            for (const { stream } of streams) stream.end("second")
          }
          for (const { streams } of connections) {
            for (const { answer } of streams) {
              const { code, status, text } = yield* answer
              assert.deepStrictEqual([status, text, code], [200, "firstsecond", 0])
            }
          }
          const ended = yield* program.ended
          assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
        })
    )
  }

  for (const [path, byteCount] of [
    ["/", 11],
    ["/stream?chunks=20", 20_480]
  ] as const) {
    it.live(`under load of GET ${path}: all up to GOAWAY's last stream are answered whole, none above`, () =>
      Effect.gen(function* () {
        const program = yield* start()
        const clients = yield* times(connectionCount, looping(portOf(program), path))
        for (const client of clients) yield* client.warm
        yield* program.signal("SIGTERM")
        for (const client of clients) {
          assert.strictEqual(yield* client.ended, "end")
          assert.deepStrictEqual(client.goAways[0], 2 ** 31 - 1)
          assert.strictEqual(client.goAways.length, 2)
          const last = client.goAways[1]!
          const accepted = client.opened.filter((id) => id <= last)
          // RFC 9113 §6.8: what was on its way when the drain began is served.
          assert.isAtLeast(last, client.openedBefore())
          assert.deepStrictEqual(
            accepted.map((id) => client.received.get(id)),
            accepted.map(() => byteCount)
          )
          assert.deepStrictEqual([...client.whole].sort(byNumber), accepted)
        }
        const ended = yield* program.ended
        assert.deepStrictEqual([ended.code, ended.stderr], [0, []])
      })
    )
  }

  it.live("who does not read, and who does not end its request, are gone a second after the deadline", () =>
    Effect.gen(function* () {
      const drainMillis = 300
      const program = yield* Program.serve("http-hello-draining", [`${drainMillis}`], draining)
      const port = portOf(program)
      const deaf = yield* Http2Socket.connect(port)
      deaf.send(...Http2Socket.wide, Wire.headers(1, Wire.get("/stream?chunks=1000000"), "END_STREAM"))
      yield* deaf.saw("DATA 1")
      deaf.socket.pause()
      const shut = yield* Http2Socket.connect(port)
      shut.send(Wire.preface, Wire.settings(), Wire.headers(1, Wire.get("/stream?chunks=1000000"), "END_STREAM"))
      yield* shut.saw("DATA 1")
      const endless = yield* Http2Socket.connect(port)
      endless.send(Wire.preface, Wire.settings(), Wire.headers(1, Wire.post("/echo")), Wire.data(1, "first"))
      yield* endless.saw("DATA 1 'first'")
      const from = performance.now()
      yield* program.signal("SIGTERM")
      const ended = yield* program.ended
      const tookMillis = performance.now() - from
      assert.strictEqual(ended.code, 0)
      assert.isAtLeast(tookMillis, drainMillis)
      assert.isBelow(tookMillis, drainMillis + 2_000)
      // Their handlers were interrupted: the client learns that what it has is not whole.
      for (const client of [shut, endless]) {
        yield* client.ended
        assert.match(client.lines().join("\n"), /GOAWAY 1 NO_ERROR[\s\S]*RST_STREAM 1 \w+/)
      }
    })
  )

  it.live("Ctrl-C twice ends it at once", () =>
    Effect.gen(function* () {
      const program = yield* start()
      const client = yield* Http2Socket.connect(portOf(program))
      client.send(Wire.preface, Wire.settings(), Wire.headers(1, Wire.post("/echo")), Wire.data(1, "first"))
      yield* client.saw("DATA 1 'first'")
      yield* program.signal("SIGINT")
      yield* client.saw("GOAWAY")
      yield* program.signal("SIGINT")
      assert.strictEqual((yield* program.ended).code, 130)
    })
  )
})

const byNumber = (left: number, right: number): number => left - right

/**
 * Asks on so many streams, again for each that is answered, until it hears the
 * last GOAWAY: it does not stop at the first, as requests on their way would not.
 */
const looping = Effect.fnUntraced(function* (port: number, path: string) {
  const opened: Array<number> = []
  const received = new Map<number, number>()
  const whole = new Set<number>()
  const goAways: Array<number> = []
  let openedBefore = 0
  let isWarm = () => {}
  const warm = new Promise<void>((resolve) => {
    isWarm = resolve
  })
  const open = (): Uint8Array => {
    const id = 2 * opened.length + 1
    opened.push(id)
    return Wire.headers(id, Wire.get(path), "END_STREAM")
  }
  const peer = yield* Http2Socket.connect(port, {
    onLine: (line, peer) => {
      const [type, id, size] = line.split(" ")
      if (type === "GOAWAY") {
        if (goAways.length === 0) openedBefore = opened.at(-1)!
        goAways.push(Number(id))
      }
      if (type === "DATA") {
        const byteCount = size!.startsWith("'") ? /'(.*)'/.exec(line)![1]!.length : Number(size)
        received.set(Number(id), (received.get(Number(id)) ?? 0) + byteCount)
      }
      if (!line.endsWith("END_STREAM")) return
      whole.add(Number(id))
      if (whole.size === 5 * streamCount) isWarm()
      if (goAways.length < 2) peer.send(open())
    }
  })
  peer.send(...Http2Socket.wide, ...Array.from({ length: streamCount }, open))
  const ended = Effect.tap(peer.ended, () => Effect.sync(() => peer.socket.end()))
  return { opened, openedBefore: () => openedBefore, received, whole, goAways, warm: Effect.promise(() => warm), ended }
})
