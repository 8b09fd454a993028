/** Attacks on HTTP/1.1: one for each limit. */
import * as Effect from "effect/Effect"
import type { Attack, Scene } from "./Attack.ts"
import * as Peer from "./Peer.ts"

const short = "400 millis"

const kib = 1024

const mib = 1024 * kib

const post = (path: string, ...fields: ReadonlyArray<string>): string =>
  [`POST ${path} HTTP/1.1`, "Host: target", ...fields, "\r\n"].join("\r\n")

/** The answers that all of them got, once each. */
const answers = (peers: ReadonlyArray<Peer.Peer>): string => [...new Set(peers.map((peer) => peer.status))].join(", ")

const allEnded = (peers: ReadonlyArray<Peer.Peer>) =>
  Effect.as(
    Effect.forEach(peers, (peer) => peer.ended),
    undefined
  )

/** One more byte of each with every request of the neighbour, until all are over. */
const drip = (scene: Scene, peers: ReadonlyArray<Peer.Peer>, byte: string) =>
  Effect.gen(function* () {
    while (peers.some((peer) => !peer.isOver)) {
      yield* scene.neighbour
      for (const peer of peers) peer.say(byte)
    }
  })

/**
 * Goes far above the limit, and no further: who does not stop is reset in the
 * end (`maxDiscardSize`), and may not see its answer.
 */
const exceeding = (opening: string, part: string, mostBytes = 128 * kib) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) {
      peer.say(opening)
      peer.flood(part, mostBytes)
    }
    yield* scene.height
    yield* allEnded(peers)
    return answers(peers)
  })

/** Does not stop when it has its answer. */
const flooding = (opening: string, part: string) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale)
    for (const peer of peers) peer.say(opening)
    yield* Effect.forEach(peers, (peer) => peer.until(() => peer.status !== "nothing"))
    for (const peer of peers) peer.flood(part)
    yield* scene.height
    yield* allEnded(peers)
    return answers(peers)
  })

/** Floods and reads nothing: the server stops reading, and then gives up. */
const deaf = (opening: string, part: string, count = 8) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, count * scene.scale, "reads nothing")
    for (const peer of peers) {
      peer.say(opening)
      if (part !== "") peer.flood(part)
    }
    yield* scene.height
    yield* Effect.repeat(Effect.andThen(scene.neighbour, scene.look), { while: ({ stats }) => stats.open > 1 })
    return "given up"
  })

const field = (name: string) => `${name}: ${"x".repeat(100)}\r\n`

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "slow head",
    limit: "headTimeout",
    options: { server: { headTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 50 * scene.scale)
      for (const peer of peers) peer.say("GET / HTTP/1.1\r\nX-Slow: ")
      yield* drip(scene, peers, "x")
      return answers(peers)
    }),
    answer: "408",
    counted: "ReceiveTimeout",
    mostBytes: 2 * mib
  },
  {
    name: "slow body",
    limit: "bodyTimeout",
    options: { server: { bodyTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 50 * scene.scale)
      for (const peer of peers) peer.say(`${post("/read", "Content-Length: 1000000")}begun`)
      yield* scene.height
      yield* allEnded(peers)
      return answers(peers)
    }),
    answer: "408",
    counted: "ReceiveTimeout",
    mostBytes: 2 * mib
  },
  {
    name: "silent connections",
    limit: "idleTimeout",
    options: { server: { idleTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 200 * scene.scale)
      yield* drip(scene, peers, "")
      return answers(peers)
    }),
    answer: "nothing",
    mostBytes: 4 * mib
  },
  {
    name: "more connections than places",
    limit: "maxConnections, maxWaiting, waitTimeout",
    options: { server: { maxConnections: 20, maxWaiting: 20, waitTimeout: short, idleTimeout: "2 seconds" } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 100 * scene.scale)
      const { stats } = yield* scene.height
      const held = stats.open <= 20 && stats.waiting <= 20
      // Those in the waiting room are refused when their time is over; 19 have places beside the neighbour.
      yield* Effect.repeat(scene.neighbour, { while: () => peers.filter((peer) => !peer.isOver).length > 19 })
      return held ? "20 served, 20 waiting at most" : JSON.stringify(stats)
    }),
    answer: "20 served, 20 waiting at most",
    counted: "TooManyConnections",
    mostBytes: 2 * mib
  },
  {
    name: "endless request line",
    limit: "maxStartLineSize",
    options: {},
    run: exceeding("GET /", "x".repeat(kib)),
    answer: "414",
    counted: "StartLineTooLong",
    mostBytes: mib
  },
  {
    name: "endless field",
    limit: "maxHeaderSize",
    options: {},
    run: exceeding("GET / HTTP/1.1\r\nHost: target\r\nX-Endless: ", "x".repeat(kib)),
    answer: "431",
    counted: "FieldSectionTooLarge",
    mostBytes: mib
  },
  {
    name: "endless fields",
    limit: "maxHeaderSize",
    options: {},
    run: exceeding("GET / HTTP/1.1\r\nHost: target\r\n", field("X-More")),
    answer: "431",
    counted: "FieldSectionTooLarge",
    mostBytes: mib
  },
  {
    name: "too many fields",
    limit: "maxFieldCount",
    options: {},
    run: exceeding("GET / HTTP/1.1\r\nHost: target\r\n", "a:\r\n"),
    answer: "431",
    counted: "FieldSectionTooLarge",
    mostBytes: mib
  },
  {
    name: "chunk extensions",
    limit: "maxChunkExtensionSize",
    options: {},
    run: exceeding(post("/read", "Transfer-Encoding: chunked"), `1;${"x".repeat(100)}\r\na\r\n`),
    answer: "400",
    counted: "ChunkExtensionsTooLarge",
    mostBytes: mib
  },
  {
    name: "endless trailers",
    limit: "maxTrailerSize",
    options: {},
    run: exceeding(`${post("/read", "Transfer-Encoding: chunked")}0\r\n`, field("X-More")),
    answer: "400",
    counted: "TrailerSectionTooLarge",
    mostBytes: mib
  },
  {
    name: "endless body that is collected",
    limit: "maxBufferedBody",
    options: { server: { maxBufferedBody: "256 KiB", bodyTimeout: short } },
    run: exceeding(post("/read", "Transfer-Encoding: chunked"), `4000\r\n${"x".repeat(0x4000)}\r\n`, 400 * kib),
    answer: "413",
    mostBytes: 2 * mib
  },
  {
    name: "body larger than allowed",
    limit: "maxBodySize",
    options: { server: { maxBodySize: "256 KiB" } },
    run: exceeding(post("/read", "Transfer-Encoding: chunked"), `4000\r\n${"x".repeat(0x4000)}\r\n`, 400 * kib),
    answer: "413",
    counted: "BodyTooLarge",
    mostBytes: 2 * mib
  },
  {
    name: "endless body behind an answer",
    limit: "maxDiscardSize",
    options: { server: { closeTimeout: short } },
    run: flooding(post("/ignore", "Transfer-Encoding: chunked"), `4000\r\n${"x".repeat(0x4000)}\r\n`),
    answer: "200",
    mostBytes: 2 * mib
  },
  {
    name: "requests behind Connection: close",
    limit: "maxDiscardSize, closeTimeout",
    options: { server: { closeTimeout: short } },
    run: flooding(
      "GET / HTTP/1.1\r\nHost: target\r\nConnection: close\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: target\r\n\r\n"
    ),
    answer: "200",
    mostBytes: mib
  },
  {
    name: "body that nobody reads",
    limit: "flow control of a body",
    options: {},
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* Peer.connectMany(scene.port, 8 * scene.scale)
      for (const peer of peers) {
        peer.say(post("/hold", "Content-Length: 1000000000"))
        peer.flood(new Uint8Array(65_536))
      }
      const { stats } = yield* scene.height
      // A peer that is not read cannot be seen to go: its handler learns it when it answers.
      for (const peer of peers) peer.socket.resetAndDestroy()
      yield* scene.release
      return stats.receivedBytes < peers.length * 512 * kib ? "not read further" : `read ${stats.receivedBytes}`
    }),
    answer: "not read further",
    mostBytes: 8 * mib
  },
  {
    name: "large response, not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf("GET /large HTTP/1.1\r\nHost: target\r\n\r\n", ""),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 2 * mib
  },
  {
    name: "endless stream, not read",
    limit: "sendTimeout",
    options: { server: { sendTimeout: short } },
    run: deaf("GET /stream HTTP/1.1\r\nHost: target\r\n\r\n", ""),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 4 * mib
  },
  {
    name: "pipelined requests, answers not read",
    limit: "sendTimeout, maxWaitingSize",
    options: { server: { sendTimeout: short } },
    run: deaf("", "GET / HTTP/1.1\r\nHost: target\r\n\r\n".repeat(100), 2),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 4 * mib
  },
  {
    name: "pipelined large responses, not read",
    limit: "sendTimeout, maxWaitingSize",
    options: { server: { sendTimeout: short } },
    run: deaf("", "GET /large HTTP/1.1\r\nHost: target\r\n\r\n".repeat(100)),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 4 * mib
  }
]
