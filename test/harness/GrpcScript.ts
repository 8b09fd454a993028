/**
 * Servers of HTTP/2 in memory that follow a script, frame by frame: what they
 * say is right or wrong as the test wants it, and what clients say is kept as
 * lines. Bodies of clients get all the window they use.
 */
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Wire from "./Http2Wire.ts"
import { Recorder } from "./TransportContract.ts"

export interface Script {
  /** The server's first frame. Default: SETTINGS without a value. `nothing`: the script says it. */
  readonly settings?: Wire.Settings | "nothing" | undefined
  /** The client's preface has come. */
  readonly onConnected?: ((connection: Connection) => void) | undefined
  /** A head has come. */
  readonly onHead?: ((connection: Connection, streamId: number) => void) | undefined
  /** A request is whole. */
  readonly onCall?: ((connection: Connection, streamId: number) => void) | undefined
}

export class Connection {
  readonly transport: Transport
  /** 1 for the first that was dialed. */
  readonly index: number
  /** What the client has said, but for WINDOW_UPDATE. */
  readonly lines: Array<string> = []
  readonly heard: Recorder
  private readonly reader = new Wire.Reader()
  private readonly script: Script

  constructor(transport: Transport, index: number, script: Script) {
    this.transport = transport
    this.index = index
    this.script = script
    this.heard = new Recorder({ onBytes: (bytes) => this.receive(bytes), onEnd: () => transport.end() })
    transport.attach(this.heard)
    transport.resume()
  }

  readonly send = (...frames: ReadonlyArray<Uint8Array>): void => {
    if (this.transport.state === "open") this.transport.write(Wire.wire(...frames))
  }

  /** Waits for a line that begins so. */
  saw(start: string): Effect.Effect<void> {
    return this.heard.until(() => this.lines.some((line) => line.startsWith(start)))
  }

  private receive(bytes: Uint8Array): void {
    for (const frame of this.reader.frames(bytes)) {
      if (frame === "PREFACE") this.greet()
      else this.take(frame)
    }
  }

  private greet(): void {
    const { onConnected, settings = {} } = this.script
    if (settings !== "nothing") this.send(Wire.settings(settings))
    onConnected?.(this)
  }

  private take(frame: Wire.Frame): void {
    const line = this.reader.lineOf(frame)
    const { flags, payload, streamId } = frame
    const type = Wire.types[frame.type]
    if (type !== "WINDOW_UPDATE") this.lines.push(line)
    if (type === "SETTINGS" && (flags & 1) === 0) this.send(Wire.settingsAck)
    if (type === "DATA" && payload.length > 0) {
      this.send(Wire.windowUpdate(0, payload.length))
      if ((flags & 1) === 0) this.send(Wire.windowUpdate(streamId, payload.length))
    }
    if (type === "HEADERS") this.script.onHead?.(this, streamId)
    if ((type === "HEADERS" || type === "DATA") && (flags & 1) === 1) this.script.onCall?.(this, streamId)
  }
}

export interface World {
  readonly dialer: Layer.Layer<Dialer.Dialer>
  readonly connections: ReadonlyArray<Connection>
  /** For `MemoryWorld.leavesNothing`. */
  readonly network: { readonly openCount: () => number }
}

/** Every connection that is dialed follows the script. */
export const make = (script: Script): Effect.Effect<World> =>
  Effect.sync(() => {
    const connections: Array<Connection> = []
    let open = 0
    const dial = () => {
      const [client, server] = MemoryTransport.pair()
      for (const transport of [client, server]) {
        open++
        transport.observeClose(() => open--)
      }
      connections.push(new Connection(server, connections.length + 1, script))
      return client
    }
    return {
      connections,
      network: { openCount: () => open },
      dialer: Layer.succeed(Dialer.Dialer, {
        dial: () => Effect.acquireRelease(Effect.sync(dial), (transport) => Effect.sync(() => transport.destroy()))
      })
    }
  })

/** The head of a reply that goes on. */
export const head = (streamId: number, ...more: Wire.Fields): Uint8Array =>
  Wire.headers(streamId, Wire.status(200, ["content-type", "application/grpc"], ...more))

/** The end of a reply. */
export const trailers = (streamId: number, ...fields: Wire.Fields): Uint8Array =>
  Wire.headers(streamId, fields, "END_STREAM")

export const ok = (streamId: number): Uint8Array => trailers(streamId, ["grpc-status", "0"])

/** `grpc-status`, beside gRPC's content type. */
export const grpc = (status: string): Wire.Fields => [
  ["content-type", "application/grpc"],
  ["grpc-status", status]
]
