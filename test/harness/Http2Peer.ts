/** A client of HTTP/2 by hand, on a server in memory: it sends frames, and reads what comes as lines. */
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Wire from "./Http2Wire.ts"
import type * as MemoryWorld from "./MemoryWorld.ts"
import type * as WebWorld from "./WebWorld.ts"

export interface Http2Peer extends MemoryWorld.RawPeer {
  readonly send: (...frames: ReadonlyArray<Uint8Array>) => void
  /** Of all frames that have come, but those of the connection's own: SETTINGS, PING and its WINDOW_UPDATE. */
  readonly lines: () => ReadonlyArray<string>
  /** All of them. */
  readonly allLines: () => ReadonlyArray<string>
  /** Waits for a line that begins so. */
  readonly saw: (start: string) => Effect.Effect<void>
}

export const of = (peer: MemoryWorld.RawPeer): Http2Peer => {
  const reader = new Wire.Reader()
  const seen: Array<string> = []
  let readChunks = 0
  const allLines = (): ReadonlyArray<string> => {
    for (; readChunks < peer.heard.chunks.length; readChunks++)
      seen.push(...reader.read(peer.heard.chunks[readChunks]!))
    return seen
  }
  return {
    ...peer,
    allLines,
    lines: () =>
      allLines()
        .filter((line) => !/^(SETTINGS|PING|WINDOW_UPDATE 0)/.test(line))
        .map(withoutDate),
    send: (...frames) => void peer.transport.write(Wire.wire(...frames)),
    saw: (start) => peer.heard.until(() => allLines().some((line) => line.startsWith(start)))
  }
}

/** Connects, and says the preface and `settings`. */
export const connect = (
  world: WebWorld.World,
  settings: Wire.Settings = {},
  options?: { readonly read?: boolean }
): Effect.Effect<Http2Peer, TransportError, Scope.Scope> =>
  Effect.map(world.peer(options), (raw) => {
    const peer = of(raw)
    peer.send(Wire.preface, Wire.settings(settings))
    return peer
  })

const withoutDate = (line: string): string => line.replace(/ date=[A-Z][^=]* GMT/, "")
