/** A client of HTTP/2 by hand on a real socket: it sends frames, and reads what comes as lines. */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Wire from "./Http2Wire.ts"

export interface Http2Socket {
  readonly socket: Net.Socket
  /** Frames, or whatever else is to be on the wire. */
  readonly send: (...parts: ReadonlyArray<Uint8Array | string>) => void
  /** All frames that have come, as `Http2Wire.Reader` tells them. */
  readonly lines: () => ReadonlyArray<string>
  /** The text behind each GOAWAY. */
  readonly debugTexts: ReadonlyArray<string>
  /** Waits for a line that begins so, and gives it. */
  readonly saw: (start: string) => Effect.Effect<string>
  /** How the server's side has ended, when it has. */
  readonly ended: Effect.Effect<"end" | "reset">
}

export interface Options {
  /** Called with each line, before `saw` looks at it. */
  readonly onLine?: ((line: string, peer: Http2Socket) => void) | undefined
  /** One that is connected, or becomes so. Default: TCP to `port`. */
  readonly socket?: Net.Socket | undefined
}

/** Acknowledges SETTINGS and PINGs by itself, and sends nothing else. */
export const connect = (port: number, options: Options = {}): Effect.Effect<Http2Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Peer>((resume) => {
      const socket = options.socket ?? Net.connect({ host: "127.0.0.1", port, allowHalfOpen: true })
      const peer = new Peer(socket, options.onLine)
      socket.once("encrypted" in socket ? "secureConnect" : "connect", () => resume(Effect.succeed(peer)))
    }),
    (peer) => Effect.sync(() => peer.socket.destroy())
  )

/** What a client begins with: its preface, and windows that never shut. */
export const wide: ReadonlyArray<Uint8Array> = [
  Wire.preface,
  Wire.settings({ INITIAL_WINDOW_SIZE: 2 ** 31 - 1 }),
  Wire.windowUpdate(0, 2 ** 31 - 1 - 65_535)
]

class Peer implements Http2Socket {
  readonly socket: Net.Socket
  private readonly reader = new Wire.Reader()
  private readonly seen: Array<string> = []
  private readonly onLine: Options["onLine"]
  private readonly looks = new Set<() => void>()
  private ending: "open" | "end" | "reset" = "open"

  constructor(socket: Net.Socket, onLine: Options["onLine"]) {
    this.socket = socket
    this.onLine = onLine
    socket.on("data", (chunk: Buffer) => this.receive(chunk))
    socket.on("end", () => this.over("end"))
    socket.on("error", () => this.over("reset"))
    socket.on("close", () => this.over("end"))
  }

  send(...parts: ReadonlyArray<Uint8Array | string>): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
  }

  lines(): ReadonlyArray<string> {
    return this.seen
  }

  get debugTexts(): ReadonlyArray<string> {
    return this.reader.debugTexts
  }

  saw(start: string): Effect.Effect<string> {
    return Effect.suspend(() => {
      const found = (): string | undefined => this.seen.find((line) => line.startsWith(start))
      return Effect.map(
        this.until(() => found() !== undefined || this.ending !== "open"),
        () => found() ?? `${this.ending} without ${start}`
      )
    })
  }

  get ended(): Effect.Effect<"end" | "reset"> {
    return Effect.map(
      this.until(() => this.ending !== "open"),
      () => this.ending as "end" | "reset"
    )
  }

  private until(holds: () => boolean): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = (): void => {
        if (!holds()) return
        this.looks.delete(look)
        resume(Effect.void)
      }
      this.looks.add(look)
      look()
      return Effect.sync(() => this.looks.delete(look))
    })
  }

  private receive(chunk: Uint8Array): void {
    for (const frame of this.reader.frames(chunk)) {
      if (frame === "PREFACE") continue
      const line = this.reader.lineOf(frame)
      if (line.startsWith("SETTINGS") && !line.endsWith("ACK")) this.send(Wire.settingsAck)
      if (line.startsWith("PING") && !line.endsWith("ACK")) this.send(Wire.frame("PING", 1, 0, frame.payload))
      this.seen.push(line)
      this.onLine?.(line, this)
    }
    for (const look of [...this.looks]) look()
  }

  private over(how: "end" | "reset"): void {
    if (this.ending === "open") this.ending = how
    for (const look of [...this.looks]) look()
  }
}
