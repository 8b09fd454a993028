/**
 * What servers of gRPC answer a call, as a seed has it: rightly, with something
 * wrong, or not at all.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import * as World from "../harness/GrpcServerWorld.ts"
import * as Wire from "../harness/Http2Wire.ts"
import type { Random } from "./Http2Traffic.ts"

/** An answer: frames of a stream, in their order. */
export interface Answer {
  readonly frames: ReadonlyArray<(id: number) => Uint8Array>
  /** Where all of it is right: the code, and how many messages come. */
  readonly right: { readonly code: number; readonly messageCount: number } | undefined
}

/** The largest reply that the client takes. */
export const maxReceiveBytes = 20_000

type Frame = (id: number) => Uint8Array

const good: Wire.Fields = Wire.status(200, ["content-type", "application/grpc"])

const wrongHeads: ReadonlyArray<Wire.Fields> = [
  Wire.status(404),
  Wire.status(503, ["content-type", "text/html"]),
  Wire.status(200),
  Wire.status(200, ["content-type", "text/plain"]),
  Wire.status(200, ["content-type", "application/grpc"], ["grpc-encoding", "br"]),
  Wire.status(200, ["content-type", "application/grpc"], ["x-bin", "!!"], ["grpc-encoding", "gzip"]),
  Wire.status(200, ["content-type", "application/grpc"], ["x-long", "x".repeat(9_000)]),
  Wire.status(200, ["content-type", "application/grpc"], ["grpc-status", "0"]),
  Wire.status(200, ["content-type", "application/grpc"], ["content-length", "3"]),
  Wire.status(200, ["content-type", "application/grpc"], ["Upper", "case"]),
  Wire.status("abc"),
  [["content-type", "application/grpc"]]
]

const wrongTrailers: ReadonlyArray<Wire.Fields> = [
  [],
  [["grpc-status", ""]],
  [["grpc-status", "99"]],
  [["grpc-status", "-1"]],
  [["grpc-status", "zero"]],
  [
    ["grpc-status", "0"],
    ["grpc-status", "5"]
  ],
  [
    ["grpc-status", "3"],
    ["grpc-message", "%zz%e2%98"],
    ["grpc-status-details-bin", "!!"]
  ],
  [
    ["grpc-status", "13"],
    ["grpc-status-details-bin", "CA0SAXg"],
    ["x-bin", "AQ,!!"]
  ],
  [
    ["grpc-status", "14"],
    ["grpc-retry-pushback-ms", "x"]
  ],
  [
    ["grpc-status", "14"],
    ["grpc-retry-pushback-ms", "100"]
  ],
  [
    ["grpc-status", "14"],
    ["grpc-retry-pushback-ms", "-1"]
  ],
  [
    [":status", "200"],
    ["grpc-status", "0"]
  ]
]

const wrongMessages: ReadonlyArray<Uint8Array> = [
  World.message("0a026f6b", 7),
  World.message("0aff"),
  World.message(new Uint8Array(Zlib.gzipSync("x")), 1),
  World.message(new Uint8Array(Zlib.gzipSync(new Uint8Array(1_000_000))), 1),
  World.message("0a026f6b").subarray(0, 6),
  Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0),
  World.message(new Uint8Array(maxReceiveBytes + 1))
]

const data =
  (bytes: Uint8Array, ...options: ReadonlyArray<Wire.Option>): Frame =>
  (id) =>
    Wire.data(id, bytes, ...options)

/** A message, maybe in several frames. */
const inFrames = (random: Random, bytes: Uint8Array): ReadonlyArray<Frame> => {
  const most = random.pick([1, 4, 100, 16_000])
  if (bytes.length > 500 && most < 100) return inFrames(random, bytes)
  return Array.from({ length: Math.ceil(bytes.length / most) }, (_, index) =>
    data(bytes.slice(index * most, (index + 1) * most))
  )
}

const endOf = (random: Random, code: number): ReadonlyArray<Frame> => {
  const fields: Wire.Fields = [
    ["grpc-status", String(code)],
    ...(code === 0 ? [] : [["grpc-message", "no %e2%98%ba"] as const])
  ]
  return [...(random.chance(5) ? [data(new Uint8Array(0))] : []), (id) => Wire.headers(id, fields, "END_STREAM")]
}

const rightly = (random: Random): Answer => {
  const code = random.chance(3) ? 1 + random.below(16) : 0
  const messageCount = random.pick([1, 1, 1, 0, 2, 5])
  if (messageCount === 0 && random.chance(2)) {
    return {
      frames: [(id) => Wire.headers(id, [...good, ["grpc-status", String(code)]], "END_STREAM")],
      right: { code, messageCount }
    }
  }
  const messages = Array.from({ length: messageCount }, () => World.text("x".repeat(random.pick([0, 3, 100]))))
  const frames = random.chance(2) ? inFrames(random, World.join(...messages)) : messages.map((one) => data(one))
  const interim: ReadonlyArray<Frame> = random.chance(6) ? [(id) => Wire.headers(id, Wire.status(103))] : []
  return {
    frames: [...interim, (id) => Wire.headers(id, good), ...frames, ...endOf(random, code)],
    right: { code, messageCount }
  }
}

const wrongly = (random: Random): Answer => {
  const frames: Array<Frame> = []
  const wrong = random.below(8)
  const headFields = wrong === 0 ? random.pick(wrongHeads) : good
  const headEnds = random.chance(10)
  frames.push((id) => Wire.headers(id, headFields, ...(headEnds ? (["END_STREAM"] as const) : [])))
  for (let count = random.pick([0, 1, 1, 3]); count > 0; count--) frames.push(data(World.text("x")))
  if (wrong === 1) frames.splice(1 + random.below(frames.length), 0, ...inFrames(random, random.pick(wrongMessages)))
  if (wrong === 2) frames.push((id) => Wire.headers(id, random.pick(wrongTrailers), "END_STREAM"))
  else if (wrong === 3) frames.push(data(new Uint8Array(0), "END_STREAM"))
  else if (wrong === 4) {
    const code = random.pick([
      "NO_ERROR",
      "REFUSED_STREAM",
      "CANCEL",
      "ENHANCE_YOUR_CALM",
      "INTERNAL_ERROR",
      99
    ] as const)
    frames.splice(random.below(frames.length + 1), random.chance(2) ? 99 : 0, (id) => Wire.rstStream(id, code))
  } else if (wrong !== 5) frames.push(...endOf(random, random.pick([0, 0, 14])))
  // Behind the end, or again.
  if (wrong === 6) frames.push(random.pick(frames))
  if (wrong === 7) frames.push((id) => Wire.headers(id, Wire.status(200)))
  return { frames, right: undefined }
}

/** `right`: nothing that is wrong, but maybe nothing at all. What is wrong in one stream may end the others, too. */
export const make = (random: Random, kinds: "right" | "any"): Answer => {
  const kind = random.below(8)
  if (kind === 0) return { frames: [], right: undefined }
  return kind < 4 || kinds === "right" ? rightly(random) : wrongly(random)
}
