/**
 * Our HTTP/2 client and server in conversation, in virtual time: over a network
 * that is slow, cuts as it likes, and is lost now and then, with streams that
 * either side resets, windows that are small, and drains.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import type { Engine } from "@sluice/core/protocol/Engine"
import { Http2Connection } from "@sluice/core/protocol/http2/Http2Connection"
import type { StreamFailure, Violation } from "@sluice/core/protocol/http2/Http2Error"
import type { Http2Handler } from "@sluice/core/protocol/http2/Http2Handler"
import type { Http2RequestHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import { fillBytes } from "@sluice/core/protocol/http2/Http2SendQueue"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Chunkings from "../harness/Chunkings.ts"
import { EnginePair } from "../harness/EnginePair.ts"
import type { Random } from "./Http2Traffic.ts"

/** What one end knows of a stream. */
interface Known {
  readonly stream: Http2Stream
  readonly parts: Array<Uint8Array>
  /** What it has sent, whole only with `ended`. */
  sentBytes: number
  ended: "open" | "ended"
  received: "open" | "ended"
  over: "open" | "ended" | string
  isAbandoned: boolean
}

/** One end: it reads and writes by chance, and fills its output as a pump does. */
class End implements Http2Handler, Engine {
  readonly engine: Http2Connection
  readonly known = new Map<number, Known>()
  violation: Violation | undefined
  nowMillis = 0
  private readonly random: Random

  constructor(role: "client" | "server", random: Random, options: Http2Options.Options) {
    this.random = random
    this.engine = new Http2Connection(role, this, Http2Options.resolve(role, options), 0)
  }

  get output() {
    return this.engine.output
  }
  get deadlineMillis(): number {
    return this.engine.deadlineMillis
  }
  receive(bytes: Uint8Array, nowMillis: number): void {
    this.at(nowMillis, () => this.engine.receive(bytes, nowMillis))
  }
  receiveEnd(nowMillis: number): void {
    this.at(nowMillis, () => this.engine.receiveEnd(nowMillis))
  }
  receiveClose(nowMillis: number): void {
    this.at(nowMillis, () => this.engine.receiveClose(nowMillis))
  }
  advance(nowMillis: number): void {
    this.at(nowMillis, () => this.engine.advance(nowMillis))
  }
  resumeSending(nowMillis: number): void {
    this.at(nowMillis, () => this.engine.resumeSending(nowMillis))
  }

  private at(nowMillis: number, body: () => void): void {
    this.nowMillis = nowMillis
    body()
    while (this.engine.hasQueued) {
      const { byteLength } = this.output
      this.engine.fill(nowMillis)
      // As much as a pump would write, and then the rest.
      Assert.ok(this.output.byteLength > byteLength || !this.engine.hasQueued || byteLength >= fillBytes)
      if (this.output.byteLength >= fillBytes) break
    }
    Assert.ok(this.engine.window.receiveBytes >= 0 && this.engine.window.sendBytes >= 0)
  }

  add(stream: Http2Stream): Known {
    const known: Known = {
      stream,
      parts: [],
      sentBytes: 0,
      ended: "open",
      received: "open",
      over: "open",
      isAbandoned: false
    }
    Assert.ok(!this.known.has(stream.id))
    this.known.set(stream.id, known)
    return known
  }

  onRequest(stream: Http2Stream, _head: Http2RequestHead, ended: boolean): void {
    const known = this.add(stream)
    if (ended) known.received = "ended"
    if (this.random.chance(3)) this.begin(known)
  }
  onInterim(): void {}
  onResponse(stream: Http2Stream, _head: unknown, ended: boolean): void {
    if (ended) this.of(stream).received = "ended"
  }
  onData(stream: Http2Stream, data: Uint8Array): void {
    const known = this.of(stream)
    Assert.equal(known.received, "open")
    known.parts.push(data.slice())
    if (this.random.chance(2)) this.engine.consume(stream, data.length, this.nowMillis)
    if (this.random.chance(30)) this.engine.reset(stream, 8, this.nowMillis)
  }
  onEnd(stream: Http2Stream): void {
    const known = this.of(stream)
    Assert.equal(known.received, "open")
    known.received = "ended"
  }
  onClosed(stream: Http2Stream, failure: StreamFailure | undefined): void {
    const known = this.of(stream)
    Assert.equal(known.over, "open", `stream ${stream.id} was closed twice`)
    known.over = failure === undefined ? "ended" : failure._tag
    // A server may leave behind its answer, and asks the client to stop then.
    if (failure === undefined) {
      const isServer = this.engine.role === "server"
      Assert.equal(isServer ? known.ended : known.received, "ended")
      if (known.ended !== known.received) Assert.ok(!isServer || known.isAbandoned)
    }
  }
  onWritable(stream: Http2Stream): void {
    Assert.ok(stream.isWritable)
    if (this.random.chance(2)) this.write(this.of(stream))
  }
  onPeerSettings(): void {}
  onGoAway(): void {}
  onPong(roundTripMillis: number): void {
    Assert.ok(roundTripMillis >= 0)
  }
  onViolation(violation: Violation): void {
    Assert.equal(this.violation, undefined)
    this.violation = violation
  }

  /** A server's head. */
  begin(known: Known): void {
    if (known.sentBytes > 0 || known.ended === "ended" || known.over !== "open") return
    if (this.random.chance(3)) {
      const body = bodyOf(known.stream.id, 0, this.random.below(this.random.pick([10, 5_000, 100_000])))
      known.sentBytes = body.length
      known.ended = "ended"
      // It may be over when this returns.
      const refusal = this.engine.respond(known.stream, 200, { "x-a": "b" }, body, this.nowMillis)
      if (refusal !== undefined) Object.assign(known, { sentBytes: 0, ended: "open" })
    } else this.engine.beginResponse(known.stream, 200, {}, this.nowMillis)
  }

  write(known: Known): void {
    const data = bodyOf(known.stream.id, known.sentBytes, 1 + this.random.below(this.random.pick([10, 3_000, 40_000])))
    if (known.ended === "open" && this.engine.write(known.stream, data, this.nowMillis) === undefined) {
      known.sentBytes += data.length
    }
  }

  end(known: Known): void {
    if (known.ended === "ended" || known.over !== "open") return
    known.ended = "ended"
    const trailers = this.random.chance(3) ? { "x-sum": String(known.sentBytes) } : undefined
    if (this.engine.end(known.stream, trailers, this.nowMillis) !== undefined) known.ended = "open"
  }

  /** Reads what was left lying about. */
  catchUp(): void {
    for (const { stream } of this.known.values()) {
      if (stream.unreadBytes > 0) this.engine.consume(stream, stream.unreadBytes, this.nowMillis)
    }
  }

  private of({ id }: Http2Stream): Known {
    const known = this.known.get(id)
    Assert.ok(known !== undefined, `stream ${id} is not known`)
    return known
  }
}

/** Byte `at` of a stream's body is known from its place. */
const bodyOf = (id: number, at: number, byteCount: number): Uint8Array =>
  Uint8Array.from({ length: byteCount }, (_, index) => (id * 7 + at + index) % 251)

const optionsOf = (random: Random): Http2Options.Options => ({
  maxConcurrentStreams: random.pick([1, 4, 128]),
  streamWindow: random.pick([1, 1_000, 65_535, 262_144]),
  connectionWindow: random.pick([65_535, 300_000]),
  headerTableSize: random.pick([0, 4_096]),
  maxFrameSize: random.pick([16_384, 100_000]),
  sendBufferSize: random.pick([1, 20_000]),
  pingInterval: random.pick([500, 30_000])
})

/** One connection, from its preface to its end. */
export const converse = (random: Random): void => {
  const client = new End("client", random, optionsOf(random))
  const server = new End("server", random, optionsOf(random))
  const cut = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
    const positions = random.list(random.pick([0, 0, 5]), () => random.below(bytes.length))
    return Chunkings.cut(
      bytes,
      [...new Set(positions)].sort((left, right) => left - right)
    ).filter(({ length }) => length > 0)
  }
  const latencyMillis = { toLeft: random.pick([0, 3, 200]), toRight: random.pick([0, 3, 200]) }
  const pair = new EnginePair(client, server, { cut, latencyMillis, maxSteps: 100_000 })
  const isSmall = random.chance(2)
  for (let turn = random.pick([5, 40]); turn > 0; turn--) {
    act(random, client, server, isSmall)
    if (random.chance(3)) pair.settle()
    else pair.advance(random.pick([0, 1, 10, 300]))
  }
  const isLost = random.chance(4)
  if (isLost) {
    client.receiveClose(pair.nowMillis)
    server.receiveClose(pair.nowMillis)
  } else finish(pair, client, server)
  for (const end of [client, server]) {
    for (const [id, known] of end.known) {
      Assert.notEqual(known.over, "open", `stream ${id} of the ${end.engine.role}`)
      compare(known, (end === client ? server : client).known.get(id))
    }
    Assert.equal(end.engine.streams.placeCount, 0)
    const owedBytes = Reflect.get(end.engine.window, "owedBytes") as number
    Assert.equal(end.engine.window.receiveBytes + owedBytes, end.engine.limits.connectionWindowBytes)
    Assert.equal(Reflect.get(end.engine.guard, "smallDataCount"), 0)
    Assert.equal(end.violation, undefined, end.violation?.message)
  }
}

/** Both read to the end, and finish what they have begun; then the client leaves. */
const finish = (pair: EnginePair<End, End>, client: End, server: End): void => {
  for (let turn = 0; turn < 400 && (client.engine.streamCount > 0 || server.engine.streamCount > 0); turn++) {
    for (const end of [client, server]) {
      for (const known of end.known.values()) {
        if (known.over !== "open") continue
        if (end === server) end.begin(known)
        end.end(known)
      }
      end.catchUp()
    }
    pair.advance(500)
  }
  Assert.equal(client.engine.streamCount, 0, "the client has streams")
  Assert.equal(server.engine.streamCount, 0, "the server has streams")
  const leaves = client.known.size % 2 === 0 ? client : server
  leaves.engine.drain(pair.nowMillis)
  pair.advance(20_000)
  Assert.deepEqual(pair.transports, { left: "closed", right: "closed" })
}

const act = (random: Random, client: End, server: End, isSmall: boolean): void => {
  const end = random.pick([client, server])
  const ids = [...end.known.keys()]
  const known = ids.length === 0 ? undefined : end.known.get(random.pick(ids))
  switch (random.below(isSmall ? 10 : 12)) {
    case 0:
    case 1:
    case 2: {
      const isOpen = random.chance(2)
      const { engine, nowMillis } = client
      const parts = { method: "POST", scheme: "http", authority: "a", path: "/", headers: { "x-a": "b" } } as const
      const stream = engine.request(parts, undefined, isOpen ? "open" : "whole", undefined, nowMillis)
      if ("_tag" in stream) Assert.ok(stream._tag === "StreamsExhausted" || engine.phase !== "open", stream._tag)
      else if (!isOpen) client.add(stream).ended = "ended"
      else client.add(stream)
      break
    }
    case 3:
    case 4:
    case 5:
      if (known !== undefined) {
        if (end === server) end.begin(known)
        end.write(known)
      }
      break
    case 6:
      if (known !== undefined) end.end(known)
      break
    case 7:
      end.catchUp()
      break
    case 8:
      if (known !== undefined && random.chance(4)) end.engine.reset(known.stream, 8, end.nowMillis)
      break
    case 9:
      if (known !== undefined && end === server && random.chance(2)) {
        known.isAbandoned = true
        end.engine.abandon(known.stream, end.nowMillis)
      }
      if (random.chance(4)) end.engine.ping(end.nowMillis)
      break
    case 10:
      if (random.chance(20)) end.engine.drain(end.nowMillis)
      break
    default:
      if (known !== undefined) end.engine.awaitBody(known.stream, random.chance(2), end.nowMillis)
  }
}

/** What came is the beginning of what was sent, and all of it where it is whole. */
const compare = (known: Known, other: Known | undefined): void => {
  const received = Buffer.concat(known.parts)
  const sentBytes = other?.sentBytes ?? 0
  Assert.ok(received.length <= sentBytes, `${received.length} bytes of ${sentBytes}`)
  Assert.ok(received.equals(bodyOf(known.stream.id, 0, received.length)), "another body")
  // What comes of a body that was given up is dropped.
  if (known.received === "ended" && known.over === "ended" && !known.isAbandoned)
    Assert.equal(received.length, sentBytes)
}
