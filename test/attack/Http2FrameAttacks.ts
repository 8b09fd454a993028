/** Attacks on HTTP/2 by frames that cost a server work and say next to nothing: one for each budget and limit of time. */
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import { calm, kib, mib, short } from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

/** As many of a frame as make writing worth it. */
const many = (frame: Uint8Array, count = 100): Uint8Array => Wire.wire(...Array<Uint8Array>(count).fill(frame))

const held = Wire.headers(1, Peer.block("POST", "/hold"))

const nothing = new Uint8Array(0)

/**
 * Goes above the limit, and is thrown out. Not far: who does not stop is reset
 * in the end, and may not see why.
 */
const exceeding = (part: Uint8Array, mostBytes = 256 * kib, opening: Uint8Array = nothing) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) {
      peer.say(opening)
      peer.flood(part, mostBytes)
    }
    yield* scene.height
    yield* Peer.allEnded(peers)
    yield* scene.release
    return Peer.farewells(peers)
  })

/** Reads nothing, and does not stop. */
const deaf = (part: Uint8Array, opening: Uint8Array = nothing) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale, { reading: "reads nothing" })
    for (const peer of peers) {
      peer.say(opening)
      peer.flood(part)
    }
    yield* scene.height
    yield* Effect.repeat(Effect.andThen(scene.neighbour, scene.look), { while: ({ stats }) => stats.open > 1 })
    return "given up"
  })

/** Says so much, then nothing. */
const silent = (count: number, opening: Peer.Opening, said: Uint8Array = nothing) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, count * scene.scale, opening)
    for (const peer of peers) peer.say(said)
    yield* scene.height
    yield* Peer.allEnded(peers)
    yield* scene.release
    return Peer.farewells(peers)
  })

/** Says a byte with every request of the neighbour, as far as there are any, and waits for the end. */
const drip = (scene: Scene, peers: ReadonlyArray<Peer.Http2Peer>, said: Uint8Array) =>
  Effect.gen(function* () {
    for (let at = 0; peers.some((peer) => !peer.isOver); at++) {
      yield* scene.neighbour
      for (const peer of peers) peer.say(said.subarray(at, at + 1))
    }
  })

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "flood of SETTINGS",
    limit: "budget settings",
    options: {},
    run: exceeding(many(Wire.settings())),
    ...calm("settings"),
    mostBytes: mib
  },
  {
    name: "SETTINGS that move the windows of all streams",
    limit: "budget settings",
    options: { server: { closeTimeout: short } },
    run: exceeding(
      many(Wire.wire(Wire.settings({ INITIAL_WINDOW_SIZE: 1 }), Wire.settings({ INITIAL_WINDOW_SIZE: 0 })), 50),
      256 * kib,
      Wire.wire(
        Wire.settings({ INITIAL_WINDOW_SIZE: 0 }),
        Peer.each(128, (id) => Wire.headers(id, Peer.block("GET", "/large"), "END_STREAM"))
      )
    ),
    ...calm("settings"),
    mostBytes: 4 * mib
  },
  {
    name: "SETTINGS that move the tables of fields",
    limit: "budget settings",
    options: {},
    run: exceeding(
      many(Wire.wire(Wire.settings({ HEADER_TABLE_SIZE: 0 }), Wire.settings({ HEADER_TABLE_SIZE: 2 ** 31 })), 50)
    ),
    ...calm("settings"),
    mostBytes: mib
  },
  {
    name: "SETTINGS that are never acknowledged",
    limit: "settingsTimeout",
    options: { server: { http2: { settingsTimeout: short } } },
    run: silent(50, { acknowledges: false }),
    answer: "SETTINGS_TIMEOUT: SETTINGS were not acknowledged within 400 ms",
    counted: "SettingsTimeout",
    mostBytes: 2 * mib
  },
  {
    name: "flood of PING",
    limit: "budget pings",
    options: {},
    run: exceeding(many(Wire.ping())),
    ...calm("pings"),
    mostBytes: mib
  },
  {
    name: "flood of PING, answers not read",
    limit: "budget pings, closeTimeout",
    options: { server: { sendTimeout: short, closeTimeout: short } },
    run: deaf(many(Wire.ping(), 1_000)),
    answer: "given up",
    counted: "BudgetSpent",
    mostBytes: 2 * mib
  },
  {
    name: "flood of answers to no PING",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.ping("pingping", "ACK"))),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of GOAWAY",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.goAway(0, "NO_ERROR", "x".repeat(100)))),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of unknown frames",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.frame(0xbe, 0xff, 3))),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of large unknown frames",
    limit: "budget unknown",
    options: {},
    run: exceeding(Wire.frame(0xbe, 0, 0, new Uint8Array(16_384)), 1.5 * mib),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "frames that are too large",
    limit: "maxFrameSize",
    options: {},
    run: exceeding(Wire.data(1, new Uint8Array(16_385)), 128 * kib, held),
    answer: "FRAME_SIZE_ERROR: DATA of 16385 bytes, above 16384",
    counted: "ConnectionViolation",
    mostBytes: mib
  },
  {
    name: "flood of PRIORITY",
    limit: "budget priorities",
    options: {},
    run: exceeding(many(Wire.priority(3, 1, 200))),
    ...calm("priorities"),
    mostBytes: mib
  },
  {
    name: "flood of PRIORITY of a wrong length",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.frame("PRIORITY", 0, 3, "00"))),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of WINDOW_UPDATE",
    limit: "budget windowUpdates",
    options: {},
    run: exceeding(many(Wire.windowUpdate(0, 1))),
    ...calm("windowUpdates"),
    mostBytes: mib
  },
  {
    name: "flood of RST_STREAM of a stream that is gone",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.rstStream(1, "CANCEL")), 256 * kib, Wire.headers(1, Peer.block("GET", "/"), "END_STREAM")),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of empty DATA",
    limit: "budget emptyFrames",
    options: {},
    run: exceeding(many(Wire.data(1, "")), 256 * kib, held),
    ...calm("emptyFrames"),
    mostBytes: mib
  },
  {
    name: "flood of empty DATA of a stream that is gone",
    limit: "budget unknown",
    options: {},
    run: exceeding(many(Wire.data(1, "")), 256 * kib, Wire.wire(held, Wire.windowUpdate(1, 0))),
    ...calm("unknown"),
    mostBytes: mib
  },
  {
    name: "flood of padding",
    limit: "budget emptyFrames",
    options: {},
    run: exceeding(many(Wire.data(1, "", "PADDED 255")), 512 * kib, held),
    ...calm("emptyFrames"),
    mostBytes: mib
  },
  {
    name: "tiny DATA that nobody reads",
    limit: "budget smallData",
    options: {},
    run: exceeding(many(Wire.data(1, "x")), 256 * kib, held),
    ...calm("smallData"),
    mostBytes: 4 * mib
  },
  {
    name: "tiny DATA in padding that nobody reads",
    limit: "budget smallData",
    options: {},
    run: exceeding(many(Wire.data(1, "x", "PADDED 255")), 3.25 * mib, held),
    ...calm("smallData"),
    mostBytes: 4 * mib
  },
  {
    name: "slow preface",
    limit: "headTimeout",
    options: { server: { headTimeout: short } },
    run: Effect.fnUntraced(function* (scene: Scene) {
      const peers = yield* Effect.forEach(Array(50 * scene.scale), () => Peer.connectSilently(scene.port))
      yield* drip(scene, peers, Wire.preface.subarray(0, 15))
      return [...new Set(peers.map((peer) => peer.status))].join(", ")
    }),
    answer: "408",
    counted: "ReceiveTimeout",
    mostBytes: 2 * mib
  },
  {
    name: "slow SETTINGS",
    limit: "headTimeout",
    options: { server: { headTimeout: short } },
    run: Effect.fnUntraced(function* (scene: Scene) {
      const peers = yield* Effect.forEach(Array(50 * scene.scale), () => Peer.connectSilently(scene.port))
      for (const peer of peers) peer.say(Wire.preface)
      yield* drip(scene, peers, Wire.settings({ INITIAL_WINDOW_SIZE: 0, HEADER_TABLE_SIZE: 0 }).subarray(0, 20))
      return Peer.farewells(peers)
    }),
    answer: "ENHANCE_YOUR_CALM: the preface, or a header block, was not complete within 400 ms",
    counted: "HeadTimeout",
    mostBytes: 4 * mib
  },
  {
    name: "connections without streams",
    limit: "idleTimeout",
    options: { server: { idleTimeout: short } },
    run: silent(50, {}),
    answer: "NO_ERROR",
    mostBytes: 4 * mib
  },
  {
    name: "silence with a stream",
    limit: "pingInterval, pingTimeout",
    options: { server: { http2: { pingInterval: short, pingTimeout: short } } },
    run: silent(50, {}, held),
    answer: "NO_ERROR: a PING was not answered within 400 ms",
    counted: "KeepaliveTimeout",
    mostBytes: 4 * mib
  }
]
