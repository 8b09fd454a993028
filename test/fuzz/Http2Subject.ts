/**
 * An HTTP/2 engine under random frames, with a user that does something else
 * for each path, and what must hold whatever comes.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import type * as Http2Options from "@sluice/core/protocol/http2/Http2Options"
import type { Http2Stream } from "@sluice/core/protocol/http2/Http2Stream"
import * as Chunkings from "../harness/Chunkings.ts"
import { ask, type Conduct, Recorded, type Role } from "../harness/Http2Recorded.ts"
import { Watcher } from "./Http2Watcher.ts"

/** Small enough to be reached. */
export const options: Http2Options.Options = {
  maxConcurrentStreams: 8,
  streamWindow: 20_000,
  connectionWindow: 70_000,
  maxHeaderSize: 2_048,
  maxBodySize: 60_000,
  sendBufferSize: 1_000
}

/** What a client asks before anything comes. */
export const requests = ["GET", "POST", "HEAD", "GET", "POST"]

const big = new Uint8Array(100_000).fill(0x61)

/** What the user of a server does, by the path; that of a client by the stream. */
const conduct: Conduct = {
  onHead: (side, stream, head) => {
    const { engine, nowMillis } = side
    stream.owner = "path" in head ? head.path : ["/", "/hold", "/half", "/cut", "/"][stream.id % 5]
    if (stream.owner === "/early") engine.respond(stream, 200, {}, "early", nowMillis)
    else if (stream.owner === "/reset") engine.reset(stream, 8, nowMillis)
    else if (stream.owner === "/interim") engine.interim(stream, 103, { link: "</a>" }, nowMillis)
    else if (stream.owner === "/retain") engine.retain(stream)
    else if (stream.owner === "/leave") {
      engine.abandon(stream, nowMillis)
      engine.respond(stream, 200, {}, "early", nowMillis)
    } else if (stream.owner === "/wait") engine.awaitBody(stream, true, nowMillis)
    else if (stream.owner === "/stream") {
      engine.beginResponse(stream, 200, { "x-a": "b" }, nowMillis)
      engine.write(stream, "x".repeat(3_000), nowMillis)
    }
  },
  onWhole: ({ engine, nowMillis }, stream, path) => {
    if (path === "/big") engine.respond(stream, 200, { "x-a": "b" }, big, nowMillis)
    else if (path === "/stream") engine.end(stream, { "x-sum": "1" }, nowMillis)
    else if (path === "/text") engine.respond(stream, 404, {}, "é".repeat(2_000), nowMillis)
    else if (!/^\/(?:early|leave|reset|wait)$/.test(path)) engine.respond(stream, 200, {}, undefined, nowMillis)
  },
  onData: ({ engine, nowMillis }, stream, data) => {
    if (stream.owner === "/hold") return
    if (stream.owner === "/cut") return engine.reset(stream, 8, nowMillis)
    if (stream.owner === "/abandon") return engine.abandon(stream, nowMillis)
    engine.consume(stream, stream.owner === "/half" ? data.length >> 1 : data.length, nowMillis)
  }
}

export interface Outcome {
  readonly calls: ReadonlyArray<string>
  readonly sent: ReadonlyArray<string>
  readonly closing: "open" | "closed"
}

export const make = (role: Role): Recorded => {
  const side = new Recorded(role, conduct, options)
  if (role === "client") for (const method of requests) ask(side, method)
  return side
}

/** What the chunks make of it: calls, and what is sent behind the last one. */
export const hear = (role: Role, chunks: ReadonlyArray<Uint8Array>): Outcome => {
  const side = make(role)
  for (const chunk of chunks) {
    side.engine.receive(chunk.slice(), 0)
    checkBounds(side)
  }
  const sent = side.sent()
  checkBounds(side)
  // Whoever goes on behind its end is given up: how much of that was in the same chunk is for the network to say.
  return { sent, calls: [...side.calls], closing: side.engine.output.closing === "open" ? "open" : "closed" }
}

/** How a connection goes on behind the last byte. */
export type Ending = "end" | "close" | "drain" | "time"

/** The same with time, and a look at everything that is sent; then the end. */
export const watched = (role: Role, wire: Uint8Array, whim: (most: number) => number, ending: Ending): void => {
  const side = make(role)
  const watcher = new Watcher(role)
  const flush = (): void => {
    side.engine.fill(side.nowMillis)
    for (const chunk of side.engine.output.take()) watcher.sent(chunk)
  }
  flush()
  for (const chunk of eachFrame(wire)) {
    watcher.received(chunk)
    side.engine.receive(chunk, side.nowMillis)
    checkBounds(side)
    flush()
    if (whim(100) === 0) side.engine.drain(side.nowMillis)
    if (whim(8) === 0) pass(side, whim(20_000))
    flush()
  }
  end(side, ending, flush)
}

/** The same over a transport that is full now and then. */
export const blocked = (
  role: Role,
  chunks: ReadonlyArray<Uint8Array>,
  whim: (most: number) => number,
  ending: Ending
): void => {
  const side = make(role)
  const { engine } = side
  const drain = (): void => {
    engine.output.take()
    engine.output.blocked = false
    engine.resumeSending(side.nowMillis)
  }
  for (const chunk of chunks) {
    engine.receive(chunk.slice(), side.nowMillis)
    checkBounds(side)
    checkDeadline(side)
    Assert.ok(engine.output.byteLength < 300_000, `${engine.output.byteLength} bytes wait`)
    if (whim(4) === 0) engine.output.blocked = true
    Assert.ok(!(engine.output.blocked && engine.hasQueued))
    engine.fill(side.nowMillis)
    if (engine.output.byteLength > 65_536 || whim(6) === 0) drain()
    if (whim(8) === 0) pass(side, whim(20_000))
  }
  drain()
  end(side, ending, drain)
}

/** One frame each, the preface with the first. */
const eachFrame = (wire: Uint8Array): ReadonlyArray<Uint8Array> => {
  const ends: Array<number> = []
  const isClient = wire[0] === 0x50
  for (let at = isClient ? 24 : 0; at < wire.length; ) {
    at += 9 + (wire[at]! << 16) + ((wire[at + 1] ?? 0) << 8) + (wire[at + 2] ?? 0)
    if (at < wire.length) ends.push(at)
  }
  return Chunkings.cut(wire, ends)
}

const end = (side: Recorded, ending: Ending, flush: () => void): void => {
  const { engine } = side
  if (ending === "end") engine.receiveEnd(side.nowMillis)
  if (ending === "drain") engine.drain(side.nowMillis)
  if (ending === "time" || ending === "drain") {
    // Whoever does not speak is given up in the end, as long as anything is awaited of it.
    for (let turn = 0; turn < 1_000 && engine.deadlineMillis !== Number.POSITIVE_INFINITY; turn++) {
      pass(side, Math.max(0, engine.deadlineMillis - side.nowMillis))
      if (engine.output.closing === "abort") break
      Assert.ok(turn < 900, `no end at ${side.nowMillis} ms`)
    }
    if (engine.role === "server") Assert.notEqual(engine.output.closing, "open")
  }
  flush()
  finish(side)
}

/** Time passes, and what is due on the way is done. */
const pass = (side: Recorded, millis: number): void => {
  const { engine } = side
  const untilMillis = side.nowMillis + millis
  for (let turn = 0; engine.deadlineMillis <= untilMillis; turn++) {
    Assert.ok(turn < 1_000, `a deadline at ${engine.deadlineMillis} ms that is not served`)
    side.nowMillis = Math.max(side.nowMillis, engine.deadlineMillis)
    engine.advance(side.nowMillis)
    if (engine.output.closing === "abort") break
  }
  side.nowMillis = untilMillis
  checkDeadline(side)
}

/** The transport is gone: every stream is over once, and nothing is heard or sent any more. */
const finish = (side: Recorded): void => {
  const { calls, engine, nowMillis } = side
  engine.output.take()
  engine.receiveClose(nowMillis)
  engine.output.take()
  checkCalls(calls)
  Assert.equal(engine.streamCount, 0)
  const { length } = calls
  engine.receive(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0), nowMillis)
  engine.advance(nowMillis + 1e9)
  engine.receiveEnd(nowMillis)
  engine.fill(nowMillis)
  engine.resumeSending(nowMillis)
  engine.drain(nowMillis)
  engine.ping(nowMillis)
  for (const stream of side.streams.values()) useUp(side, stream)
  engine.receiveClose(nowMillis)
  Assert.equal(calls.length, length, `heard behind the end: ${calls.slice(length)}`)
  Assert.equal(engine.output.take().length, 0, "sent behind the end")
  Assert.equal(engine.deadlineMillis, Number.POSITIVE_INFINITY)
  Assert.equal(engine.streams.placeCount, 0)
  checkReturned(side)
}

const useUp = ({ engine, nowMillis }: Recorded, stream: Http2Stream): void => {
  Assert.equal(engine.write(stream, "late", nowMillis)?._tag, "StreamEnded")
  Assert.equal(engine.end(stream, undefined, nowMillis)?._tag, "StreamEnded")
  if (engine.role === "server") Assert.equal(engine.respond(stream, 200, {}, "", nowMillis)?._tag, "StreamEnded")
  engine.consume(stream, 10, nowMillis)
  engine.reset(stream, 8, nowMillis)
  engine.awaitBody(stream, true, nowMillis)
  engine.release(stream, nowMillis)
}

/** For each stream: a head, its body, its end, and `closed` once and last. */
export const checkCalls = (calls: ReadonlyArray<string>): void => {
  const heads = new Map<string, string>()
  for (const call of calls) {
    const [what = "", id = ""] = call.split(" ")
    if (what === "violation" || what === "goAway" || what === "pong") continue
    const before = heads.get(id) ?? "nothing"
    Assert.notEqual(before, "closed", `${call} behind its end`)
    if (what === "request" || what === "response") Assert.ok(before === "nothing" || before === "interim", call)
    else if (what === "interim") Assert.ok(before === "nothing" || before === "interim", call)
    else if (what === "data") Assert.equal(before, "head", call)
    else if (what === "end") Assert.equal(before, "head", call)
    if (what === "request" || what === "response") heads.set(id, call.endsWith(" ended") ? "ended" : "head")
    else if (what === "end") heads.set(id, "ended")
    else if (what === "interim" || what === "closed") heads.set(id, what)
  }
  for (const [id, state] of heads) Assert.equal(state, "closed", `stream ${id} was not closed`)
}

const checkBounds = ({ engine }: Recorded): void => {
  if (engine.phase === "closed") return
  Assert.ok(engine.window.receiveBytes >= 0, "more was taken than the connection's window")
  Assert.ok(engine.window.sendBytes >= 0, "more was sent than the connection's window")
  Assert.ok(engine.window.receiveBytes <= 70_000)
  for (const stream of engine.streams.values()) {
    Assert.ok(stream.receiveBytes <= Math.max(20_000, 65_535), `${stream.receiveBytes}`)
    Assert.ok(stream.unreadBytes >= 0 && stream.queuedBytes >= 0)
  }
  Assert.ok(engine.streamCount <= 8)
}

/** While something is awaited, the engine says until when. */
const checkDeadline = ({ engine }: Recorded): void => {
  if (engine.output.closing === "abort") return
  const awaits = engine.role === "server" || engine.streamCount > 0 || engine.phase === "closed"
  if (awaits) Assert.ok(Number.isFinite(engine.deadlineMillis), `no deadline, ${engine.phase}`)
}

/** All that was taken from the connection's window has been, or is to be, given back. */
export const checkReturned = ({ engine, calls }: Recorded): void => {
  const isBroken = calls.some((call) => call.includes("FLOW_CONTROL_ERROR"))
  const owedBytes = Reflect.get(engine.window, "owedBytes") as number
  if (!isBroken) Assert.equal(engine.window.receiveBytes + owedBytes, 70_000)
  Assert.equal(Reflect.get(engine.guard, "smallDataCount"), 0)
}
