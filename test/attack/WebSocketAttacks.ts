/** Attacks on WebSockets: one for each limit. */
import * as Zlib from "node:zlib"
import * as Effect from "effect/Effect"
import type { Attack, Scene } from "./Attack.ts"
import * as Peer from "./Peer.ts"

const short = "400 millis"

const kib = 1024

const mib = 1024 * kib

/** One frame of a client. Its mask is 0, which hides nothing. */
const frame = (first: number, payload: Uint8Array | string, lengthBytes = payload.length): Buffer => {
  const head = Buffer.alloc(lengthBytes < 126 ? 2 : lengthBytes < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = 0x80 | (lengthBytes < 126 ? lengthBytes : lengthBytes < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(lengthBytes, 2)
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(lengthBytes), 2)
  return Buffer.concat([head, Buffer.alloc(4), Buffer.from(payload as Uint8Array)])
}

const final = 0x80

const compressed = 0x40

const [continuation, binary, reserved, close, ping] = [0, 2, 3, 8, 9] as const

const handshake = (path: string, ...fields: ReadonlyArray<string>): string =>
  [
    `GET ${path} HTTP/1.1`,
    "Host: target",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...fields,
    "\r\n"
  ].join("\r\n")

/** Opens many; those that read wait until they are open. */
const open = Effect.fnUntraced(function* (
  scene: Scene,
  path: string,
  count: number,
  reading: "reads" | "reads nothing" = "reads",
  ...fields: ReadonlyArray<string>
) {
  const peers = yield* Peer.connectMany(scene.port, count, reading)
  for (const peer of peers) peer.say(handshake(path, ...fields))
  if (reading === "reads") yield* Effect.forEach(peers, (peer) => peer.until(() => peer.status === "101"))
  return peers
})

/** The code of the Close frame that a peer got; of frames before it only the length is looked at. */
const closeCodeOf = ({ head }: Peer.Peer): string => {
  const bytes = Buffer.from(head, "latin1")
  let at = head.indexOf("\r\n\r\n") + 4
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]!
    const [from, length] =
      short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(at + 2)] : [10, bytes.readUInt32BE(at + 6)]
    if (bytes[at] === (final | close)) return length < 2 ? "no code" : `${bytes.readUInt16BE(at + from)}`
    at += from + length
  }
  return "nothing"
}

const codes = (peers: ReadonlyArray<Peer.Peer>): string => [...new Set(peers.map(closeCodeOf))].join(", ")

/** Goes far above a limit, and answers with the codes that it got. */
const exceeding = (opening: Uint8Array, part: Uint8Array, mostBytes: number, ...fields: ReadonlyArray<string>) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* open(scene, "/echo", 4 * scene.scale, "reads", ...fields)
    for (const peer of peers) {
      peer.say(opening)
      peer.flood(part, mostBytes)
    }
    yield* scene.height
    yield* Effect.forEach(peers, (peer) => peer.ended)
    return codes(peers)
  })

const none = new Uint8Array(0)

/** Waits until only the neighbour and so many others are connected. */
const untilLeft = (scene: Scene, others: number) =>
  Effect.repeat(Effect.andThen(scene.neighbour, scene.look), { while: ({ stats }) => stats.open > others + 1 })

export const attacks: ReadonlyArray<Attack> = [
  {
    name: "huge frame",
    limit: "maxFrameSize",
    options: {},
    run: exceeding(frame(final | binary, none, 2 ** 40), new Uint8Array(kib), 64 * kib),
    answer: "1009",
    counted: "FrameTooLarge",
    mostBytes: mib
  },
  {
    name: "endless message",
    limit: "maxMessageSize",
    options: { webSocket: { maxMessageSize: "64 KiB" } },
    run: exceeding(frame(binary, "begun"), frame(continuation, new Uint8Array(kib)), 160 * kib),
    answer: "1009",
    counted: "MessageTooLarge",
    mostBytes: mib
  },
  {
    name: "message of many fragments",
    limit: "maxFragments",
    options: { webSocket: { maxFragments: 100 } },
    run: exceeding(frame(binary, "begun"), frame(continuation, new Uint8Array(100)), 64 * kib),
    answer: "1008",
    counted: "TooManyFragments",
    mostBytes: mib
  },
  {
    name: "tiny fragments",
    limit: "maxTinyFragments",
    options: {},
    run: exceeding(frame(binary, "x"), frame(continuation, "x"), 64 * kib),
    answer: "1008",
    counted: "Flood",
    mostBytes: mib
  },
  {
    name: "flood of pings",
    limit: "maxControlFrames",
    options: {},
    run: exceeding(none, frame(final | ping, "x"), 16 * kib),
    answer: "1008",
    counted: "Flood",
    mostBytes: mib
  },
  {
    name: "deflate bomb",
    limit: "maxMessageSize",
    options: { webSocket: { compression: "permessage-deflate" } },
    run: Effect.fnUntraced(function* (scene) {
      // 64 KiB on the wire, and a thousand times as much inflated.
      const bomb = frame(final | compressed | binary, Zlib.deflateRawSync(new Uint8Array(64 * mib)))
      return yield* exceeding(bomb, none, 0, "Sec-WebSocket-Extensions: permessage-deflate")(scene)
    }),
    answer: "1009",
    counted: "MessageTooLarge",
    mostBytes: 8 * mib
  },
  {
    name: "echoes that are not read",
    limit: "sendBuffer, writeTimeout",
    options: { webSocket: { writeTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* open(scene, "/echo", 4 * scene.scale, "reads nothing")
      for (const peer of peers) peer.flood(frame(final | binary, new Uint8Array(16 * kib)))
      yield* scene.height
      yield* untilLeft(scene, 0)
      return "given up"
    }),
    answer: "given up",
    counted: "SendStalled",
    mostBytes: 4 * mib
  },
  {
    name: "silence",
    limit: "keepaliveIdle, keepaliveTimeout",
    options: { webSocket: { keepaliveIdle: short, keepaliveTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* open(scene, "/echo", 50 * scene.scale)
      yield* scene.height
      yield* Effect.forEach(peers, (peer) => peer.ended)
      return codes(peers)
    }),
    answer: "nothing",
    counted: "KeepaliveTimeout",
    mostBytes: 4 * mib
  },
  {
    name: "a Close that is never answered",
    limit: "closeTimeout",
    options: { webSocket: { closeTimeout: short, maxMessageSize: "1 KiB", maxFrameSize: "1 MiB" } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* open(scene, "/echo", 20 * scene.scale)
      for (const peer of peers) {
        // Neither answers the Close nor ends its side, and goes on.
        peer.socket.allowHalfOpen = true
        peer.say(frame(final | binary, new Uint8Array(2 * kib)))
      }
      yield* scene.height
      yield* untilLeft(scene, 0)
      return codes(peers)
    }),
    answer: "1009",
    counted: "MessageTooLarge",
    mostBytes: 2 * mib
  },
  {
    name: "a flood behind a broken rule",
    limit: "closeTimeout",
    options: { webSocket: { closeTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      const peers = yield* open(scene, "/echo", 4 * scene.scale, "reads nothing")
      for (const peer of peers) {
        peer.say(frame(final | reserved, "x"))
        peer.flood(frame(final | binary, new Uint8Array(16 * kib)))
      }
      yield* scene.height
      yield* untilLeft(scene, 0)
      return "given up"
    }),
    answer: "given up",
    counted: "ProtocolViolation",
    mostBytes: 4 * mib
  },
  {
    name: "slow readers of a broadcast",
    limit: "maxQueuedMessages, maxQueuedSize",
    options: { webSocket: { closeTimeout: short } },
    run: Effect.fnUntraced(function* (scene) {
      yield* open(scene, "/room", 4 * scene.scale, "reads nothing")
      const [speaker] = yield* open(scene, "/room", 1)
      const message = frame(final | binary, new Uint8Array(32 * kib))
      let heardBytes = speaker!.receivedBytes
      let rounds = 0
      // Who reads hears every message while the others fill up.
      while ((yield* scene.look).stats.open > 2) {
        for (let count = 0; count < 8; count++) {
          speaker!.say(message)
          heardBytes += 32 * kib
          yield* speaker!.until(() => speaker!.receivedBytes >= heardBytes)
        }
        yield* scene.neighbour
        rounds++
      }
      return rounds > 1 ? "they went, and the others heard all" : "nobody was slow"
    }),
    answer: "they went, and the others heard all",
    mostBytes: 4 * mib
  }
]
