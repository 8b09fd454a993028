/**
 * An attacker's connection that speaks HTTP/2, or what looks like it. It only
 * looks at the heads of what comes: how each stream was answered, and why the
 * connection was ended.
 */
import * as Net from "node:net"
import { HpackDecoder } from "@sluice/core/protocol/hpack/HpackDecoder"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Wire from "../harness/Http2Wire.ts"
import * as Peer from "./Peer.ts"

const [headersType, rstStreamType, goAwayType, windowUpdateType] = [1, 3, 7, 8] as const

const endStreamFlag = 1

const headBytes = 9

/** What is looked at of a frame: no server here sends more in one of those types. */
const mostKeptBytes = 16_384

export class Http2Peer extends Peer.Peer {
  /** Code and text of the GOAWAY that came last, `"nothing"` where none came. */
  farewell = "nothing"
  /** How streams ended, or were answered: statuses, also those of gRPC, and codes of RST_STREAM, once each. */
  readonly answers = new Set<string>()
  /** How many heads and bodies had END_STREAM. */
  endedCount = 0
  /** What the server takes on all streams together, as it has said so far. */
  windowBytes = 65_535
  /** What it has given back on each stream. */
  readonly givenBytes = new Map<number, number>()
  /** Frames that came, by type. */
  readonly counts: Array<number> = []
  private readonly decoder = new HpackDecoder({ maxListBytes: 65_536 })
  private rest: Buffer = Buffer.alloc(0)
  private skippedBytes = 0

  override read(): void {
    // Before those who wait look.
    this.socket.on("data", (chunk: Buffer) => this.scan(chunk))
    super.read()
  }

  countOf(type: (typeof Wire.types)[number]): number {
    return this.counts[Wire.types.indexOf(type)] ?? 0
  }

  /** Writes what `next` gives, as fast as the server takes it, until that is nothing. */
  pour(next: () => Uint8Array | undefined): void {
    const pump = () => {
      for (let count = 0; count < 16; count++) {
        const part = next()
        if (part === undefined) return
        if (!this.say(part)) break
      }
      if (this.isOver || this.socket.destroyed) return
      if (this.socket.writableNeedDrain) this.socket.once("drain", pump)
      else setImmediate(pump)
    }
    pump()
  }

  /** Payloads that say nothing here are not waited for, and not kept. */
  private scan(chunk: Buffer): void {
    const skippedBytes = Math.min(this.skippedBytes, chunk.length)
    this.skippedBytes -= skippedBytes
    let bytes = skippedBytes > 0 ? chunk.subarray(skippedBytes) : chunk
    if (this.rest.length > 0) bytes = Buffer.concat([this.rest, bytes])
    let at = 0
    while (bytes.length - at >= headBytes) {
      const end = at + headBytes + bytes.readUIntBE(at, 3)
      const type = bytes[at + 3]!
      const isKept = type !== 0 && end - at <= mostKeptBytes
      if (isKept && end > bytes.length) break
      this.counts[type] = (this.counts[type] ?? 0) + 1
      if (type <= headersType && (bytes[at + 4]! & endStreamFlag) !== 0) this.endedCount++
      if (isKept) this.see(type, bytes.readUInt32BE(at + 5), bytes.subarray(at + headBytes, end))
      this.skippedBytes = Math.max(0, end - bytes.length)
      at = Math.min(end, bytes.length)
    }
    this.rest = bytes.subarray(at)
  }

  private answered(name: string, value: string): void {
    if (name === ":status") this.answers.add(value)
    else if (name === "grpc-status") this.answers.add(`gRPC ${value}`)
  }

  private given(streamId: number, bytes: number): void {
    if (streamId === 0) this.windowBytes += bytes
    else this.givenBytes.set(streamId, (this.givenBytes.get(streamId) ?? 0) + bytes)
  }

  private see(type: number, streamId: number, payload: Buffer): void {
    if (type === headersType) {
      this.decoder.receive(payload, { onField: (name, value) => this.answered(name, value) })
      this.decoder.end()
    } else if (type === rstStreamType) this.answers.add(Wire.codeName(payload.readUInt32BE(0)))
    else if (type === windowUpdateType) this.given(streamId, payload.readUInt32BE(0))
    else if (type === goAwayType) {
      const text = payload.toString("utf8", 8)
      const name = Wire.codeName(payload.readUInt32BE(4))
      this.farewell = text === "" || text.startsWith(name) ? text || name : `${name}: ${text}`
    }
  }
}

export interface Opening {
  readonly reading?: "reads" | "reads nothing"
  /** Of its first SETTINGS. */
  readonly settings?: Wire.Settings
  /** Whether it acknowledges those of the server. Default yes. */
  readonly acknowledges?: boolean
}

/** Connects and says nothing; closed with the scope. */
export const connectSilently = (port: number, reading: "reads" | "reads nothing" = "reads") =>
  Effect.acquireRelease(
    Effect.callback<Http2Peer>((resume) => {
      const peer = new Http2Peer(Net.connect({ host: "127.0.0.1", port }))
      if (reading === "reads") peer.read()
      const opened = () => resume(Effect.succeed(peer))
      // Refused or reset: it is over, as it may be at any time.
      peer.socket.once("connect", opened).once("close", opened)
    }),
    (peer) => Effect.sync(() => peer.socket.destroy())
  )

/** Connects, and says what a client of HTTP/2 says first. */
export const connect = (port: number, opening: Opening = {}): Effect.Effect<Http2Peer, never, Scope.Scope> =>
  Effect.map(connectSilently(port, opening.reading), (peer) => {
    const first = [Wire.preface, Wire.settings(opening.settings)]
    if (opening.acknowledges !== false) first.push(Wire.settingsAck)
    peer.say(Wire.wire(...first))
    return peer
  })

export const connectMany = (port: number, count: number, opening?: Opening) =>
  Effect.forEach(Array.from({ length: count }), () => connect(port, opening))

/** How all of their connections were ended, once each. */
export const farewells = (peers: ReadonlyArray<Http2Peer>): string =>
  [...new Set(peers.map((peer) => peer.farewell))].join(", ")

/** How all of their streams were answered, once each. */
export const answers = (peers: ReadonlyArray<Http2Peer>): string =>
  [...new Set(peers.flatMap((peer) => [...peer.answers]))].sort().join(", ") || "nothing"

export const allEnded = (peers: ReadonlyArray<Http2Peer>) =>
  Effect.as(
    Effect.forEach(peers, (peer) => peer.ended),
    undefined
  )

/** How many frames of a type each of them got, in all. */
export const countAll = (peers: ReadonlyArray<Http2Peer>, type: (typeof Wire.types)[number]): number =>
  peers.reduce((sum, peer) => sum + peer.countOf(type), 0)

/** A block of static entries and short literals, which costs a server least to read. */
export const block = (method: "GET" | "POST", path: string): Uint8Array =>
  Wire.wire(
    Uint8Array.of(method === "GET" ? 0x82 : 0x83, 0x86, 0x01, 0x01, 0x61, 0x04, path.length),
    Uint8Array.from(path, (char) => char.charCodeAt(0))
  )

/** The identifiers of the first streams of a client. */
export const ids = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index * 2 + 1)

/** For each stream what `frames` gives, in one. */
export const each = (count: number, frames: (id: number) => Uint8Array): Uint8Array =>
  Wire.wire(...ids(count).map(frames))
