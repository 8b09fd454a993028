/**
 * As much of a socket as `node:http` and `ws` need, with nothing behind it but
 * memory.
 *
 * @since 0.1.0
 */
import * as Stream from "node:stream"

export class MemorySocket extends Stream.Duplex {
  private readonly onSent: (chunk: Buffer) => void

  /** `onSent` hears what is written. */
  constructor(onSent: (chunk: Buffer) => void = () => {}) {
    super()
    this.onSent = onSent
  }

  /** Bytes from the peer, and its end behind them. */
  arrive(bytes: Uint8Array): void {
    this.push(bytes)
    this.push(null)
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.onSent(chunk)
    done()
  }
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
