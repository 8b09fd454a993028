/**
 * Servers of HTTP/2 in memory whose answers come when they like, in the middle
 * of which they may change their settings, go away, or be gone.
 *
 * @since 0.1.0
 */
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Wire from "../harness/Http2Wire.ts"
import type { Answer } from "./GrpcAnswers.ts"
import * as GrpcAnswers from "./GrpcAnswers.ts"
import type { Random } from "./Http2Traffic.ts"

/** What a server does to its connections. `quiet`: nothing but answer. */
export type Conduct = "quiet" | "hostile"

/** A stream that is answered. */
interface Served {
  readonly id: number
  readonly call: number
  readonly frames: Array<(id: number) => Uint8Array>
}

const settings: ReadonlyArray<Wire.Settings> = [
  { MAX_CONCURRENT_STREAMS: 0 },
  { MAX_CONCURRENT_STREAMS: 1 },
  { MAX_CONCURRENT_STREAMS: 100 },
  { INITIAL_WINDOW_SIZE: 0 },
  { INITIAL_WINDOW_SIZE: 1 },
  { INITIAL_WINDOW_SIZE: 65_535 },
  { INITIAL_WINDOW_SIZE: 2 ** 31 - 1 },
  { MAX_HEADER_LIST_SIZE: 100, HEADER_TABLE_SIZE: 0 }
]

export class Connection {
  readonly served: Array<Served> = []
  private readonly transport: Transport
  private readonly world: HostileWorld
  private readonly reader = new Wire.Reader()
  private isGreeted = false

  constructor(transport: Transport, world: HostileWorld) {
    this.transport = transport
    this.world = world
    transport.attach({
      onBytes: (bytes) => this.receive(bytes),
      onDrain: () => {},
      onEnd: () => transport.end(),
      onClose: () => {
        this.served.length = 0
      }
    })
    transport.resume()
  }

  get isOpen(): boolean {
    return this.transport.state === "open"
  }

  /** The next frame of an answer, or something else. */
  act(): void {
    const { random } = this.world
    if (!this.isOpen) return
    if (this.world.conduct === "hostile" && random.chance(12)) this.harm()
    const waiting = this.served.filter(({ frames }) => frames.length > 0)
    if (waiting.length === 0) return
    const { frames, id } = random.pick(waiting)
    this.send(...frames.splice(0, random.pick([1, 1, 2, 9])).map((frame) => frame(id)))
  }

  private harm(): void {
    const { random } = this.world
    const id = random.pick([0, 1, 3, 5, ...this.served.map((one) => one.id)])
    const kind = random.below(8)
    if (kind === 0) this.send(Wire.goAway(random.pick([id, 2 ** 31 - 1]), random.pick([0, 0, 1, 11])))
    else if (kind === 1) this.send(Wire.settings(random.pick(settings)))
    else if (kind === 2) this.send(Wire.ping(), Wire.rstStream(id, "CANCEL"))
    else if (kind === 3) this.send(Wire.windowUpdate(id, random.pick([1, 1_000])))
    else if (!random.chance(8)) return
    else if (kind === 4) this.send(random.bytes(40))
    else if (kind === 5) this.transport.end()
    else this.transport.destroy()
  }

  private receive(bytes: Uint8Array): void {
    if (!this.isGreeted) this.greet()
    for (const frame of this.reader.frames(bytes)) if (frame !== "PREFACE") this.take(frame)
  }

  private greet(): void {
    const { conduct, random } = this.world
    this.isGreeted = true
    const settings =
      conduct === "quiet"
        ? {}
        : random.pick([{}, {}, { MAX_CONCURRENT_STREAMS: random.pick([0, 1, 3]) }, { INITIAL_WINDOW_SIZE: 0 }])
    if (conduct === "quiet" || !random.chance(10)) this.send(Wire.settings(settings))
  }

  private take(frame: Wire.Frame): void {
    const { flags, payload, streamId } = frame
    const line = this.reader.lineOf(frame)
    const type = Wire.types[frame.type]
    if (type === "SETTINGS" && (flags & 1) === 0) this.send(Wire.settingsAck)
    if (type === "PING" && (flags & 1) === 0) this.send(Wire.frame("PING", 1, 0, payload))
    if (type === "DATA" && payload.length > 0) {
      this.send(Wire.windowUpdate(0, payload.length))
      if ((flags & 1) === 0) this.send(Wire.windowUpdate(streamId, payload.length))
    }
    if (type !== "HEADERS") return
    const call = Number(/ x-call=(\d+)/.exec(line)?.[1])
    this.served.push({ id: streamId, call, frames: [...this.world.answerOf(call).frames] })
  }

  send(...frames: ReadonlyArray<Uint8Array>): void {
    const { random } = this.world
    const bytes = Wire.wire(...frames)
    for (let at = 0; at < bytes.length; ) {
      if (this.transport.state !== "open") return
      const end = random.chance(3) ? at + 1 + random.below(40) : bytes.length
      this.transport.write(bytes.slice(at, end))
      at = end
    }
  }
}

export class HostileWorld {
  readonly random: Random
  readonly conduct: Conduct
  readonly connections: Array<Connection> = []
  private readonly answers = new Map<number, Array<Answer>>()
  private open = 0
  /** For `MemoryWorld.leavesNothing`. */
  readonly network = { openCount: () => this.open }

  constructor(random: Random, conduct: Conduct) {
    this.random = random
    this.conduct = conduct
  }

  /** Those that a call got, of all its attempts. */
  given(call: number): ReadonlyArray<Answer> {
    return this.answers.get(call) ?? []
  }

  answerOf(call: number): Answer {
    const answer = GrpcAnswers.make(this.random, this.conduct === "quiet" ? "right" : "any")
    this.answers.set(call, [...this.given(call), answer])
    return answer
  }

  /** All that is to come comes, of those that are open. */
  settle(): void {
    for (const connection of this.connections) {
      for (const { frames, id } of connection.served) connection.send(...frames.splice(0).map((frame) => frame(id)))
    }
  }

  get dialer(): Dialer.Dialer["Service"] {
    const { conduct, random } = this
    return Dialer.Dialer.of({
      dial: (target) =>
        Effect.suspend(() => {
          const kind = conduct === "quiet" ? 9 : random.below(10)
          if (kind === 0) {
            return Effect.fail(TransportError.make(new TransportError.ConnectionRefused(Dialer.formatTarget(target))))
          }
          if (kind === 1) return Effect.never
          return Effect.acquireRelease(
            Effect.as(kind < 4 ? Effect.sleep(30) : Effect.void, undefined).pipe(Effect.map(() => this.connect())),
            (transport) => Effect.sync(() => transport.destroy())
          )
        })
    })
  }

  private connect(): Transport {
    const [near, far] = MemoryTransport.pair()
    for (const transport of [near, far]) {
      this.open++
      transport.observeClose(() => this.open--)
    }
    this.connections.push(new Connection(far, this))
    return near
  }
}
