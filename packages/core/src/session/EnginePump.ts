/**
 * Drives one engine with one transport and one timer: the only place where
 * bytes of a platform meet a protocol.
 *
 * All that an engine wants to send in one turn is written once. A turn is one
 * chunk from the peer, one deadline, or one `turn` of commands; commands that
 * come on their own are collected until the current turn of the host ends.
 * What is large is written in parts, each when the one before was taken: so a
 * peer that reads slowly is told from one that does not read.
 *
 * @since 0.1.0
 */
import * as ByteJoin from "../bytes/ByteJoin.ts"
import { ByteQueue } from "../bytes/ByteQueue.ts"
import type { Engine } from "../protocol/Engine.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import type { TransportError } from "../transport/TransportError.ts"
import { Timer, type Timers } from "./Timers.ts"

/** @category models */
export interface EnginePump {
  /** Runs commands on the engine, then sends what they produced in one write. */
  turn(commands: (nowMillis: number) => void): void
  /** Says that commands were run outside of a turn: sends at the end of the host's turn. */
  wake(): void
  /** The same, once other fibers that are ready to run have run: what they send goes out in one write. */
  wakeSoon(): void
  /** The time of the current turn; outside of one, the time. In milliseconds of the timers' clock. */
  now(): number
  /** Whether the transport takes more. While `false`, senders should wait for `onWritable`. */
  writable(): boolean
  /** Bytes that wait for the transport here: what of a large write it has not got yet. */
  readonly waitingBytes: number
  /** Stops reading from the peer, and goes on. What was received stays with the engine. */
  pause(): void
  resume(): void
  /** Gives the transport up at once. */
  destroy(error?: TransportError): void
  /** Writes what was collected before the turn ends: for who produces much in one turn. */
  flush(): void
  /** Writes what was collected and lets go of the transport, which somebody else takes over. Nothing is called any more. */
  release(): void
}

/**
 * What the owner of a pump hears beside the engine's own handler calls.
 *
 * @category models
 */
export interface PumpHandler {
  /** The engine has had its input, and nothing of this turn was written yet: the place for commands that follow from it. */
  onTurn?(): void
  /** The transport is full: `onWritable` follows, unless the peer takes nothing. */
  onBlocked?(): void
  /** The transport took all that was written. */
  onWritable(): void
  /** The transport is gone; the engine has heard it already. */
  onClose(error: TransportError | undefined): void
}

/**
 * Attaches `engine` to `transport` and starts reading.
 *
 * @category constructors
 */
export const makeUnsafe = (transport: Transport, engine: Engine, timers: Timers, handler: PumpHandler): EnginePump => {
  const pump = new Pump(transport, engine, timers, handler)
  transport.attach(pump)
  transport.resume()
  pump.turn(() => {})
  return pump
}

/**
 * Who produces as much in one turn flushes it, and so learns within the turn
 * that the peer does not keep up.
 *
 * @category constants
 */
export const flushBytes = 65_536

/** What is written at once, at most. A peer that takes less of it than this in the time of a stalled send is given up. */
const partBytes = 131_072

class Pump implements EnginePump, Receiver {
  private readonly transport: Transport
  private readonly engine: Engine
  private readonly timers: Timers
  private readonly handler: PumpHandler
  private readonly timer: Timer
  private readonly onWake = (): void => {
    this.woken = false
    this.run(() => {})
  }
  private turns = 0
  /** When the current turn began. */
  private nowMillis = 0
  private woken = false
  private finished = false
  /** What of a large write the transport has not got yet; output that comes meanwhile goes behind it. */
  private rest: ByteQueue | undefined = undefined

  constructor(transport: Transport, engine: Engine, timers: Timers, handler: PumpHandler) {
    this.transport = transport
    this.engine = engine
    this.timers = timers
    this.handler = handler
    this.timer = new Timer((nowMillis) => this.run(() => engine.advance(nowMillis)))
  }

  onBytes(chunk: Uint8Array): void {
    // Bytes that were on their way when the transport was let go of belong to whoever took it over.
    if (this.finished) return
    if (this.turns++ === 0) this.nowMillis = this.timers.now()
    try {
      this.engine.receive(chunk, this.nowMillis)
      this.endTurn()
    } catch (defect) {
      this.giveUp()
      throw defect
    }
  }

  onEnd(): void {
    this.run((nowMillis) => this.engine.receiveEnd(nowMillis))
  }

  onDrain(): void {
    this.engine.output.blocked = false
    this.run((nowMillis) => {
      this.engine.resumeSending(nowMillis)
      // Its owner has heard that the transport is full, and hears when all of it was taken.
      if (!this.writeRest()) this.engine.output.blocked = true
      else if (!this.engine.output.blocked) this.handler.onWritable()
    })
  }

  onClose(error: TransportError | undefined): void {
    this.finished = true
    this.timers.clear(this.timer)
    this.engine.receiveClose(this.timers.now())
    this.handler.onClose(error)
  }

  turn(commands: (nowMillis: number) => void): void {
    this.run(commands)
  }

  wake(): void {
    if (this.woken || this.turns > 0) return
    this.woken = true
    queueMicrotask(this.onWake)
  }

  wakeSoon(): void {
    if (this.woken || this.turns > 0) return
    this.woken = true
    this.timers.soon(this.onWake)
  }

  now(): number {
    return this.turns > 0 ? this.nowMillis : this.timers.now()
  }

  writable(): boolean {
    return !this.engine.output.blocked
  }

  get waitingBytes(): number {
    return this.rest?.byteLength ?? 0
  }

  pause(): void {
    this.transport.pause()
  }

  resume(): void {
    this.transport.resume()
  }

  destroy(error?: TransportError): void {
    this.transport.destroy(error)
  }

  flush(): void {
    const output = this.engine.output
    if (this.finished || output.byteLength === 0) return
    const byteLength = output.byteLength
    const taken = output.take()
    if (this.rest !== undefined || byteLength > partBytes) {
      this.rest ??= new ByteQueue()
      for (const chunk of taken) this.rest.push(chunk)
      if (!output.blocked) this.written(this.writeRest())
    } else if (byteLength <= ByteJoin.joinBelowBytes) {
      this.written(this.transport.write(ByteJoin.join(taken, byteLength)))
    } else this.written(this.transport.writeAll(taken))
  }

  release(): void {
    this.flush()
    // Who takes the transport over writes behind all of it.
    if (this.rest !== undefined) this.transport.write(this.rest.takeAll())
    this.finished = true
    this.timers.clear(this.timer)
  }

  private written(accepted: boolean): void {
    const { output } = this.engine
    if (accepted || output.blocked) return
    output.blocked = true
    this.handler.onBlocked?.()
  }

  /** Goes on with a large write, as far as the transport takes it now; `false` when it is full. */
  private writeRest(): boolean {
    const { rest } = this
    if (rest === undefined) return true
    let accepted = true
    while (rest.byteLength > 0 && accepted && !this.finished) {
      accepted = this.transport.write(rest.take(Math.min(rest.byteLength, partBytes)))
    }
    if (rest.byteLength === 0) this.rest = undefined
    return accepted
  }

  private run(body: (nowMillis: number) => void): void {
    if (this.finished) return
    if (this.turns++ === 0) this.nowMillis = this.timers.now()
    try {
      body(this.nowMillis)
      this.endTurn()
    } catch (defect) {
      this.giveUp()
      throw defect
    }
  }

  /** An owner that throws, against the rules, leaves an engine that nobody can trust: the connection ends. */
  private giveUp(): void {
    this.turns = 0
    this.timers.clear(this.timer)
    this.transport.destroy()
  }

  /** Turns nest when a handler runs commands; only the outermost one writes. */
  private endTurn(): void {
    if (this.turns === 1) this.handler.onTurn?.()
    this.turns--
    if (this.turns > 0 || this.finished) return
    this.flush()
    const output = this.engine.output
    if (output.closing === "abort") {
      // An engine that gives up has no more deadlines, whatever it still says.
      this.timers.clear(this.timer)
      this.transport.destroy()
      return
    }
    if (output.closing === "end" && this.rest === undefined) {
      this.transport.end()
      // Nobody is told when the last bytes are taken: looked at in each turn.
      output.blocked = this.transport.bufferedBytes > 0
    }
    if (this.engine.deadlineMillis !== this.timer.atMillis) this.timers.set(this.timer, this.engine.deadlineMillis)
  }
}
