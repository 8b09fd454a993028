/** What attacks on gRPC have in common: heads, messages, and who makes calls with them. */
import * as Effect from "effect/Effect"
import * as GrpcPeer from "../harness/GrpcPeer.ts"
import * as Wire from "../harness/Http2Wire.ts"
import type { Scene } from "./Attack.ts"
import * as Peer from "./Http2Peer.ts"

export type Method = "SayHello" | "StreamHellos" | "CollectHellos" | "ChatHellos"

/** The head of a call of the greeter, encoded once. */
export const head = (method: Method, more: Readonly<Record<string, string>> = {}): Uint8Array =>
  headOf(`/hello.Greeter/${method}`, more)

export const headOf = (path: string, more: Readonly<Record<string, string>> = {}): Uint8Array =>
  Wire.block(GrpcPeer.head(path, more))

/** `HelloRequest { name }`; `hold` is not answered before it is released. */
export const named = (name: string): Uint8Array => {
  const text = Buffer.from(name)
  return GrpcPeer.message(Buffer.concat([Uint8Array.of(0x0a, text.length), text]))
}

/** `count` messages of no bytes, which cost five each. */
export const empty = (count: number): Uint8Array => new Uint8Array(count * 5)

/** A body in frames of at most 16 KiB. */
export const body = (id: number, bytes: Uint8Array, ...end: ReadonlyArray<"END_STREAM">): Uint8Array => {
  const frames: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += 16_384) {
    const part = bytes.subarray(at, at + 16_384)
    frames.push(Wire.data(id, part, ...(at + part.length === bytes.length ? end : [])))
  }
  return Buffer.concat(frames)
}

/** A call whose request is whole. */
export const call = (id: number, block: Uint8Array, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Wire.headers(id, block), body(id, bytes, "END_STREAM")])

/** Answered, or reset, so many times. */
export const answeredTimes = (count: number) => (peer: Peer.Http2Peer) =>
  peer.endedCount + peer.countOf("RST_STREAM") >= count

/** Makes calls in waves of `width`, each when the last was answered. */
export const waves = (width: number, count: number, frames: (id: number) => Uint8Array) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 2)
    for (let wave = 0; wave < count * scene.scale; wave++) {
      const ids = Array.from({ length: width }, (_, index) => (wave * width + index) * 2 + 1)
      const said = Buffer.concat(ids.map(frames))
      for (const peer of peers) peer.say(said)
      const isOver = answeredTimes((wave + 1) * width)
      yield* Effect.forEach(peers, (peer) => peer.until(() => isOver(peer) || peer.isOver))
      if (wave === 0) yield* scene.height
    }
    yield* scene.height
    return Peer.answers(peers)
  })
