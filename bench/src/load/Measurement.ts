/**
 * What every load generator does while its load runs: lets it warm up, then
 * measures for as long as its order says.
 */
import * as Deadline from "../Deadline.ts"
import * as CpuMeter from "./CpuMeter.ts"
import type { Histogram } from "./Histogram.ts"
import type { CommonOrder, Report } from "./StreamLoad.ts"

/** What the load counts in the meantime. */
export interface Counts {
  /** In microseconds, one for each reply. */
  readonly latencies: Histogram
  readonly errors: ReadonlyArray<Error>
  /** What counts instead of replies, where each has many. */
  readonly messages?: { readonly count: number } | undefined
}

export const run = async (order: CommonOrder, { latencies, errors, messages }: Counts): Promise<Report> => {
  await Deadline.pause(order.warmUpMillis)
  latencies.clear()
  const messagesBefore = messages?.count ?? 0
  const readMeter = CpuMeter.start(order.serverPid, order.cores)
  await Deadline.pause(order.measureMillis)
  const usage = readMeter()
  return {
    ...usage,
    replyCount: messages === undefined ? latencies.count : messages.count - messagesBefore,
    errorCount: errors.length,
    firstError: errors[0]?.message,
    latencyMicros: {
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99)
    }
  }
}
