import { assert, describe, it } from "@effect/vitest"
import * as Http2Error from "@sluice/core/protocol/http2/Http2Error"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Call, Receiver } from "@sluice/core/session/Http2Call"
import type * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import { Http2ClientSession } from "@sluice/core/session/Http2ClientSession"
import * as Timers from "@sluice/core/session/Timers"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Http2ClientWorld from "../../harness/Http2ClientWorld.ts"
import { turns } from "../../harness/TransportContract.ts"

/** What a call says, as lines. */
class Heard implements Receiver {
  readonly lines: Array<string> = []
  failure: Http2ClientError.Reason | undefined = undefined
  call: Http2Call | undefined = undefined
  /** What is done when it is over. */
  afterwards: () => void = () => {}
  onInterim({ status }: { readonly status: number }): void {
    this.lines.push(`interim ${status}`)
  }
  onHead({ status }: { readonly status: number }, ended: boolean): void {
    this.lines.push(`head ${status}${ended ? " ended" : ""}`)
  }
  onData(data: Uint8Array): void {
    this.lines.push(data.length > 40 ? `data ${data.length}` : `data ${Buffer.from(data)}`)
    this.call?.consume(data.length)
  }
  onEnd(trailers: { headers(): Record<string, string> } | undefined): void {
    this.lines.push(trailers === undefined ? "end" : `end ${JSON.stringify(trailers.headers())}`)
  }
  onWritable(): void {
    this.lines.push("writable")
  }
  onClosed(failure: Http2ClientError.Reason | undefined): void {
    this.failure = failure
    this.lines.push(failure === undefined ? "closed" : `closed ${failure._tag} ${failure.retry}`)
    this.afterwards()
  }
}

interface Options extends Http2ClientWorld.ServerOptions {
  readonly waitingCount?: number
  readonly waitingMillis?: number
  readonly client?: Http2Options.Options
}

const connected = (options: Options = {}) =>
  Effect.gen(function* () {
    const timers = yield* Timers.make
    const [near, far] = MemoryTransport.pair({ bufferBytes: options.bufferBytes })
    const server = new Http2ClientWorld.Server(far, timers, options)
    const events: Array<string> = []
    const session = new Http2ClientSession({
      transport: near,
      timers,
      limits: Http2Options.resolve("client", options.client),
      waiting: { waitingCount: options.waitingCount ?? 1024, waitingMillis: options.waitingMillis ?? 30_000 },
      owner: {
        onCapacity: () => events.push("capacity"),
        onDraining: () => events.push("draining"),
        onClosed: (ended) => events.push(`closed ${ended._tag}`)
      }
    })
    const open = (method = "GET", body?: string, rest: "whole" | "open" = "whole", headers = {}) => {
      const heard = new Heard()
      const opened = session.openUnsafe(
        { method, scheme: "http", authority: "a", path: "/", headers, body, rest },
        heard
      )
      if ("_tag" in opened) heard.onClosed(opened)
      else heard.call = opened
      return heard
    }
    yield* turns
    return { timers, near, server, session, events, open }
  })

describe("a call", () => {
  it.effect("hears its response in order", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold" })
      const heard = open("POST", "hi")
      yield* turns
      const served = server.last
      assert.deepStrictEqual([served.bodyText, served.ended, served.head.lengthBytes], ["hi", "whole", 2])
      served.interim(103)
      served.begin(200)
      served.write("one")
      yield* turns
      served.write("two")
      served.end({ sum: "6" })
      yield* turns
      assert.deepStrictEqual(heard.lines, [
        "interim 103",
        "head 200",
        "data one",
        "data two",
        'end {"sum":"6"}',
        "closed"
      ])
      assert.isTrue(heard.call!.isOver)
    })
  )

  it.effect("a response without a body ends at once", () =>
    Effect.gen(function* () {
      const { open } = yield* connected({ conduct: (request) => request.respond(204) })
      const heard = open()
      yield* turns
      assert.deepStrictEqual(heard.lines, ["head 204 ended", "end", "closed"])
    })
  )

  it.effect("many at a time leave in one write, and are answered out of order", () =>
    Effect.gen(function* () {
      const { near, open, server, session } = yield* connected({ conduct: "hold" })
      const before = near.sentBytes
      const all = Array.from({ length: 20 }, () => open())
      assert.strictEqual(near.sentBytes, before)
      assert.strictEqual(session.stats.openCount, 20)
      yield* turns
      for (const served of [...server.requests].reverse()) served.respond(200, {}, `${served.stream.id}`)
      yield* turns
      assert.deepStrictEqual(
        all.map(({ lines }) => lines[1]),
        all.map((_, index) => `data ${2 * index + 1}`)
      )
      assert.deepInclude(session.stats, { openCount: 0, sentCount: 20, completedCount: 20, failedCount: 0 })
    })
  )

  it.effect("its body is written as the server reads it", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold", bodies: "kept", client: { sendBufferSize: 1000 } })
      const heard = open("POST", undefined, "open")
      assert.isTrue(heard.call!.isWritable)
      // The server's window, and a byte that waits.
      heard.call!.write(new Uint8Array(65_535))
      yield* turns
      heard.call!.write(new Uint8Array(262_144 - 65_535))
      yield* turns
      assert.strictEqual(server.last.bodyBytes, 262_144)
      assert.isTrue(heard.call!.isWritable)
      heard.lines.length = 0
      heard.call!.write(new Uint8Array(1000))
      assert.isFalse(heard.call!.isWritable)
      yield* turns
      assert.deepStrictEqual(heard.lines, [])
      server.last.consume(262_144)
      yield* turns
      assert.deepStrictEqual(heard.lines, ["writable"])
      assert.strictEqual(server.last.bodyBytes, 263_144)
      heard.call!.end({ sum: "1" })
      yield* turns
      assert.strictEqual(server.last.trailers?.header("sum"), "1")
    })
  )

  it.effect("what may not be sent is refused, and costs no stream", () =>
    Effect.gen(function* () {
      const { open, session } = yield* connected()
      assert.deepStrictEqual(open("GET", undefined, "whole", { "a b": "c" }).lines, ["closed InvalidRequest NotSent"])
      assert.deepStrictEqual(open("G T").lines, ["closed InvalidRequest NotSent"])
      assert.strictEqual(session.stats.sentCount, 0)
      const fine = open()
      yield* turns
      assert.strictEqual(fine.lines.at(-1), "closed")
    })
  )

  it.effect("given up, it is reset, and what comes is for others", () =>
    Effect.gen(function* () {
      const { open, server, session } = yield* connected({ conduct: "hold" })
      const heard = open()
      yield* turns
      server.last.begin(200)
      server.last.write("part")
      yield* turns
      heard.call!.release()
      assert.deepStrictEqual(heard.lines, ["head 200", "data part", "closed Cancelled MaybeProcessed"])
      yield* turns
      assert.deepInclude(server.last.over, { _tag: "PeerReset", errorCode: Code.Cancel })
      heard.call!.release()
      assert.strictEqual(heard.lines.length, 3)
      assert.instanceOf(heard.call!.write("x"), Http2Error.StreamEnded)
      assert.instanceOf(heard.call!.end(undefined), Http2Error.StreamEnded)
      assert.deepInclude(session.stats, { completedCount: 0, failedCount: 1 })
    })
  )

  it.effect("RFC 9113 §8.1: a whole response stands, though the server wants no more of the request", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold" })
      const heard = open("POST", undefined, "open")
      yield* turns
      server.last.respond(413, {}, "no")
      server.last.reset(Code.NoError)
      yield* turns
      assert.deepStrictEqual(heard.lines, ["head 413", "data no", "end", "closed"])
    })
  )

  const resets: ReadonlyArray<readonly [rule: string, errorCode: number, line: string]> = [
    ["RFC 9113 §8.7: REFUSED_STREAM", Code.RefusedStream, "closed RefusedByServer RefusedByServer"],
    ["another code", Code.InternalError, "closed ResetByServer MaybeProcessed"]
  ]
  for (const [rule, errorCode, line] of resets) {
    it.effect(`says whether it can be sent again: ${rule}`, () =>
      Effect.gen(function* () {
        const { open, server } = yield* connected({ conduct: "hold" })
        const heard = open()
        yield* turns
        server.last.reset(errorCode)
        yield* turns
        assert.deepStrictEqual(heard.lines, [line])
      })
    )
  }
})

describe("what waits", () => {
  it.effect("RFC 9113 §6.5.2: 100 are sent before the server's SETTINGS, no more", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const [near] = MemoryTransport.pair()
      const limits = Http2Options.resolve("client")
      const waiting = { waitingCount: 2, waitingMillis: 1000 }
      const session = new Http2ClientSession({ transport: near, timers, limits, waiting })
      const request = { method: "GET", scheme: "http", authority: "a", path: "/", headers: {}, rest: "whole" } as const
      assert.strictEqual(session.capacity, 100)
      for (let count = 0; count < 102; count++) session.openUnsafe(request, new Heard())
      assert.deepInclude(session.stats, { openCount: 100, waitingCount: 2 })
      assert.deepInclude(session.openUnsafe(request, new Heard()), { _tag: "TooManyWaiting", retry: "NotSent" })
    })
  )

  it.effect("RFC 9113 §5.1.2: as many as the server allows, the others in their order", () =>
    Effect.gen(function* () {
      const { events, open, server, session } = yield* connected({ conduct: "hold", maxConcurrentStreams: 2 })
      assert.strictEqual(session.capacity, 2)
      const all = Array.from({ length: 5 }, (_, index) => open("GET", undefined, "whole", { number: `${index}` }))
      yield* turns
      assert.strictEqual(server.requests.length, 2)
      assert.strictEqual(session.capacity, 0)
      assert.deepInclude(session.stats, { openCount: 2, waitingCount: 3 })
      server.requests[1]!.respond(200)
      yield* turns
      assert.deepStrictEqual(
        server.requests.map(({ head }) => head.header("number")),
        ["0", "1", "2"]
      )
      assert.deepStrictEqual(events, [])
      for (let done = 0; done < 5; done++) {
        server.requests[done]!.over ?? server.requests[done]!.respond(200)
        yield* turns
      }
      assert.deepStrictEqual(
        server.requests.map(({ head }) => head.header("number")),
        ["0", "1", "2", "3", "4"]
      )
      for (const { lines } of all) assert.strictEqual(lines.at(-1), "closed")
      assert.deepStrictEqual(events, ["capacity"])
    })
  )

  it.effect("a later one does not overtake those that wait", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      const first = open()
      yield* turns
      open("GET", undefined, "whole", { number: "second" })
      // Its place is free then, and nobody was let in yet.
      first.afterwards = () => void open("GET", undefined, "whole", { number: "third" })
      server.last.respond(200)
      yield* turns
      assert.strictEqual(server.last.head.header("number"), "second")
    })
  )

  it.effect("its writer hears when it is on its way, and may not write before", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      open()
      yield* turns
      const heard = open("POST", undefined, "open")
      assert.isFalse(heard.call!.isWritable)
      assert.throws(() => heard.call!.write("early"))
      server.last.respond(200)
      yield* turns
      assert.deepStrictEqual(heard.lines, ["writable"])
      heard.call!.write("now")
      heard.call!.end(undefined)
      yield* turns
      assert.strictEqual(server.last.bodyText, "now")
    })
  )

  it.effect("no more than allowed, and none longer than allowed", () =>
    Effect.gen(function* () {
      const { open } = yield* connected({
        conduct: "hold",
        maxConcurrentStreams: 1,
        waitingCount: 1,
        waitingMillis: 1000
      })
      const first = open()
      yield* turns
      const second = open()
      assert.deepStrictEqual(open().lines, ["closed TooManyWaiting NotSent"])
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(second.lines, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(second.lines, ["closed WaitTimeout NotSent"])
      assert.deepStrictEqual(first.lines, [])
    })
  )

  it.effect("given up, it leaves its place, and the server hears nothing of it", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      open()
      yield* turns
      const second = open()
      const third = open()
      second.call!.reset(Code.Cancel)
      assert.deepStrictEqual(second.lines, ["closed Cancelled NotSent"])
      server.last.respond(200)
      yield* turns
      assert.strictEqual(server.requests.length, 2)
      server.last.respond(200)
      yield* turns
      assert.strictEqual(third.lines.at(-1), "closed")
    })
  )

  it.effect("an invalid one is refused in its turn, and the next goes on", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      open()
      yield* turns
      const invalid = open("GET", undefined, "whole", { "a b": "c" })
      open()
      server.last.respond(200)
      yield* turns
      assert.deepStrictEqual(invalid.lines, ["closed InvalidRequest NotSent"])
      assert.strictEqual(server.requests.length, 2)
    })
  )
})

describe("the end", () => {
  it.effect("RFC 9113 §6.8: GOAWAY: those above fail as refused, those that wait as not sent, the others go on", () =>
    Effect.gen(function* () {
      const { events, open, server, session } = yield* connected({ conduct: "hold", maxConcurrentStreams: 3 })
      const [first, second, third, waiting] = [open(), open(), open(), open()]
      yield* turns
      // The last stream is 3: the third request was not processed.
      server.raw(Uint8Array.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]))
      yield* turns
      assert.deepStrictEqual(third!.lines, ["closed RefusedByServer RefusedByServer"])
      assert.deepStrictEqual(waiting!.lines, ["closed GoneAway NotSent"])
      assert.deepStrictEqual(open().lines, ["closed GoneAway NotSent"])
      assert.isFalse(session.isAvailable)
      assert.strictEqual(session.capacity, 0)
      assert.deepStrictEqual(events, ["draining"])
      for (const served of server.requests.slice(0, 2)) served.respond(200)
      yield* turns
      assert.strictEqual(first!.lines.at(-1), "closed")
      assert.strictEqual(second!.lines.at(-1), "closed")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(events, ["draining", "closed GoneAway"])
      assert.deepInclude(session.ended, { _tag: "GoneAway", errorCode: Code.NoError })
    })
  )

  it.effect("whoever asks again as soon as it was refused hears of the GOAWAY", () =>
    Effect.gen(function* () {
      const { open, server } = yield* connected({ conduct: "hold" })
      const refused = open()
      yield* turns
      let again: Heard | undefined
      refused.afterwards = () => {
        again = open()
      }
      // Last stream 0, ENHANCE_YOUR_CALM, "why §" in UTF-8.
      server.raw(Uint8Array.from([0, 0, 14, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 119, 104, 121, 32, 0xc2, 0xa7]))
      yield* turns
      assert.deepStrictEqual(refused.lines, ["closed RefusedByServer RefusedByServer"])
      assert.deepInclude(again?.failure, { _tag: "GoneAway", errorCode: Code.EnhanceYourCalm, debug: "why §" })
    })
  )

  it.effect("the drain of the server ends it when all is answered", () =>
    Effect.gen(function* () {
      const { near, open, server, session } = yield* connected({ conduct: "hold" })
      const heard = open()
      yield* turns
      server.drain()
      yield* turns
      assert.isFalse(session.isAvailable)
      server.last.respond(200)
      yield* turns
      assert.strictEqual(heard.lines.at(-1), "closed")
      yield* turns
      assert.strictEqual(near.state, "closed")
      assert.strictEqual(session.ended?._tag, "GoneAway")
    })
  )

  it.effect("closed: GOAWAY, those that wait fail, those on their way are finished", () =>
    Effect.gen(function* () {
      const { events, near, open, server, session, timers } = yield* connected({
        conduct: "hold",
        maxConcurrentStreams: 1
      })
      const first = open()
      yield* turns
      const waiting = open()
      session.closeUnsafe(5000)
      assert.deepStrictEqual(waiting.lines, ["closed SessionClosed NotSent"])
      assert.deepStrictEqual(open().lines, ["closed SessionClosed NotSent"])
      yield* turns
      assert.strictEqual(server.goAways.length > 0, true)
      server.last.respond(200)
      yield* turns
      assert.strictEqual(first.lines.at(-1), "closed")
      yield* turns
      assert.strictEqual(near.state, "closed")
      assert.deepStrictEqual(events, ["draining", "closed SessionClosed"])
      // The server's own are cleared as well, since it has heard the end.
      assert.strictEqual(timers.size(), 0)
    })
  )

  it.effect("closed: the deadline cuts what is left", () =>
    Effect.gen(function* () {
      const { near, open, session } = yield* connected({ conduct: "hold" })
      const heard = open()
      yield* turns
      session.closeUnsafe(3000)
      yield* TestClock.adjust(2999)
      assert.deepStrictEqual(heard.lines, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(heard.lines, ["closed SessionClosed MaybeProcessed"])
      yield* turns
      assert.strictEqual(near.state, "closed")
    })
  )

  it.effect("closed: a server that is dead is not waited for", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const [near] = MemoryTransport.pair()
      const limits = Http2Options.resolve("client", { closeTimeout: 2000 })
      const waiting = { waitingCount: 2, waitingMillis: 1000 }
      const session = new Http2ClientSession({ transport: near, timers, limits, waiting })
      session.closeUnsafe(3000)
      yield* TestClock.adjust(5000)
      assert.strictEqual(near.state, "closed")
      assert.strictEqual(timers.size(), 0)
      assert.deepInclude(yield* session.closed, { _tag: "SessionClosed" })
    })
  )

  it.effect("closed: a server that has stopped reading is not waited for, whatever it has not read", () =>
    Effect.gen(function* () {
      const timers = yield* Timers.make
      const [near, far] = MemoryTransport.pair({ bufferBytes: 1000 })
      const limits = Http2Options.resolve("client", { closeTimeout: 2000, sendTimeout: 30_000 })
      const waiting = { waitingCount: 2, waitingMillis: 1000 }
      const session = new Http2ClientSession({ transport: near, timers, limits, waiting })
      const request = { method: "POST", scheme: "http", authority: "a", path: "/", headers: {}, rest: "open" } as const
      session.openUnsafe({ ...request, body: "x".repeat(5000) }, new Heard())
      yield* turns
      session.closeUnsafe(3000)
      yield* TestClock.adjust(4999)
      assert.strictEqual(near.state, "open")
      yield* TestClock.adjust(1)
      assert.strictEqual(near.state, "closed")
      assert.strictEqual(timers.size(), 0)
      assert.deepInclude(yield* session.closed, { _tag: "SessionClosed" })
      assert.strictEqual(far.receivedBytes, 0)
    })
  )

  it.effect("lost: what was sent may have been processed, what waits was not sent", () =>
    Effect.gen(function* () {
      const { events, open, server } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      const sent = open()
      yield* turns
      const waiting = open()
      server.transport.destroy()
      yield* turns
      assert.deepStrictEqual(sent.lines, ["closed ConnectionLost MaybeProcessed"])
      assert.deepInclude(sent.failure, { message: "connection lost (ECONNRESET)" } as never)
      assert.deepStrictEqual(waiting.lines, ["closed ConnectionLost NotSent"])
      assert.deepStrictEqual(open().lines, ["closed ConnectionLost NotSent"])
      assert.deepStrictEqual(events, ["draining", "closed ConnectionLost"])
    })
  )

  it.effect("a server that ends its side without a word: all fail at once", () =>
    Effect.gen(function* () {
      const { open, server, session } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      const sent = open()
      yield* turns
      const waiting = open()
      server.transport.end()
      yield* turns
      assert.deepStrictEqual(sent.lines, ["closed ConnectionLost MaybeProcessed"])
      assert.deepStrictEqual(waiting.lines, ["closed ConnectionLost NotSent"])
      assert.isFalse(session.isAvailable)
    })
  )

  it.effect("idle for its time it ends by itself, and says so", () =>
    Effect.gen(function* () {
      const { events, near, open, server, session } = yield* connected({ client: { idleTimeout: "10 seconds" } })
      yield* TestClock.adjust(9_000)
      const heard = open()
      yield* turns
      assert.strictEqual(heard.lines.at(-1), "closed")
      yield* TestClock.adjust(9_999)
      assert.isTrue(session.isAvailable)
      yield* TestClock.adjust(1)
      assert.isFalse(session.isAvailable)
      assert.deepStrictEqual(open().lines, ["closed IdleTimeout NotSent"])
      yield* turns
      assert.strictEqual(near.state, "closed")
      assert.deepStrictEqual(events, ["draining", "closed IdleTimeout"])
      assert.deepInclude(session.ended, { _tag: "IdleTimeout", fault: "limit", limitMillis: 10_000 })
      assert.deepStrictEqual(server.goAways, [[Code.NoError, ""]])
    })
  )

  it.effect("a server that ends its side while a request is on its way is not taken for idleness", () =>
    Effect.gen(function* () {
      const { open, server, session } = yield* connected({ conduct: "hold", client: { idleTimeout: "10 seconds" } })
      const heard = open()
      yield* TestClock.adjust("15 seconds")
      server.transport.end()
      yield* turns
      assert.deepStrictEqual(heard.lines, ["closed ConnectionLost MaybeProcessed"])
      assert.strictEqual(session.ended?._tag, "ConnectionLost")
    })
  )

  it.effect("a server that ends its side, and reads no more: nothing waits for the end of the transport", () =>
    Effect.gen(function* () {
      for (const maxConcurrentStreams of [1, 10]) {
        const { events, near, open, server } = yield* connected({
          conduct: "hold",
          maxConcurrentStreams,
          bufferBytes: 1000
        })
        const sent = open("POST", undefined, "open")
        yield* turns
        const waiting = maxConcurrentStreams === 1 ? open() : undefined
        server.transport.pause()
        sent.call!.write(new Uint8Array(10_000))
        yield* turns
        server.transport.end()
        yield* turns
        assert.strictEqual(near.state, "open")
        assert.deepStrictEqual(events, ["draining"])
        if (waiting !== undefined) assert.deepStrictEqual(waiting.lines, ["closed ConnectionLost NotSent"])
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(near.state, "closed")
      }
    })
  )

  it.effect("a rule of the connection that the server breaks is told to all", () =>
    Effect.gen(function* () {
      const { open, server, session } = yield* connected({ conduct: "hold", maxConcurrentStreams: 1 })
      const sent = open()
      yield* turns
      const waiting = open()
      // DATA on stream 0.
      server.raw(Uint8Array.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 120]))
      yield* turns
      assert.deepStrictEqual(sent.lines, ["closed ConnectionViolated MaybeProcessed"])
      assert.deepStrictEqual(waiting.lines, ["closed ConnectionViolated NotSent"])
      assert.strictEqual(session.ended?.fault, "peer")
      assert.strictEqual(server.goAways[0]?.[0], Code.ProtocolError)
    })
  )

  it.effect("a silent server is asked, and then given up", () =>
    Effect.gen(function* () {
      const { open, server, session } = yield* connected({ conduct: "hold" })
      server.transport.pause()
      const heard = open()
      yield* turns
      yield* TestClock.adjust("49 seconds")
      assert.deepStrictEqual(heard.lines, [])
      const answers: Array<number | undefined> = []
      session.pingUnsafe((millis) => answers.push(millis))
      yield* TestClock.adjust("1 second")
      // The transport is still there.
      assert.deepStrictEqual(answers, [undefined])
      assert.deepStrictEqual(heard.lines, ["closed ConnectionViolated MaybeProcessed"])
      assert.strictEqual(heard.failure?.fault, "transport")
    })
  )

  it.effect("pings: all who ask at a time share the answer, and none hangs", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connected()
      const answers: Array<number | undefined> = []
      let asked = 0
      const ping = session.engine.ping.bind(session.engine)
      session.engine.ping = (nowMillis) => {
        asked++
        ping(nowMillis)
      }
      const forget = session.pingUnsafe(() => answers.push(-1))
      session.pingUnsafe((millis) => answers.push(millis))
      session.pingUnsafe((millis) => answers.push(millis))
      forget()
      yield* turns
      assert.deepStrictEqual(answers, [0, 0])
      assert.strictEqual(asked, 1)
      session.pingUnsafe((millis) => answers.push(millis))
      server.transport.destroy()
      yield* turns
      session.pingUnsafe((millis) => answers.push(millis))
      assert.deepStrictEqual(answers, [0, 0, undefined, undefined])
    })
  )
})
