/**
 * The calls that wait in a channel, in the order in which they came: so many
 * at most, and each for so long at most, but for those that wait until a
 * server can be reached.
 *
 * @internal
 * @since 0.1.0
 */
import { Http2Waiting } from "../../session/Http2Waiting.ts"
import type { Timers } from "../../session/Timers.ts"
import type { GrpcChannelCall } from "./GrpcChannelCall.ts"

/** `Infinity` for no limit. @category options */
export interface Limits {
  readonly waitingCount: number
  readonly waitingMillis: number
}

/** @category models */
export class GrpcChannelQueue {
  private readonly calls = new Set<GrpcChannelCall>()
  /** Those of them whose time is limited. */
  private readonly limited: Http2Waiting<GrpcChannelCall>
  private readonly limits: Limits

  constructor(timers: Timers, limits: Limits, onTimeout: (call: GrpcChannelCall) => void) {
    this.limits = limits
    this.limited = new Http2Waiting(timers, limits, (call) => {
      this.calls.delete(call)
      onTimeout(call)
    })
  }

  get count(): number {
    return this.calls.size
  }

  get isFull(): boolean {
    return this.calls.size >= this.limits.waitingCount
  }

  add(call: GrpcChannelCall): void {
    this.calls.add(call)
    if (!call.attempt.waitForReady) this.limited.add(call)
  }

  delete(call: GrpcChannelCall): void {
    this.calls.delete(call)
    this.limited.delete(call)
  }

  /** In their order; whoever is deleted meanwhile is left out, and who is added comes last. */
  values(): Iterable<GrpcChannelCall> {
    return this.calls.values()
  }

  /** Takes those that do not wait until a server can be reached, or all. */
  take(which: "failFast" | "all"): ReadonlyArray<GrpcChannelCall> {
    const taken = [...this.calls].filter((call) => which === "all" || !call.attempt.waitForReady)
    for (const call of taken) this.delete(call)
    return taken
  }
}
