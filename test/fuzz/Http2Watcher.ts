/**
 * Watches both directions of a connection from outside, and fails when the end
 * that is tested breaks a rule of RFC 9113 by what it sends, or takes more than
 * it has allowed. It knows frames, and nothing of the engine.
 *
 * @since 0.1.0
 */
import * as Assert from "node:assert/strict"
import type { Role } from "../harness/Http2Recorded.ts"
import * as Wire from "../harness/Http2Wire.ts"

const initialBytes = 65_535
const mostWindow = 2 ** 31 - 1

/** One stream, as this end may know it. */
interface Watched {
  sendBytes: number
  /** What this end has sent last of a message: nothing, a head of 1xx, or a final head. */
  sent: "nothing" | "interim" | "head"
  isLocalOver: boolean

  isReset: boolean
}

export class Watcher {
  private readonly role: Role
  private readonly streams = new Map<number, Watched>()
  private readonly incoming = new Wire.Reader()
  private readonly outgoing = new Wire.Reader()
  /** What this end may send, and the peer. */
  private sendBytes = initialBytes
  private receiveBytes = initialBytes
  private initialWindow = initialBytes
  private maxFrame = 16_384
  private readonly pings: Array<string> = []
  private owedAcks = 0
  private lastGoAway = Number.POSITIVE_INFINITY
  private isOver = false
  private openBlock = 0

  constructor(role: Role) {
    this.role = role
  }

  /** What the peer has sent, before this end hears it. */
  received(bytes: Uint8Array): void {
    for (const frame of this.incoming.frames(bytes)) {
      if (frame === "PREFACE") continue
      const { flags, payload, streamId, type } = frame
      const id = streamId & 0x7fffffff
      const name = Wire.types[type]
      const stream = this.streams.get(id)
      if (name === "DATA") this.receiveBytes -= payload.length
      else if (name === "HEADERS" && stream === undefined && this.role === "server") this.open(id)
      else if (name === "SETTINGS" && (flags & 1) === 0) this.onSettings(payload)
      else if (name === "PING" && (flags & 1) === 0) this.pings.push(String(payload))
      else if (name === "WINDOW_UPDATE" && payload.length === 4)
        this.onWindowUpdate(id, number(payload, 0, 4) & 0x7fffffff)
      else if (name === "RST_STREAM" && stream !== undefined) stream.isReset = true
    }
  }

  /** What this end has sent. */
  sent(bytes: Uint8Array): void {
    for (const frame of this.outgoing.frames(bytes)) {
      if (frame === "PREFACE") continue
      const line = this.outgoing.lineOf(frame)
      try {
        this.check(frame, line)
      } catch (cause) {
        throw new Error(`${line}: ${(cause as Error).message}`)
      }
    }
  }

  private check({ flags, payload, streamId: id, type }: Wire.Frame, line: string): void {
    const name = Wire.types[type]
    Assert.ok(!this.isOver, "behind a GOAWAY with an error")
    Assert.ok(payload.length <= this.maxFrame, "above the maximum")
    Assert.ok((this.openBlock !== 0) === (name === "CONTINUATION"), "within a header block")
    const stream = this.streams.get(id)
    if (name === "HEADERS") {
      this.onSentHeaders(id, flags, line)
      if ((flags & 4) === 0) this.openBlock = id
    } else if (name === "CONTINUATION") {
      Assert.equal(id, this.openBlock)
      if (flags & 4) this.openBlock = 0
    } else if (name === "DATA") this.onSentData(stream, payload.length, flags)
    else if (name === "RST_STREAM") {
      Assert.ok(stream !== undefined, "an idle stream")
      Assert.ok(!stream.isReset, "was reset before")
      stream.isReset = true
    } else if (name === "WINDOW_UPDATE") this.onSentWindowUpdate(id, stream, number(payload, 0, 4))
    else if (name === "PING") {
      if (flags & 1) Assert.equal(String(payload), this.pings.shift(), "another PING's")
    } else if (name === "SETTINGS") {
      if (flags & 1) Assert.ok(this.owedAcks-- > 0, "nothing to acknowledge")
    } else if (name === "GOAWAY") {
      const last = number(payload, 0, 4)
      Assert.ok(last <= this.lastGoAway, "the last stream rises")
      this.lastGoAway = last
      this.isOver = number(payload, 4, 4) !== 0
    } else Assert.fail("a frame that nobody sends")
  }

  private onSentHeaders(id: number, flags: number, line: string): void {
    if (this.role === "client" && !this.streams.has(id)) {
      Assert.ok(id % 2 === 1 && [...this.streams.keys()].every((each) => each < id), "the identifier")
      this.open(id)
    }
    const stream = this.streams.get(id)
    Assert.ok(stream !== undefined, "an idle stream")
    Assert.ok(!stream.isReset, "behind RST_STREAM")
    Assert.ok(!stream.isLocalOver, "behind END_STREAM")
    if (stream.sent === "head") Assert.ok(flags & 1, "trailers without END_STREAM")
    stream.sent = stream.sent !== "head" && / :status=1\d\d/.test(line) ? "interim" : "head"
    if (flags & 1) stream.isLocalOver = true
  }

  private onSentData(stream: Watched | undefined, byteCount: number, flags: number): void {
    Assert.ok(stream !== undefined, "an idle stream")
    Assert.ok(!stream.isReset, "behind RST_STREAM")
    Assert.ok(!stream.isLocalOver, "behind END_STREAM")
    Assert.equal(stream.sent, "head", "before HEADERS")
    if (byteCount > 0) {
      stream.sendBytes -= byteCount
      this.sendBytes -= byteCount
      Assert.ok(stream.sendBytes >= 0, `${-stream.sendBytes} bytes above the stream's window`)
      Assert.ok(this.sendBytes >= 0, `${-this.sendBytes} bytes above the connection's window`)
    }
    if (flags & 1) stream.isLocalOver = true
  }

  private onSentWindowUpdate(id: number, stream: Watched | undefined, increment: number): void {
    Assert.ok(increment >= 1 && increment <= mostWindow, "the increment")
    if (id === 0) {
      this.receiveBytes += increment
      Assert.ok(this.receiveBytes <= mostWindow)
      return
    }
    Assert.ok(stream !== undefined, "an idle stream")
    Assert.ok(!stream.isReset, "behind RST_STREAM")
  }

  private open(id: number): void {
    this.streams.set(id, {
      sendBytes: this.initialWindow,
      sent: "nothing",
      isLocalOver: false,
      isReset: false
    })
  }

  private onSettings(payload: Uint8Array): void {
    this.owedAcks++
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const value = number(payload, at + 2, 4)
      const id = number(payload, at, 2)
      if (id === Wire.settingIds.MAX_FRAME_SIZE && value >= 16_384) this.maxFrame = value
      if (id !== Wire.settingIds.INITIAL_WINDOW_SIZE) continue
      for (const stream of this.streams.values()) stream.sendBytes += value - this.initialWindow
      this.initialWindow = value
    }
  }

  private onWindowUpdate(id: number, increment: number): void {
    if (id === 0) this.sendBytes += increment
    else {
      const stream = this.streams.get(id)
      if (stream !== undefined) stream.sendBytes += increment
    }
  }
}

const number = (bytes: Uint8Array, at: number, byteCount: number): number =>
  bytes.subarray(at, at + byteCount).reduce((sum, byte) => sum * 256 + byte, 0)
