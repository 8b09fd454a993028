/** A WebSocket's session in memory, and the transport of its peer, which speaks frames by hand, and ends when it hears the end. */
import type { RawDeflate } from "@sluice/core/bytes/RawDeflate"
import * as WebSocketFrame from "@sluice/core/protocol/websocket/WebSocketFrame"
import * as Timers from "@sluice/core/session/Timers"
import * as WebSocketSession from "@sluice/core/session/WebSocketSession"
import * as WebSocketSessionOptions from "@sluice/core/session/WebSocketSessionOptions"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Hex from "./Hex.ts"
import { Recorder } from "./TransportContract.ts"
import * as Wire from "./WebSocketWire.ts"

export const text = WebSocketFrame.final | WebSocketFrame.text
export const binary = WebSocketFrame.final | WebSocketFrame.binary
export const close = WebSocketFrame.final | WebSocketFrame.close
export const ping = WebSocketFrame.final | WebSocketFrame.ping
export const pong = WebSocketFrame.final | WebSocketFrame.pong

export interface Options extends WebSocketSessionOptions.Options {
  readonly role?: "client" | "server" | undefined
  /** What the network and each transport hold. Default 65,536. */
  readonly bufferBytes?: number | undefined
  /** Whether the peer reads. Default `at once`. */
  readonly peerReads?: "at once" | "never" | undefined
  readonly rest?: Uint8Array | undefined
  /** Compression without context on both sides, by this codec. */
  readonly codec?: RawDeflate | undefined
}

export interface WebSocketConnected {
  readonly socket: WebSocketSession.Owned
  readonly timers: Timers.Timers
  /** The session's own transport. */
  readonly transport: Transport
  readonly peer: Transport
  /** What came to the peer. */
  readonly heard: Recorder
  /** The peer sends frames, in one write. */
  readonly say: (...frames: ReadonlyArray<readonly [first: number, payload?: string | Uint8Array]>) => void
  /** What came to the peer since the last time, as `Hex.show` has it: a text for each write. */
  readonly takeWrites: () => ReadonlyArray<string>
}

/** Both transports are destroyed with the scope. */
export const make = (options: Options = {}): Effect.Effect<WebSocketConnected, never, Scope.Scope> =>
  Effect.gen(function* () {
    const timers = yield* Timers.make
    const [transport, peer] = MemoryTransport.pair({ bufferBytes: options.bufferBytes })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        transport.destroy()
        peer.destroy()
      })
    )
    const heard = new Recorder({ onEnd: () => peer.end() })
    peer.attach(heard)
    peer.resume()
    if (options.peerReads === "never") peer.pause()
    const role = options.role ?? "server"
    const shared = {
      transport,
      timers,
      rest: options.rest,
      limits: WebSocketSessionOptions.resolve(options),
      deflate: options.codec && { codec: options.codec, parameters: withoutContext }
    }
    const socket = WebSocketSession.makeUnsafe(
      role === "server" ? { role, ...shared } : { role, ...shared, nextMask: () => Wire.exampleKey }
    )
    const other = role === "server" ? "client" : "server"
    return {
      socket,
      timers,
      transport,
      peer,
      heard,
      say: (...frames) => {
        peer.write(Hex.concat(frames.map(([first, payload]) => Wire.frame(other, first, payload))))
      },
      takeWrites: () => heard.chunks.splice(0).map(Hex.show)
    }
  })

const withoutContext = {
  server: { context: "reset", windowBits: 15 },
  client: { context: "reset", windowBits: 15 }
} as const
