/**
 * A transport without a network: it writes down what it is told, answers
 * writes as a test says, and delivers nothing by itself.
 */
import type { Receiver, Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Hex from "./Hex.ts"

const address = NetAddress.inetAddressFromIpStringUnsafe("127.0.0.1", 1)

export class StubTransport implements Transport {
  readonly local = address
  readonly peer = address
  readonly tls = undefined
  bufferedBytes = 0
  receivedBytes = 0
  sentBytes = 0
  state: "open" | "closed" = "open"
  /** What was called, in order; bytes as text: `write abc`, `writeAll ab|c`, `end`, `pause`, … */
  readonly calls: Array<string> = []
  /** Every byte that was written, as text. */
  written = ""
  destroyedBy: TransportError.TransportError | undefined
  receiver: Receiver | undefined
  /** `full`: a write is taken, stays in the buffer, and is answered with `false`. */
  network: "takes all" | "full" = "takes all"
  /** Called within every write. */
  afterWrite: () => void = () => {}

  attach(receiver: Receiver): void {
    this.receiver = receiver
  }

  observeClose(): void {}

  write(bytes: Uint8Array): boolean {
    this.calls.push(`write ${textOf(bytes)}`)
    return this.take(bytes)
  }

  writeAll(chunks: ReadonlyArray<Uint8Array>): boolean {
    this.calls.push(`writeAll ${chunks.map(textOf).join("|")}`)
    return this.take(Hex.concat(chunks))
  }

  end(): void {
    this.calls.push("end")
  }

  destroy(error?: TransportError.TransportError): void {
    this.calls.push("destroy")
    this.destroyedBy ??= error
    this.state = "closed"
  }

  pause(): void {
    this.calls.push("pause")
  }

  resume(): void {
    this.calls.push("resume")
  }

  readonly upgrade: Transport["upgrade"] = () =>
    Effect.fail(TransportError.make(new TransportError.Unsupported("a stub speaks no TLS")))

  /** The calls since the last time. */
  takeCalls(): ReadonlyArray<string> {
    return this.calls.splice(0)
  }

  private take(bytes: Uint8Array): boolean {
    if (this.state === "closed") return false
    this.written += textOf(bytes)
    this.sentBytes += bytes.length
    if (this.network === "full") this.bufferedBytes += bytes.length
    this.afterWrite()
    return this.network === "takes all"
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
