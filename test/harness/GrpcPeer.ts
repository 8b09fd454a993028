/** A client of gRPC by hand: frames of HTTP/2 to a server in memory, and how each call ended. */
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as GrpcServerWorld from "./GrpcServerWorld.ts"
import * as Hex from "./Hex.ts"
import * as Http2Peer from "./Http2Peer.ts"
import * as Wire from "./Http2Wire.ts"
import * as MemoryWorld from "./MemoryWorld.ts"

/** The ways in which a call can end: `http` is the status of HTTP, where there was a head. */
export interface Ended {
  readonly http: string | undefined
  readonly grpc: string | undefined
  /** The code of RST_STREAM. */
  readonly reset: string | undefined
  /** All lines of the stream. */
  readonly lines: ReadonlyArray<string>
}

/** Connects to the world's server beside its own client. */
export const connect = (
  world: Pick<GrpcServerWorld.World, "network">,
  settings: Wire.Settings = {},
  options?: { readonly read?: boolean }
): Effect.Effect<Http2Peer.Http2Peer, TransportError, Scope.Scope> =>
  Effect.map(world.network.dial(MemoryWorld.target), (transport) => {
    const peer = Http2Peer.of(MemoryWorld.rawPeer(transport, options?.read ?? true))
    peer.send(Wire.preface, Wire.settings(settings))
    return peer
  })

/** The head of a call. A field of `more` takes the place of one of its name; `""` leaves it out. */
export const head = (path: string, more: Readonly<Record<string, string>> = {}): Wire.Fields => {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "server.test",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...more
  }
  return Object.entries(fields).filter(([, value]) => value !== "")
}

/** A message behind its prefix. `declaredBytes` is what the prefix says. */
export const message = (content: Uint8Array | string, flag = 0, declaredBytes?: number): Uint8Array => {
  const bytes = typeof content === "string" ? Hex.hex(content) : content
  return Wire.wire(Uint8Array.of(flag), Wire.number(declaredBytes ?? bytes.length, 4), bytes)
}

/** How the call on a stream ended, when it has. */
export const ended = (peer: Http2Peer.Http2Peer, streamId: number): Effect.Effect<Ended> =>
  Effect.map(
    peer.heard.until(() => endOf(linesOf(peer, streamId))),
    () => {
      const lines = linesOf(peer, streamId)
      const found = (pattern: RegExp) => lines.map((line) => pattern.exec(line)?.[1]).find((text) => text !== undefined)
      return {
        http: found(/:status=(\d+)/),
        grpc: found(/grpc-status=(\d+)/),
        reset: found(/^RST_STREAM \d+ (\S+)/),
        lines
      }
    }
  )

const linesOf = (peer: Http2Peer.Http2Peer, streamId: number): ReadonlyArray<string> =>
  peer.lines().filter((line) => line.split(" ")[1] === String(streamId))

const endOf = (lines: ReadonlyArray<string>): boolean =>
  lines.some((line) => line.endsWith("END_STREAM") || line.startsWith("RST_STREAM"))
