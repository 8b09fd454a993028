/** An attacker's connection: it says what it likes, and reads or does not. */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class Peer {
  readonly socket: Net.Socket
  /** The first of what came; more is counted and dropped. */
  head = ""
  receivedBytes = 0
  private over = false
  private observers: Array<() => void> = []

  constructor(socket: Net.Socket) {
    this.socket = socket
    socket.on("error", () => {})
    socket.on("close", () => {
      this.over = true
      this.told()
    })
  }

  /** Begins to read. */
  read(): void {
    this.socket.on("data", (chunk) => {
      this.receivedBytes += chunk.length
      if (this.head.length < 65_536) this.head += (chunk as Buffer).toString("latin1")
      this.told()
    })
  }

  /** `false`: the server takes no more now. */
  say(data: string | Uint8Array): boolean {
    return this.over || this.socket.destroyed ? false : this.socket.write(data)
  }

  get isOver(): boolean {
    return this.over
  }

  /** The status of the first response; `"nothing"` where none came. */
  get status(): string {
    return /^HTTP\/1\.1 (\d{3})/.exec(this.head)?.[1] ?? "nothing"
  }

  /** Waits for the connection's end. */
  readonly ended: Effect.Effect<void> = Effect.suspend(() => this.until(() => this.over))

  until(condition: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = () => {
        if (!condition()) return
        this.observers = this.observers.filter((one) => one !== look)
        resume(Effect.void)
      }
      this.observers.push(look)
      look()
    })
  }

  /** Writes `part` again and again, up to so many bytes, as fast as the server takes it. */
  flood(part: string | Uint8Array, mostBytes = Number.POSITIVE_INFINITY): void {
    let leftBytes = mostBytes
    const pump = () => {
      for (let count = 0; count < 64 && leftBytes > 0 && this.say(part); count++) leftBytes -= part.length
      if (this.over || this.socket.destroyed || leftBytes <= 0) return
      if (this.socket.writableNeedDrain) this.socket.once("drain", pump)
      else setImmediate(pump)
    }
    pump()
  }

  private told(): void {
    for (const look of [...this.observers]) look()
  }
}

/** Connects, and reads unless told not to; closed with the scope. */
export const connect = (
  port: number,
  reading: "reads" | "reads nothing" = "reads"
): Effect.Effect<Peer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Peer>((resume) => {
      const peer = new Peer(Net.connect({ host: "127.0.0.1", port }))
      if (reading === "reads") peer.read()
      peer.socket.once("connect", () => resume(Effect.succeed(peer)))
    }),
    (peer) => Effect.sync(() => peer.socket.destroy())
  )

export const connectMany = (port: number, count: number, reading?: "reads" | "reads nothing") =>
  Effect.forEach(Array.from({ length: count }), () => connect(port, reading))
