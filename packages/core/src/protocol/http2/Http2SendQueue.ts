/**
 * What streams have to send and the peer, or the transport, does not take yet.
 * They send in turn, a frame each, so that a large body keeps nobody waiting;
 * nothing is copied.
 *
 * ```text
 *  in line    has bytes, and its own window is open
 *  stalled    has bytes, and its window is shut: WINDOW_UPDATE puts it in line
 *  the line moves while the connection's window is open and the output has room
 * ```
 *
 * Streams that are reset while they stand in line are left there, until they
 * are first, or more of them than of others stand there: so a line that cannot
 * move is no place where a peer can pile them up.
 *
 * Hot path: `bench/` rows "http2/download".
 *
 * @internal
 * @since 0.1.0
 */
import { smallDataBytes } from "./Http2AbuseGuard.ts"
import * as Frame from "./Http2Frame.ts"
import * as FrameEncoder from "./Http2FrameEncoder.ts"
import type { Http2Link } from "./Http2Link.ts"
import type { Http2Stream } from "./Http2Stream.ts"

/** What the output takes in before it should be written. @category limits */
export const fillBytes = 98_304

/** One frame is no larger, whatever the peer allows (16 KiB at least): others wait for their turn. */
const turnBytes = 16_384

/** A line is not worth sweeping below. */
const fewStreams = 32

/** @category models */
export class Http2SendQueue {
  /** When DATA has left last, on any stream. */
  sentMillis = Number.NEGATIVE_INFINITY
  /** Is told when a window is shut for what waits. */
  onStall: () => void = () => {}
  private readonly link: Http2Link
  /** All bytes of a stream have left, and END_STREAM with them, or not yet. */
  private readonly finish: (stream: Http2Stream, endSent: boolean) => void
  private first: Http2Stream | undefined = undefined
  private last: Http2Stream | undefined = undefined
  /** How many stand in line, those that are over counted. */
  private lineCount = 0

  constructor(link: Http2Link, finish: (stream: Http2Stream, endSent: boolean) => void) {
    this.link = link
    this.finish = finish
  }

  /** Whether `fill` would move something, if the output had room. */
  get isReady(): boolean {
    this.skipOver()
    return this.first !== undefined && this.link.window.sendBytes > 0
  }

  /** Whether so many bytes may leave at once, beside the line. */
  takesNow(stream: Http2Stream, byteCount: number): boolean {
    const { output, window } = this.link
    return (
      stream.queuedBytes === 0 &&
      byteCount <= stream.sendBytes &&
      byteCount <= window.sendBytes &&
      byteCount <= turnBytes &&
      !output.blocked &&
      output.byteLength < fillBytes
    )
  }

  /** Bytes have left at once: `takesNow` was true for them. */
  sent(stream: Http2Stream, byteCount: number): void {
    stream.sendBytes -= byteCount
    this.link.window.sendBytes -= byteCount
    this.link.guard.dataSent(smallDataBytes)
  }

  push(stream: Http2Stream, data: Uint8Array): void {
    if (stream.queue === undefined) stream.queue = [data]
    else stream.queue.push(data)
    if (stream.queuedBytes === 0) stream.sentMillis = this.link.nowMillis
    stream.queuedBytes += data.length
    this.enqueue(stream)
    this.watch(stream)
  }

  /** The stream's window may be open again. */
  enqueue(stream: Http2Stream): void {
    if (stream.turn === "queued" || stream.queuedBytes === 0 || stream.sendBytes <= 0) return
    if (this.lineCount >= 2 * this.link.streams.count + fewStreams) this.sweep()
    this.append(stream)
  }

  /** Moves frames to the output until it should be written, or nobody may send. */
  fill(): void {
    const { output, window } = this.link
    while (!output.blocked && output.byteLength < fillBytes && window.sendBytes > 0) {
      this.skipOver()
      const stream = this.first
      if (stream === undefined) break
      this.takeFirst()
      this.sendFrame(stream)
    }
    if (window.sendBytes <= 0 && this.first !== undefined) this.onStall()
  }

  private sendFrame(stream: Http2Stream): void {
    const { guard, handler, nowMillis, output, peerSettings, window } = this.link
    const wasWritable = stream.isWritable
    const byteCount = Math.min(
      stream.queuedBytes,
      turnBytes,
      stream.sendBytes,
      window.sendBytes,
      peerSettings.maxFrameBytes
    )
    const isLast = byteCount === stream.queuedBytes
    const ends = isLast && stream.ending === "end"
    FrameEncoder.frameHead(output, byteCount, Frame.type.Data, ends ? Frame.flag.EndStream : 0, stream.id)
    this.take(stream, byteCount)
    stream.sendBytes -= byteCount
    window.sendBytes -= byteCount
    guard.dataSent(isLast ? smallDataBytes : byteCount)
    stream.sentMillis = nowMillis
    this.sentMillis = nowMillis
    if (!isLast) {
      this.enqueue(stream)
      this.watch(stream)
    }
    if (stream.ending === "open") {
      if (!wasWritable && stream.isWritable) handler.onWritable(stream)
    } else if (isLast) this.finish(stream, ends)
  }

  /** Hands so many bytes of the queue over: small parts share a frame. */
  private take(stream: Http2Stream, byteCount: number): void {
    const queue = stream.queue!
    let leftBytes = byteCount
    let wholeParts = 0
    while (leftBytes > 0) {
      const part = queue[wholeParts]!
      const start = stream.queueStart
      const end = Math.min(part.length, start + leftBytes)
      this.link.output.writeRange(part, start, end)
      leftBytes -= end - start
      stream.queueStart = end
      if (end === part.length) {
        stream.queueStart = 0
        wholeParts++
      }
    }
    if (wholeParts === queue.length) stream.queue = undefined
    else if (wholeParts > 0) queue.splice(0, wholeParts)
    stream.queuedBytes -= byteCount
  }

  /** Only a window that is shut has a limit of time. */
  private watch(stream: Http2Stream): void {
    if (stream.sendBytes <= 0 || this.link.window.sendBytes <= 0) this.onStall()
  }

  private append(stream: Http2Stream): void {
    stream.turn = "queued"
    this.lineCount++
    if (this.last === undefined) this.first = stream
    else this.last.nextSender = stream
    this.last = stream
  }

  /** Takes those that are over out of the line. */
  private sweep(): void {
    for (let count = this.lineCount; count > 0; count--) {
      const stream = this.first!
      this.takeFirst()
      if (stream.queuedBytes > 0) this.append(stream)
    }
  }

  /** Those that are over, or have lost their window meanwhile, stand in line for nothing. */
  private skipOver(): void {
    while (this.first !== undefined && (this.first.queuedBytes === 0 || this.first.sendBytes <= 0)) {
      if (this.first.queuedBytes > 0) {
        // The peer has shut its window meanwhile: its time counts from here, and not from the wait in line.
        this.first.sentMillis = this.link.nowMillis
        this.onStall()
      }
      this.takeFirst()
    }
  }

  private takeFirst(): void {
    const stream = this.first!
    this.first = stream.nextSender
    if (this.first === undefined) this.last = undefined
    stream.nextSender = undefined
    stream.turn = "none"
    this.lineCount--
  }
}
