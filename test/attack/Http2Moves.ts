/** What attacks on HTTP/2 have in common: sizes, streams, and how they are made. */
import * as Effect from "effect/Effect"
import type { Attack, Scene } from "./Attack.ts"
import * as Peer from "./Http2Peer.ts"

/** For limits that are to be reached at once. */
export const short = "400 millis"

export const kib = 1024

export const mib = 1024 * kib

export const mostWindow = 2 ** 31 - 1

/** What a server allows a client. */
export const places = 128

/** Of a request whose handler waits. */
export const hold = Peer.block("POST", "/hold")

export const get = (path: string) => Peer.block("GET", path)

/** So many streams, each with the same frames, made once. */
export const streams = (count: number, frames: (id: number) => Uint8Array) => {
  let made: Uint8Array | undefined
  return () => (made ??= Peer.each(count, frames))
}

/** Says all of it at once, and is thrown out. */
export const exceeding = (said: () => Uint8Array, opening?: Peer.Opening) =>
  Effect.fnUntraced(function* (scene: Scene) {
    const peers = yield* Peer.connectMany(scene.port, 4 * scene.scale, opening)
    for (const peer of peers) peer.say(said())
    yield* scene.height
    yield* Peer.allEnded(peers)
    yield* scene.release
    return Peer.farewells(peers)
  })

/** Opens streams, of which each is answered in its time; then it leaves. */
export const answered = (said: () => Uint8Array, isOver: (peer: Peer.Http2Peer) => boolean, opening?: Peer.Opening) =>
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
export const deaf = (said: () => Uint8Array, next: () => Uint8Array | undefined = () => undefined) =>
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

export const calm = (budget: string): Pick<Attack, "answer" | "counted"> => ({
  answer: `ENHANCE_YOUR_CALM: too many ${budget}`,
  counted: "BudgetSpent"
})
