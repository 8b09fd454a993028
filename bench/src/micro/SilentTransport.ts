/**
 * A transport without a network, for what stands above one: takes what is
 * written, and counts it.
 */
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"

export class SilentTransport implements Transport {
  readonly local = NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 1)
  readonly peer = NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 2)
  readonly tls = undefined
  readonly bufferedBytes = 0
  readonly state = "open"
  receivedBytes = 0
  sentBytes = 0
  receiver: Receiver | undefined
  /** Of the last write. */
  written: Uint8Array | undefined

  attach(receiver: Receiver): void {
    this.receiver = receiver
  }
  observeClose(): void {}
  write(bytes: Uint8Array): boolean {
    this.sentBytes += bytes.length
    this.written = bytes
    return true
  }
  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean {
    for (const chunk of chunks) this.write(chunk)
    return true
  }
  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
  readonly upgrade = () => Effect.never
}
