/** Attacks on HTTP/2 by streams: opening, resetting and spoiling them. */
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Attack, Scene } from "./Attack.ts"
import { calm, exceeding, get, hold, mib, mostWindow, streams } from "./Http2Moves.ts"
import * as Peer from "./Http2Peer.ts"

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

/** CVE-2023-44487: each time a handler has begun. */
const rapidReset = streams(4_000, (id) => Wire.wire(Wire.headers(id, hold, "END_STREAM"), Wire.rstStream(id, "CANCEL")))

/** CVE-2025-8671: the server is made to reset the stream. */
const madeYouReset = (spoil: (id: number) => Uint8Array, ...ends: ReadonlyArray<Wire.Option>) =>
  exceeding(streams(400, (id) => Wire.wire(Wire.headers(id, hold, ...ends), spoil(id))))

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
  }
]
