/**
 * Two engines in conversation, over a network with virtual time.
 *
 * What an engine puts into its output in one turn arrives at the other, in
 * order, `latencyMillis` later; so do the end and the loss of the transport.
 * Time moves only as far as deliveries, or `advance`, need it. When both sides
 * have ended, or one has aborted, both hear `receiveClose`.
 *
 * @since 0.1.0
 */
import type { Engine } from "@sluice/core/protocol/Engine"

export interface Options {
  /** How long bytes travel, for both directions or each. In milliseconds. Default 0. */
  readonly latencyMillis?: number | { readonly toLeft: number; readonly toRight: number } | undefined
  /** How a turn's bytes are cut on arrival. Default: the chunks as they were written. */
  readonly cut?: ((bytes: Uint8Array) => ReadonlyArray<Uint8Array>) | undefined
  /** Deliveries and deadlines after which one `settle` or `advance` throws. Default 10,000. */
  readonly maxSteps?: number | undefined
}

type Delivery =
  | { readonly atMillis: number; readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly atMillis: number; readonly kind: "end" | "close" }

interface Side<E extends Engine> {
  readonly engine: E
  /** What travels to this side; rising in time. */
  readonly arriving: Array<Delivery>
  readonly latencyMillis: number
  /** Whether it may send; whether its transport is there. */
  sending: "open" | "ended"
  transport: "open" | "closed"
}

export class EnginePair<L extends Engine, R extends Engine> {
  nowMillis: number
  private readonly left: Side<L>
  private readonly right: Side<R>
  private readonly cut: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>
  private readonly maxSteps: number

  constructor(left: L, right: R, options: Options = {}, nowMillis = 0) {
    const latency = options.latencyMillis ?? 0
    const { toLeft, toRight } = typeof latency === "number" ? { toLeft: latency, toRight: latency } : latency
    this.left = { engine: left, arriving: [], latencyMillis: toLeft, sending: "open", transport: "open" }
    this.right = { engine: right, arriving: [], latencyMillis: toRight, sending: "open", transport: "open" }
    this.cut = options.cut ?? ((bytes) => [bytes])
    this.maxSteps = options.maxSteps ?? 10_000
    this.nowMillis = nowMillis
  }

  /** Whether each engine still has its transport. */
  get transports(): { readonly left: "open" | "closed"; readonly right: "open" | "closed" } {
    return { left: this.left.transport, right: this.right.transport }
  }

  /**
   * Delivers until nothing travels any more. Time moves to the last arrival;
   * deadlines on the way fire, later ones do not.
   */
  settle(): void {
    this.run(() => Math.min(arrivalOf(this.left), arrivalOf(this.right)))
  }

  /** Lets `millis` pass: delivers what arrives and fires what is due until then, in the order of time. */
  advance(millis: number): void {
    const untilMillis = this.nowMillis + millis
    this.run(() => {
      const next = this.nextMillis()
      return next <= untilMillis ? next : Number.POSITIVE_INFINITY
    })
    this.nowMillis = untilMillis
  }

  /** Steps until `target` is `Infinity`: nothing more to wait for. */
  private run(target: () => number): void {
    for (let steps = 0; ; steps++) {
      this.flush(this.left, this.right)
      this.flush(this.right, this.left)
      if (target() === Number.POSITIVE_INFINITY) return
      if (steps === this.maxSteps) throw new Error(`EnginePair: no rest after ${steps} steps, at ${this.nowMillis} ms`)
      this.nowMillis = Math.max(this.nowMillis, this.nextMillis())
      this.step(this.left)
      this.step(this.right)
    }
  }

  private nextMillis(): number {
    return Math.min(...[this.left, this.right].flatMap((side) => [arrivalOf(side), deadlineOf(side)]))
  }

  /** Does one thing that is due for `side`: bytes first, so that a deadline sees them. */
  private step(side: Side<Engine>): void {
    if (side.transport === "closed") return
    if (arrivalOf(side) <= this.nowMillis) {
      this.deliver(side, side.arriving.shift()!)
      return
    }
    if (deadlineOf(side) > this.nowMillis) return
    side.engine.advance(this.nowMillis)
    if (
      side.engine.output.closing !== "abort" &&
      deadlineOf(side) <= this.nowMillis &&
      side.engine.output.byteLength === 0
    ) {
      throw new Error(
        `EnginePair: a deadline at ${side.engine.deadlineMillis} ms was not served at ${this.nowMillis} ms`
      )
    }
  }

  private deliver(side: Side<Engine>, delivery: Delivery): void {
    if (delivery.kind === "bytes") side.engine.receive(delivery.bytes, this.nowMillis)
    else if (delivery.kind === "end") side.engine.receiveEnd(this.nowMillis)
    else this.close(side)
  }

  /** Sends what `from` has put out; its transport closes once both sides have ended. */
  private flush(from: Side<Engine>, to: Side<Engine>): void {
    if (from.transport === "closed") return
    const { output } = from.engine
    const atMillis = this.nowMillis + to.latencyMillis
    for (const chunk of output.take()) {
      for (const bytes of this.cut(chunk)) to.arriving.push({ atMillis, kind: "bytes", bytes: bytes.slice() })
    }
    if (output.closing === "abort") {
      to.arriving.push({ atMillis, kind: "close" })
      this.close(from)
    } else if (output.closing === "end" && from.sending === "open") {
      from.sending = "ended"
      to.arriving.push({ atMillis, kind: "end" })
      if (to.sending === "ended") {
        to.arriving.push({ atMillis, kind: "close" })
        from.arriving.push({ atMillis: this.nowMillis + from.latencyMillis, kind: "close" })
      }
    }
  }

  private close(side: Side<Engine>): void {
    side.transport = "closed"
    side.arriving.length = 0
    side.engine.receiveClose(this.nowMillis)
  }
}

const arrivalOf = (side: Side<Engine>): number =>
  side.transport === "closed" ? Number.POSITIVE_INFINITY : (side.arriving[0]?.atMillis ?? Number.POSITIVE_INFINITY)

const deadlineOf = (side: Side<Engine>): number =>
  side.transport === "closed" ? Number.POSITIVE_INFINITY : side.engine.deadlineMillis
