/** Attacks on HTTP/2 by streams: opening, resetting, spoiling them, and windows that are too small or overrun. */
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import * as Peer from "./Http2Peer.ts"

const short = "400 millis"

const kib = 1024

const mib = 1024 * kib

const mostWindow = 2 ** 31 - 1

/** What a server allows a client. */
const places = 128

const hold = Peer.block("POST", "/hold")

const get = (path: string) => Peer.block("GET", path)

/** So many streams, each with the same frames, made once. */
const streams = (count: number, frames: (id: number) => Uint8Array) => {
  let made: Uint8Array | undefined
  return () => (made ??= Peer.each(count, frames))
}

/** Says all of it at once, and is thrown out. */
const exceeding = (said: () => Uint8Array, opening?: Peer.Opening) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale, opening)
    for (const peer of peers) peer.say(said())
    yield* scene.height
    yield* Peer.allEnded(peers)
    yield* scene.release
    return Peer.farewells(peers)
  })

/** Does it again on a new connection each time that it is thrown out. */
const returning = (said: () => Uint8Array, times: number) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const seen = new Set<string>()
    const attacker = Effect.gen(function* () {
      for (let time = 0; time < times; time++) {
        const peer = yield* Peer.connect(scene.port)
        peer.say(said())
        yield* peer.ended
        seen.add(peer.farewell)
      }
    })
    yield* Effect.all(
      Array.from({ length: 4 * scene.scale }, () => Effect.scoped(attacker)),
      { concurrency: "unbounded" }
    )
    yield* scene.height
    return [...seen].join(", ")
  })

/** Opens streams, of which each is answered in its time; then it leaves. */
const answered = (said: () => Uint8Array, isOver: (peer: Peer.Http2Peer) => boolean, opening?: Peer.Opening) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale, opening)
    for (const peer of peers) peer.say(said())
    yield* scene.height
    yield* Effect.forEach(peers, (peer) => peer.until(() => isOver(peer) || peer.isOver))
    for (const peer of peers) peer.socket.destroy()
    yield* scene.release
    return Peer.answers(peers)
  })

/** Reads nothing, and says so much, or goes on for ever. */
const deaf = (said: () => Uint8Array, next: () => Uint8Array | undefined = () => undefined) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const settings = { INITIAL_WINDOW_SIZE: mostWindow }
    const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale, { reading: "reads nothing", settings })
    for (const peer of peers) {
      peer.say(said())
      peer.pour(next)
    }
    yield* scene.height
    yield* Effect.repeat(Effect.andThen(scene.neighbour, scene.look), { while: ({ stats }) => stats.open > 1 })
    return "given up"
  })

const calm = (budget: string): Pick<Attack, "answer" | "counted"> => ({
  answer: `ENHANCE_YOUR_CALM: too many ${budget}`,
  counted: "BudgetSpent"
})

/** CVE-2023-44487: each time a handler has begun. */
const rapidReset = streams(4_000, (id) => Wire.wire(Wire.headers(id, hold, "END_STREAM"), Wire.rstStream(id, "CANCEL")))

/** CVE-2025-8671: the server is made to reset the stream. */
const madeYouReset = (spoil: (id: number) => Uint8Array, ...ends: ReadonlyArray<Wire.Option>) =>
  exceeding(streams(400, (id) => Wire.wire(Wire.headers(id, hold, ...ends), spoil(id))))

/** All windows as large as they may be, and a stream in every place. */
const wideOpen = (path: string) => {
  const opened = streams(places, (id) => Wire.headers(id, get(path), "END_STREAM"))
  return () => Wire.wire(Wire.windowUpdate(0, mostWindow - 65_535), opened())
}

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "rapid reset",
    limit: "budget resets",
    options: {},
    run: exceeding(rapidReset),
    ...calm("resets"),
    mostBytes: 2 * mib
  },
  {
    name: "rapid reset, on a new connection each time",
    limit: "budget resets",
    options: {},
    run: returning(rapidReset, 5),
    ...calm("resets"),
    mostBytes: 2 * mib
  },
  {
    name: "rapid reset before a body",
    limit: "budget resets",
    options: {},
    run: exceeding(streams(4_000, (id) => Wire.wire(Wire.headers(id, hold), Wire.rstStream(id, "CANCEL")))),
    ...calm("resets"),
    mostBytes: 2 * mib
  },
  {
    name: "rapid reset of what is answered at once",
    limit: "maxConcurrentStreams, budget resets",
    options: {},
    // What was answered before its reset came has cost a whole response, and is no attack.
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
      const said = streams(4_000, (id) =>
        Wire.wire(Wire.headers(id, get("/"), "END_STREAM"), Wire.rstStream(id, "CANCEL"))
      )
      for (const peer of peers) peer.say(Wire.wire(said(), Wire.ping()))
      yield* Effect.forEach(peers, (peer) => peer.until(() => peer.countOf("PING") > 0 || peer.isOver))
      yield* scene.height
      const allowed = ["nothing", "ENHANCE_YOUR_CALM: too many resets"]
      return peers.every((peer) => allowed.includes(peer.farewell)) ? "served or thrown out" : Peer.farewells(peers)
    }),
    answer: "served or thrown out",
    mostBytes: 2 * mib
  },
  {
    name: "made you reset: WINDOW_UPDATE of 0",
    limit: "budget forcedResets",
    options: {},
    run: madeYouReset((id) => Wire.windowUpdate(id, 0)),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "made you reset: a window above its maximum",
    limit: "budget forcedResets",
    options: {},
    run: madeYouReset((id) => Wire.windowUpdate(id, mostWindow)),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "made you reset: DATA behind the end",
    limit: "budget forcedResets",
    options: {},
    run: madeYouReset((id) => Wire.data(id, "x"), "END_STREAM"),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "made you reset: HEADERS behind the end",
    limit: "budget forcedResets",
    options: {},
    run: madeYouReset((id) => Wire.headers(id, hold), "END_STREAM"),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "made you reset: PRIORITY of a wrong length",
    limit: "budget forcedResets",
    options: {},
    run: madeYouReset((id) => Wire.frame("PRIORITY", 0, id, "00000000")),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "made you reset, on a new connection each time",
    limit: "budget forcedResets",
    options: {},
    run: returning(
      streams(400, (id) => Wire.wire(Wire.headers(id, hold), Wire.windowUpdate(id, 0))),
      5
    ),
    ...calm("forcedResets"),
    mostBytes: mib
  },
  {
    name: "more streams than allowed",
    limit: "maxConcurrentStreams, budget forcedResets",
    options: {},
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 2 * scene.scale)
      const said = streams(1_000, (id) => Wire.headers(id, hold))
      for (const peer of peers) peer.say(said())
      yield* scene.height
      yield* Peer.allEnded(peers)
      yield* scene.release
      return `${Peer.answers(peers)}; ${Peer.farewells(peers)}`
    }),
    answer: "REFUSED_STREAM; ENHANCE_YOUR_CALM: too many forcedResets",
    counted: "BudgetSpent",
    mostBytes: 4 * mib
  },
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
    answer: "FLOW_CONTROL_ERROR: RFC 9113 §6.9.1: a window above 2^31-1",
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
    answer: "FLOW_CONTROL_ERROR: RFC 9113 §6.9.2: a window above 2^31-1",
    counted: "ConnectionViolation",
    mostBytes: mib
  }
]
