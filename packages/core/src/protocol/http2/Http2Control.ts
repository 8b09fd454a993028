/**
 * What concerns the connection as a whole: the preface, SETTINGS, PING and
 * GOAWAY, and frames that have no effect.
 *
 * @internal
 * @since 0.1.0
 */
import * as Latin1 from "../../bytes/Latin1.ts"
import * as Utf8 from "../../bytes/Utf8.ts"
import { type Budget, budgets } from "./Http2AbuseGuard.ts"
import { ConnectionViolation, HeadTimeout, Unprocessed } from "./Http2Error.ts"
import * as Code from "./Http2ErrorCode.ts"
import * as Frame from "./Http2Frame.ts"
import * as FrameEncoder from "./Http2FrameEncoder.ts"
import { Http2GoAway, maxStreamId } from "./Http2GoAway.ts"
import type { Http2Link } from "./Http2Link.ts"
import { Http2Ping, type Purpose } from "./Http2Ping.ts"
import type { Http2Sender } from "./Http2Sender.ts"
import { entriesOf, Http2Settings } from "./Http2Settings.ts"
import { Http2SettingsSync } from "./Http2SettingsSync.ts"
import type { Http2StreamLife } from "./Http2StreamLife.ts"

/** What an acknowledgement of our SETTINGS changes for those who receive. @category models */
export interface Receiving {
  setMaxFrameBytes(byteCount: number): void
  setMaxTableBytes(byteCount: number): void
}

/** @category models */
export class Http2Control {
  readonly settings: Http2SettingsSync
  readonly ping: Http2Ping
  readonly goAway = new Http2GoAway()
  /** Whether the peer has acknowledged our settings. */
  isSynchronised = false
  /** The window of a stream of the peer, as it knows it. */
  receiveSize: number
  private readonly link: Http2Link
  private readonly life: Http2StreamLife
  private readonly sender: Http2Sender
  private readonly receiving: Receiving
  /** When the peer's first SETTINGS are late. */
  private prefaceMillis: number

  constructor(link: Http2Link, life: Http2StreamLife, sender: Http2Sender, receiving: Receiving) {
    const { headMillis, pingIntervalMillis, pingTimeoutMillis, settingsMillis, streamWindowBytes } = link.limits
    this.link = link
    this.life = life
    this.sender = sender
    this.receiving = receiving
    this.settings = new Http2SettingsSync(link.role, settingsMillis)
    this.ping = new Http2Ping(
      { intervalMillis: pingIntervalMillis, timeoutMillis: pingTimeoutMillis },
      "whileStreams",
      link.nowMillis
    )
    // §6.9.2: until it knows better, the peer goes by the initial window, which may be larger.
    this.receiveSize = Math.max(streamWindowBytes, initialWindowBytes)
    this.prefaceMillis = link.nowMillis + headMillis
  }

  /** Says what this side allows. */
  open(): void {
    const { limits, nowMillis, output, role } = this.link
    if (role === "client") output.write(Frame.preface)
    const own = new Http2Settings()
    own.headerTableBytes = limits.headerTableBytes
    own.initialWindowBytes = limits.streamWindowBytes
    own.maxFrameBytes = limits.frameBytes
    own.maxHeaderListBytes = limits.headerBytes
    if (role === "server") {
      own.maxConcurrentStreams = limits.streamCount
      own.connectProtocol = true
    }
    FrameEncoder.settings(output, entriesOf(own, role))
    this.settings.sent(own, nowMillis)
    const more = limits.connectionWindowBytes - initialWindowBytes
    if (more > 0) FrameEncoder.windowUpdate(output, 0, more)
  }

  /** The next time at which `advance` has something to do. */
  get dueMillis(): number {
    return Math.min(
      this.prefaceMillis,
      this.settings.dueMillis,
      // While this side does not get rid of its own, it may not read the peer's answer: that has a limit of its own.
      this.link.output.blocked ? Number.POSITIVE_INFINITY : this.ping.dueMillis(this.link.streams.count > 0),
      this.goAway.dueMillis
    )
  }

  /** Whether all is said that a drain has to say. */
  get isDrained(): boolean {
    return this.link.role === "client" || this.goAway.sending._tag === "Final" || this.goAway.peer !== undefined
  }

  advance(): void {
    const { limits, nowMillis, output, streams } = this.link
    if (nowMillis >= this.prefaceMillis) {
      this.late(limits.headMillis)
      return
    }
    const late = this.settings.advance(nowMillis)
    if (late !== undefined) {
      this.link.fail(late)
      return
    }
    if (this.goAway.advance(nowMillis)) this.finishDrain()
    const due = output.blocked ? "none" : this.ping.advance(nowMillis, streams.count > 0)
    if (due === "send") FrameEncoder.ping(output, this.ping.opaque, 0, false)
    else if (due !== "none") this.link.fail(due)
  }

  /** Frames that are of no stream, or without effect. */
  onFrame(type: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case Frame.type.Settings:
        if ((flags & Frame.flag.Ack) !== 0) this.onSettingsAck()
        else this.onSettings(bytes, start, end)
        break
      case Frame.type.Ping:
        if ((flags & Frame.flag.Ack) !== 0) this.onPong(bytes, start)
        else this.onPing(bytes, start)
        break
      case Frame.type.GoAway:
        this.onGoAway(bytes, start, end)
        break
      case Frame.type.PushPromise:
        // RFC 9113 §8.4: no client of ours lets itself be pushed to, and nobody pushes to a server.
        this.link.fail(new ConnectionViolation(Code.ProtocolError, "RFC 9113 §6.6: PUSH_PROMISE"))
        break
      default:
        if (type === Frame.type.Priority) this.spend(budgets.priorities)
        else this.spend(budgets.unknown, 1 + Math.floor((end - start) / 1024))
    }
  }

  sendPing(purpose: Purpose): void {
    FrameEncoder.ping(this.link.output, this.ping.ask(purpose, this.link.nowMillis), 0, false)
    this.link.arm(this.ping.dueMillis(true))
  }

  /** RFC 9113 §6.8: a server leaves in two steps; to a client nobody sends requests. */
  drain(): void {
    const { nowMillis, output, role } = this.link
    if (!this.goAway.begin(nowMillis)) return
    if (role === "client") {
      this.finishDrain()
      return
    }
    FrameEncoder.goAway(output, maxStreamId, Code.NoError, "")
    this.sendPing("drain")
    this.link.arm(this.goAway.dueMillis)
  }

  /** The last GOAWAY, with what has happened. */
  farewell(errorCode: number, debug: string): void {
    const { output, streams } = this.link
    // Tools show the text byte by byte.
    FrameEncoder.goAway(output, this.goAway.finish(streams.lastPeerId), errorCode, debug.replaceAll("§", "section "))
  }

  /** The peer is late with what was to come first. */
  late(limitMillis: number): void {
    this.link.fail(new HeadTimeout(limitMillis))
  }

  /** Nothing is due any more. */
  stop(): void {
    this.ping.stop()
    this.settings.stop()
    this.prefaceMillis = Number.POSITIVE_INFINITY
  }

  private onSettings(bytes: Uint8Array, start: number, end: number): void {
    const { handler, output } = this.link
    if (!this.spend(budgets.settings)) return
    const before = this.settings.peer.initialWindowBytes
    const violation = this.settings.received(bytes, start, end)
    if (violation !== undefined) {
      this.link.fail(violation)
      return
    }
    this.prefaceMillis = Number.POSITIVE_INFINITY
    const { headerTableBytes, initialWindowBytes: after, leastHeaderTableBytes } = this.settings.peer
    if (leastHeaderTableBytes < headerTableBytes) this.sender.encoder.setPeerMaxTableBytes(leastHeaderTableBytes)
    this.sender.encoder.setPeerMaxTableBytes(headerTableBytes)
    if (after !== before && !this.resizeStreams(after - before)) return
    FrameEncoder.settingsAck(output)
    handler.onPeerSettings(this.settings.peer)
  }

  /** RFC 9113 §6.9.2: a new initial window changes those of all streams. `false`: one is above the maximum. */
  private resizeStreams(difference: number): boolean {
    for (const stream of this.link.streams.values()) {
      if (!stream.increase(difference)) {
        this.link.fail(new ConnectionViolation(Code.FlowControlError, "RFC 9113 §6.9.2: a window above 2^31-1"))
        return false
      }
      this.sender.queue.enqueue(stream)
    }
    return true
  }

  private onSettingsAck(): void {
    const violation = this.settings.acknowledged()
    if (violation !== undefined) {
      this.link.fail(violation)
      return
    }
    this.isSynchronised = true
    const { headerTableBytes, initialWindowBytes: windowBytes, maxFrameBytes } = this.settings.local
    this.receiving.setMaxFrameBytes(maxFrameBytes)
    this.receiving.setMaxTableBytes(headerTableBytes)
    if (windowBytes === this.receiveSize) return
    this.receiveSize = windowBytes
    for (const stream of this.link.streams.values()) stream.resize(windowBytes)
  }

  private onPing(bytes: Uint8Array, start: number): void {
    if (this.spend(budgets.pings)) FrameEncoder.ping(this.link.output, bytes, start, true)
  }

  private onPong(bytes: Uint8Array, start: number): void {
    const pong = this.ping.answered(bytes, start, this.link.nowMillis)
    // The next silence may be over before this answer would have been too late.
    this.link.arm(this.ping.dueMillis(this.link.streams.count > 0))
    if (pong === undefined) this.spend(budgets.unknown)
    else if (pong.purpose === "user") this.link.handler.onPong(pong.roundTripMillis)
    else if (pong.purpose === "drain" && this.goAway.onPong()) this.finishDrain()
  }

  /** `false`: the budget is spent, and the connection has ended. */
  private spend(budget: Budget, count = 1): boolean {
    const spent = this.link.guard.spend(budget, this.link.nowMillis, count)
    if (spent !== undefined) this.link.fail(spent)
    return spent === undefined
  }

  private finishDrain(): void {
    this.farewell(Code.NoError, "")
  }

  private onGoAway(bytes: Uint8Array, start: number, end: number): void {
    if (this.goAway.peer !== undefined && !this.spend(budgets.unknown)) return
    const lastId = read31(bytes, start)
    const errorCode = read32(bytes, start + 4)
    const debug = debugOf(bytes, start + 8, Math.min(end, start + 8 + debugBytes))
    const least = this.goAway.received(lastId, errorCode, debug)
    if (this.link.role === "client") this.link.leave()
    this.life.closeAll(new Unprocessed(errorCode), least)
    this.link.handler.onGoAway(least, errorCode, debug)
  }
}

/** RFC 9113 §6.9.2. */
const initialWindowBytes = 65_535
/** What is kept of the text of a GOAWAY. */
const debugBytes = 256

/** RFC 9113 §6.8: "opaque data", for people. As UTF-8, where it is. */
const debugOf = (bytes: Uint8Array, start: number, end: number): string =>
  Utf8.decodeRange(bytes, start, end) ?? Latin1.decode(bytes, start, end)

const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

const read31 = (bytes: Uint8Array, at: number): number => read32(bytes, at) & 0x7fffffff
