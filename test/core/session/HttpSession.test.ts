import { assert, describe, it } from "@effect/vitest"
import type * as HttpObserver from "@sluice/core/server/HttpObserver"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import * as Chunkings from "../../harness/Chunkings.ts"
import * as Http2Peer from "../../harness/Http2Peer.ts"
import * as Wire from "../../harness/Http2Wire.ts"
import * as MemoryWorld from "../../harness/MemoryWorld.ts"
import * as WebWorld from "../../harness/WebWorld.ts"

const settle = Effect.forEach(Array(10), () => Effect.yieldNow, { discard: true })

/** Answers with the version. */
const version = Effect.map(HttpServerRequest.HttpServerRequest, ({ source }) =>
  HttpServerResponse.text((source as unknown as { readonly version: string }).version)
)

const http2Wire = Wire.wire(Wire.preface, Wire.settings(), Wire.headers(1, Wire.get(), "END_STREAM"))

describe("the version of a connection in cleartext", () => {
  it.effect("RFC 9113 §3.3: a preface begins HTTP/2, however it is cut", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      for (let cut = 1; cut < 30; cut++) {
        const raw = yield* world.peer()
        const peer = Http2Peer.of(raw)
        peer.send(http2Wire.subarray(0, cut))
        yield* settle
        peer.send(http2Wire.subarray(cut))
        yield* peer.saw("DATA 1 '2' END_STREAM")
        peer.transport.destroy()
      }
      const peer = Http2Peer.of(yield* world.peer())
      for (const byte of http2Wire) {
        peer.send(Uint8Array.of(byte))
        yield* Effect.yieldNow
      }
      yield* peer.saw("DATA 1 '2' END_STREAM")
    })
  )

  it.effect("anything else is HTTP/1.1, however it is cut", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      const requests: ReadonlyArray<readonly [wire: string, answer: RegExp]> = [
        [WebWorld.get("/"), /^HTTP\/1\.1 200 .*\r\n\r\n1\.1$/s],
        [WebWorld.post("/", ""), /^HTTP\/1\.1 200 .*\r\n\r\n1\.1$/s],
        ["PRI * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
        ["PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", /^HTTP\/1\.1 505 /]
      ]
      for (const [wire, answer] of requests) {
        for (const chunks of Chunkings.everySplit(Buffer.from(wire).subarray(0, 26))) {
          const texts = chunks.map((chunk) => Buffer.from(chunk).toString())
          assert.match(yield* world.talk(...texts, wire.slice(26)), answer, Chunkings.show(chunks))
        }
      }
    })
  )

  it.effect("what comes in one chunk with the preface is not lost, and of HTTP/1.1 neither", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      const peer = Http2Peer.of(yield* world.peer())
      peer.send(http2Wire)
      yield* peer.saw("DATA 1 '2' END_STREAM")
      assert.match(yield* world.talk(WebWorld.get("/", "more") + WebWorld.get("/")), /1\.1HTTP.*1\.1$/s)
    })
  )

  it.effect("`off`: only HTTP/1.1 is spoken", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version, { http2: "off" })
      assert.match(yield* world.talk(Buffer.from(http2Wire).toString("latin1")), /^HTTP\/1\.1 505 /)
    })
  )
})

describe("the wait for the first bytes", () => {
  it.effect("who sends nothing is closed without a word, when an idle connection is", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version, { idleTimeout: "10 seconds" })
      const peer = yield* world.peer()
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(peer.heard.events, [])
      yield* TestClock.adjust("1 millis")
      yield* peer.heard.saw("end")
      assert.strictEqual(peer.heard.text, "")
    })
  )

  it.effect("a preface that comes late has the times of HTTP/2 from then on", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      const peer = Http2Peer.of(yield* world.peer())
      yield* TestClock.adjust("40 seconds")
      peer.send(http2Wire)
      yield* peer.saw("DATA 1 '2' END_STREAM")
      yield* TestClock.adjust("9 seconds")
      assert.notInclude(peer.allLines().join(), "GOAWAY")
      yield* TestClock.adjust("1 seconds")
      yield* peer.saw("GOAWAY 1 SETTINGS_TIMEOUT")
    })
  )

  it.effect("who begins and does not go on has the time of a head, from its first byte, and is answered with 408", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version, { headTimeout: "5 seconds" })
      const peer = yield* world.peer()
      yield* TestClock.adjust("4 seconds")
      peer.write("P")
      yield* settle
      yield* TestClock.adjust("4 seconds")
      peer.write("RI ")
      yield* settle
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(peer.heard.events, [])
      yield* TestClock.adjust("1 millis")
      yield* peer.heard.saw("end")
      assert.match(peer.heard.text, /^HTTP\/1\.1 408 /)
    })
  )

  it.effect("a head that came in part is on time by its first byte, when its version is known", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version, { headTimeout: "5 seconds" })
      const peer = yield* world.peer()
      peer.write("P")
      yield* settle
      yield* TestClock.adjust("4 seconds")
      peer.write("OST / HTTP/1.1\r\n")
      yield* settle
      yield* TestClock.adjust("1 seconds")
      yield* peer.heard.saw("end")
      assert.match(peer.heard.text, /^HTTP\/1\.1 408 /)
    })
  )

  it.effect("who ends in the middle is told so, as by HTTP/1.1; who ends before is not", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      for (const [wire, answer] of [
        ["", /^$/],
        ["PRI", /^HTTP\/1\.1 400 /]
      ] as const) {
        const peer = yield* world.peer()
        peer.write(wire)
        peer.transport.end()
        yield* peer.heard.saw("close")
        assert.match(peer.heard.text, answer)
      }
    })
  )

  it.effect("who goes leaves nothing, and is counted once", () =>
    MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = yield* WebWorld.serving(version)
        track(world)
        const lost = yield* world.peer()
        const held = yield* world.peer()
        held.write("PRI")
        yield* settle
        lost.transport.destroy()
        held.transport.destroy()
        yield* settle
        const { accepted, closed } = yield* world.server.stats
        assert.deepStrictEqual([accepted, closed], [2, { ConnectionLost: 2 }])
      })
    )
  )

  it.effect("a drain closes it, in the time that an unused connection gets", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version)
      const peer = yield* world.peer()
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      yield* TestClock.adjust("1 seconds")
      yield* peer.heard.saw("end")
      peer.transport.end()
      yield* Fiber.join(stopping)
    })
  )

  it.effect("a drain leaves the version open to who has come just now: what was on its way is served", () =>
    Effect.gen(function* () {
      for (const cut of [0, 6, 24]) {
        const world = yield* WebWorld.serving(version)
        const peer = Http2Peer.of(yield* world.peer())
        peer.send(http2Wire.subarray(0, cut))
        yield* settle
        const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
        yield* settle
        yield* TestClock.adjust("100 millis")
        peer.send(http2Wire.subarray(cut))
        yield* peer.saw("DATA 1 '2' END_STREAM")
        peer.transport.end()
        yield* Fiber.join(stopping)

        const next = yield* WebWorld.serving(version)
        const raw = yield* next.peer()
        const draining = yield* Effect.forkChild(next.stop, { startImmediately: true })
        yield* TestClock.adjust("100 millis")
        raw.write(WebWorld.get("/", "more"))
        yield* raw.heard.saw("end")
        assert.match(raw.heard.text, /^HTTP\/1\.1 200 .*connection: close.*1\.1$/is)
        raw.transport.end()
        yield* Fiber.join(draining)
      }
    })
  )

  it.effect("one that a drain meets in the middle of its first bytes is cut in the end", () =>
    Effect.gen(function* () {
      const world = yield* WebWorld.serving(version, { drainTimeout: "1 seconds" })
      const peer = yield* world.peer()
      peer.write("PRI * ")
      yield* settle
      const stopping = yield* Effect.forkChild(world.stop, { startImmediately: true })
      yield* settle
      yield* TestClock.adjust("3 seconds")
      yield* peer.heard.saw("end").pipe(Effect.raceFirst(peer.heard.saw("close")))
      yield* Fiber.join(stopping)
    })
  )
})

describe("what is told of a request, in both versions", () => {
  it.effect("the size of what was sent is counted in bytes, of texts as well", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const observer = {
        onRequest: () => {},
        onEnd: (record: HttpObserver.HttpRecord) => sizes.push(record.sentBodyBytes)
      }
      const world = yield* WebWorld.serving(Effect.succeed(HttpServerResponse.text("äöü€")), {
        observers: [Effect.succeed(observer)]
      })
      assert.match(yield* world.talk(WebWorld.get("/")), /content-length: 9\r\n/)
      const peer = Http2Peer.of(yield* world.peer())
      peer.send(http2Wire)
      yield* peer.saw("DATA 1")
      assert.deepStrictEqual(sizes, [9, 9])
    })
  )
})
