/**
 * Whose settings are in force (RFC 9113 §6.5.3): the peer's as soon as they
 * come, ours once the peer has acknowledged them, frame by frame and in order.
 *
 * Until then the peer may go by the values before: initial ones, for the first
 * SETTINGS of a connection.
 *
 * @internal
 * @since 0.1.0
 */
import { ConnectionViolation, SettingsTimeout } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import * as Settings from "./Http2Settings.ts"

/** @category models */
export class Http2SettingsSync {
  /** Ours, as the peer has acknowledged them: what its frames have to keep to. */
  local = new Settings.Http2Settings()
  /** The peer's: what our frames have to keep to. */
  readonly peer = new Settings.Http2Settings()
  /** Whether SETTINGS of the peer have come: its first frame has to be that (§3.4). */
  hasPeerSettings = false
  private readonly peerRole: "client" | "server"
  private readonly ackMillis: number
  private readonly unacknowledged: Array<Sent> = []

  /** `ackMillis`: how long an acknowledgement may take; `Infinity` for ever. */
  constructor(role: "client" | "server", ackMillis: number) {
    this.peerRole = role === "client" ? "server" : "client"
    this.ackMillis = ackMillis
  }

  /** When `advance` wants to be called; `Infinity` when all is acknowledged. */
  get dueMillis(): number {
    const oldest = this.unacknowledged[0]
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.dueMillis
  }

  /** SETTINGS were written. `settings` is all that is ours, also what did not change, and is not changed any more. */
  sent(settings: Settings.Http2Settings, nowMillis: number): void {
    this.unacknowledged.push({ settings, dueMillis: nowMillis + this.ackMillis })
  }

  /** SETTINGS with ACK came: the oldest of ours are in force, in `local`. */
  acknowledged(): ConnectionViolation | undefined {
    const oldest = this.unacknowledged.shift()
    if (oldest === undefined) {
      return new ConnectionViolation(Code.ProtocolError, "an acknowledgement of SETTINGS that were not sent")
    }
    this.local = oldest.settings
    return undefined
  }

  /** SETTINGS of the peer came: they are in force, in `peer`, and are to be acknowledged. */
  received(bytes: Uint8Array, start: number, end: number): ConnectionViolation | undefined {
    this.hasPeerSettings = true
    return Settings.decode(bytes, start, end, this.peer, this.peerRole)
  }

  advance(nowMillis: number): SettingsTimeout | undefined {
    if (nowMillis < this.dueMillis) return undefined
    this.stop()
    return new SettingsTimeout(this.ackMillis)
  }

  /** The connection is over: nothing is due any more. */
  stop(): void {
    this.unacknowledged.length = 0
  }
}

interface Sent {
  readonly settings: Settings.Http2Settings
  readonly dueMillis: number
}
