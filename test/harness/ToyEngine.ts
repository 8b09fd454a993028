/**
 * The smallest engine with everything an engine has: it answers each line with
 * the same line, says `bye` to `quit`, ends when the peer does, and gives up a
 * peer that is silent for too long. Its only use is to prove the harness.
 *
 * @since 0.1.0
 */
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Lines from "@sluice/core/codec/Lines"
import { type Engine, Output } from "@sluice/core/protocol/Engine"

/** What the handler of a toy engine hears, in order. */
export type Call = readonly ["line", string] | readonly ["violation", string] | readonly ["end"] | readonly ["close"]

export class ToyEngine implements Engine {
  readonly output = new Output()
  readonly calls: Array<Call> = []
  deadlineMillis: number
  private readonly idleMillis: number
  private readonly answers: boolean
  private readonly queue = new ByteQueue()
  private readonly decoder = Lines.make({ maxLineSize: 8 }).decoder()
  private readonly encoder = Lines.make({ maxLineSize: 8 }).encoder()

  /** A client (`answers: false`) only listens. Silence since `nowMillis` counts. */
  constructor(options: { readonly answers: boolean; readonly idleMillis: number; readonly nowMillis?: number }) {
    this.answers = options.answers
    this.idleMillis = options.idleMillis
    this.deadlineMillis = (options.nowMillis ?? 0) + options.idleMillis
  }

  sendLine(line: string): void {
    this.encoder.encode(line, this.output)
  }

  receive(bytes: Uint8Array, nowMillis: number): void {
    if (this.output.closing !== "open") return
    this.deadlineMillis = nowMillis + this.idleMillis
    this.queue.push(bytes)
    for (let line = this.decoder.decode(this.queue); line !== undefined; line = this.decoder.decode(this.queue)) {
      this.calls.push(["line", line])
      if (!this.answers) continue
      this.sendLine(line === "quit" ? "bye" : line)
      if (line === "quit") {
        this.finish()
        return
      }
    }
    const violation = this.decoder.takeViolation()
    if (violation === undefined) return
    this.calls.push(["violation", violation._tag])
    this.sendLine("error")
    this.finish()
  }

  receiveEnd(): void {
    this.calls.push(["end"])
    this.finish()
  }

  receiveClose(): void {
    this.calls.push(["close"])
    this.deadlineMillis = Number.POSITIVE_INFINITY
  }

  advance(nowMillis: number): void {
    if (nowMillis < this.deadlineMillis) return
    this.deadlineMillis = Number.POSITIVE_INFINITY
    this.output.abort()
  }

  resumeSending(): void {}

  private finish(): void {
    this.deadlineMillis = Number.POSITIVE_INFINITY
    this.output.end()
  }
}
