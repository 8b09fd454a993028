/** Attacks on HTTP/2 by bodies: those that do not come, and windows that are shut, too small or overrun. */
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack } from "./Attack.ts"
import {
  answered,
  calm,
  deaf,
  exceeding,
  get,
  hold,
  kib,
  mib,
  mostWindow,
  places,
  short,
  streams
} from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

/** All windows as large as they may be, and a stream in every place. */
const wideOpen = (path: string) => {
  const opened = streams(places, (id) => Wire.headers(id, get(path), "END_STREAM"))
  return () => Wire.wire(Wire.windowUpdate(0, mostWindow - 65_535), opened())
}

/** RFC 8441 §5. */
const webSocket = (path: string): Uint8Array =>
  Wire.block([
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":authority", "a"],
    [":path", path],
    ["sec-websocket-version", "13"]
  ])

/** A binary message of a client, in one frame, with the mask 0. */
const message = (byteCount: number): Uint8Array =>
  Wire.wire(Uint8Array.of(0x82, 0xfe), Wire.number(byteCount, 2), new Uint8Array(4 + byteCount))

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "streams whose bodies never come",
    limit: "bodyTimeout",
    options: { server: { bodyTimeout: short } },
    run: answered(
      streams(places, (id) => Wire.headers(id, Peer.block("POST", "/read"))),
      (peer) => peer.countOf("RST_STREAM") === places
    ),
    answer: "408, NO_ERROR",
    mostBytes: 4 * mib
  },
  {
    name: "large responses on all streams, no window",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: answered(
      streams(places, (id) => Wire.headers(id, get("/large"), "END_STREAM")),
      (peer) => peer.countOf("RST_STREAM") === places,
      { settings: { INITIAL_WINDOW_SIZE: 0 } }
    ),
    answer: "200, CANCEL",
    mostBytes: 4 * mib
  },
  {
    name: "endless responses on all streams, no window",
    limit: "sendTimeout, sendBufferSize",
    options: { server: { sendTimeout: short } },
    run: answered(
      streams(places, (id) => Wire.headers(id, get("/stream"), "END_STREAM")),
      (peer) => peer.countOf("RST_STREAM") === places,
      { settings: { INITIAL_WINDOW_SIZE: 0 } }
    ),
    answer: "200, CANCEL",
    mostBytes: 8 * mib
  },
  {
    name: "large responses on all streams, not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf(wideOpen("/large")),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 4 * mib
  },
  {
    name: "endless responses on all streams, not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf(wideOpen("/stream")),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 8 * mib
  },
  {
    name: "small requests, answers not read",
    limit: "maxConcurrentStreams, budget forcedResets",
    options: { server: { sendTimeout: short, closeTimeout: short } },
    // What is not read keeps its places, so that others are refused.
    run: deaf(streams(20_000, (id) => Wire.headers(id, get("/"), "END_STREAM"))),
    answer: "given up",
    counted: "BudgetSpent",
    mostBytes: 4 * mib
  },
  {
    name: "responses byte by byte",
    limit: "budget windowUpdates",
    options: {},
    // CVE-2019-9511: a byte of each response, then another.
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale, { settings: { INITIAL_WINDOW_SIZE: 0 } })
      const opened = streams(places, (id) => Wire.headers(id, get("/large"), "END_STREAM"))
      const drip = streams(places, (id) => Wire.windowUpdate(id, 1))
      for (const peer of peers) peer.say(opened())
      for (let round = 1; round <= 100; round++) {
        for (const peer of peers) peer.say(drip())
        const isServed = (peer: Peer.Http2Peer) => peer.countOf("DATA") >= places * round || peer.isOver
        yield* Effect.forEach(peers, (peer) => peer.until(() => isServed(peer)))
      }
      yield* scene.height
      return Peer.farewells(peers)
    }),
    ...calm("windowUpdates"),
    mostBytes: 4 * mib
  },
  {
    name: "bodies that nobody reads, on all streams",
    limit: "connectionWindow",
    options: {},
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale)
      const part = new Uint8Array(8 * kib - 9)
      for (const peer of peers) {
        peer.say(Peer.each(places, (id) => Wire.headers(id, hold)))
        peer.say(Peer.each(places, (id) => Wire.data(id, part)))
      }
      const { memoryBytes } = yield* scene.height
      for (const peer of peers) peer.socket.destroy()
      yield* scene.release
      return memoryBytes > 0 && Peer.farewells(peers) === "nothing" ? "held" : Peer.farewells(peers)
    }),
    answer: "held",
    mostBytes: 5 * mib
  },
  {
    name: "bodies that are collected, on all streams",
    limit: "maxBufferedBody, maxConcurrentStreams",
    options: { server: { maxBufferedBody: "64 KiB" } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale)
      // All but the last byte; then more than is allowed.
      const begun = streams(places, (id) => Wire.headers(id, Peer.block("POST", "/read")))
      const part = streams(places, (id) => Wire.data(id, new Uint8Array(8 * kib - 1)))
      for (const peer of peers) peer.say(begun())
      for (let round = 0; round < 8; round++) {
        for (const peer of peers) peer.say(part())
        yield* scene.height
      }
      for (const peer of peers) peer.say(part())
      yield* Effect.forEach(peers, (peer) => peer.until(() => peer.countOf("RST_STREAM") === places || peer.isOver))
      return Peer.answers(peers)
    }),
    answer: "413, NO_ERROR",
    mostBytes: 20 * mib
  },
  {
    name: "tiny DATA that is collected",
    limit: "maxBufferedBody",
    options: { server: { maxBufferedBody: "64 KiB" } },
    run: answered(
      () =>
        Wire.wire(Wire.headers(1, Peer.block("POST", "/read")), ...Array<Uint8Array>(66 * kib).fill(Wire.data(1, "x"))),
      (peer) => peer.countOf("RST_STREAM") === 1
    ),
    answer: "413, NO_ERROR",
    mostBytes: 2 * mib
  },
  {
    name: "echoes on the WebSockets of all streams, no window",
    limit: "sendBuffer, sendBufferSize, writeTimeout",
    options: {
      server: { http2: { sendBufferSize: "64 KiB" } },
      webSocket: { writeTimeout: short, closeTimeout: short }
    },
    run: Effect.fnUntraced(function* (scene) {
      const settings = { INITIAL_WINDOW_SIZE: 0 }
      const peers = yield* Peer.connectMany(scene.port, scene.scale, { settings })
      const opened = streams(places, (id) => Wire.headers(id, webSocket("/echo")))
      const part = streams(places, (id) => Wire.data(id, message(8 * kib - 8)))
      const partBytes = places * 8 * kib
      for (const peer of peers) peer.say(opened())
      for (let round = 1; round < 14; round++) {
        yield* scene.height
        for (const peer of peers) {
          if (peer.windowBytes < partBytes) continue
          peer.windowBytes -= partBytes
          peer.say(part())
        }
      }
      const areOver = (peer: Peer.Http2Peer) => peer.countOf("RST_STREAM") === places || peer.isOver
      yield* Effect.forEach(peers, (peer) => peer.until(() => areOver(peer)))
      return Peer.answers(peers)
    }),
    answer: "200, CANCEL",
    mostBytes: 24 * mib
  },
  {
    name: "DATA above the window of a stream",
    limit: "streamWindow",
    options: {},
    run: answered(
      () => Wire.wire(Wire.headers(1, hold), ...Array<Uint8Array>(17).fill(Wire.data(1, new Uint8Array(16_384)))),
      (peer) => peer.countOf("RST_STREAM") === 1
    ),
    answer: "FLOW_CONTROL_ERROR",
    mostBytes: mib
  },
  {
    name: "DATA above the window of the connection",
    limit: "connectionWindow",
    options: {},
    run: exceeding(() =>
      Peer.each(8, (id) =>
        Wire.wire(Wire.headers(id, hold), ...Array<Uint8Array>(15).fill(Wire.data(id, new Uint8Array(16_384))))
      )
    ),
    answer: "FLOW_CONTROL_ERROR: DATA above the connection's window",
    counted: "ConnectionViolation",
    mostBytes: 5 * mib
  },
  {
    name: "a window of the connection above its maximum",
    limit: "RFC 9113 §6.9.1",
    options: {},
    run: exceeding(() => Wire.windowUpdate(0, mostWindow)),
    answer: "FLOW_CONTROL_ERROR: RFC 9113 section 6.9.1: a window above 2^31-1",
    counted: "ConnectionViolation",
    mostBytes: mib
  },
  {
    name: "SETTINGS that lift a window above its maximum",
    limit: "RFC 9113 §6.9.2",
    options: {},
    run: exceeding(() =>
      Wire.wire(
        Wire.headers(1, hold),
        Wire.windowUpdate(1, mostWindow - 65_535),
        Wire.settings({ INITIAL_WINDOW_SIZE: mostWindow })
      )
    ),
    answer: "FLOW_CONTROL_ERROR: RFC 9113 section 6.9.2: a window above 2^31-1",
    counted: "ConnectionViolation",
    mostBytes: mib
  }
]
