/**
 * Counts what costs this side work and the peer next to nothing (RFC 9113
 * §10.5). Each kind has a budget: a burst, and so many a second. A peer above
 * it is told ENHANCE_YOUR_CALM.
 *
 * The numbers are fixed: far above what clients do, and low enough that what
 * they allow costs little. Frames that our own work calls for earn back what they
 * spend, so that a budget need not be as large as the fastest transfer.
 *
 * A budget is one number, the time at which it will be full again: it is spent
 * when that is too far ahead. Hot path (`bench/` rows "http2"): WINDOW_UPDATE.
 *
 * @since 0.1.0
 */
import { BudgetSpent } from "./Http2Error.ts"

/** @category models */
export interface Budget {
  /** As {@link BudgetSpent} names it. */
  readonly name: string
  /** How many at once. */
  readonly burst: number
  /** How many of these come back in a second. */
  readonly perSecond: number
  /** What is counted, and the attack that it is for. */
  readonly why: string
  /** Its place among the budgets. */
  readonly index: number
  /** How much time gives one back. */
  readonly costMillis: number
  /** How far ahead "full again" may be. */
  readonly aheadMillis: number
}

const budget = (index: number, name: string, burst: number, perSecond: number, why: string): Budget => {
  const costMillis = 1_000 / perSecond
  // Half of one more, so that roundings of the clock do not cost one.
  return { name, burst, perSecond, why, index, costMillis, aheadMillis: (burst + 0.5) * costMillis }
}

/** @category tables */
export const budgets = {
  resets: /*#__PURE__*/ budget(
    0,
    "resets",
    1_000,
    33,
    "RST_STREAM for a request whose response was not complete; two that are completed earn 1: Rapid Reset, CVE-2023-44487"
  ),
  forcedResets: /*#__PURE__*/ budget(
    1,
    "forcedResets",
    200,
    20,
    "streams that this side had to reset for an error of the peer, and each 16 KiB of a head that is refused: MadeYouReset, CVE-2025-8671"
  ),
  settings: /*#__PURE__*/ budget(2, "settings", 100, 5, "SETTINGS, which are acknowledged: CVE-2019-9515"),
  pings: /*#__PURE__*/ budget(
    3,
    "pings",
    1_000,
    100,
    "PING, which is answered; each DATA frame that is sent earns 1: CVE-2019-9512"
  ),
  windowUpdates: /*#__PURE__*/ budget(
    4,
    "windowUpdates",
    2_000,
    500,
    "WINDOW_UPDATE; each DATA frame that is sent earns 4, each stream that is opened 2: CVE-2019-9511"
  ),
  emptyFrames: /*#__PURE__*/ budget(
    5,
    "emptyFrames",
    100,
    10,
    "DATA, HEADERS or CONTINUATION without content that end nothing: CVE-2019-9518"
  ),
  priorities: /*#__PURE__*/ budget(
    6,
    "priorities",
    1_000,
    100,
    "PRIORITY, which has no effect; each stream that is opened earns 4: CVE-2019-9513"
  ),
  unknown: /*#__PURE__*/ budget(
    7,
    "unknown",
    1_000,
    100,
    "frames of unknown types, for each KiB, and empty ones that come too late; each stream that is opened earns 2"
  )
} as const satisfies Record<string, Budget>

/** DATA below this is small; in bytes. @category constants */
export const smallDataBytes = 256

/** The most small DATA frames that may wait unread on a connection: each costs more memory than its bytes. @category constants */
export const maxSmallDataCount = 10_000

/** @category models */
export class Http2AbuseGuard {
  /** For each budget, when it is full again. */
  private readonly fullMillis = [never, never, never, never, never, never, never, never]
  private smallDataCount = 0

  /** One of a kind came, or one that counts for more. */
  spend(budget: Budget, nowMillis: number, count = 1): BudgetSpent | undefined {
    const fullMillis = Math.max(this.fullMillis[budget.index]!, nowMillis) + count * budget.costMillis
    if (fullMillis - nowMillis > budget.aheadMillis) return new BudgetSpent(budget.name)
    this.fullMillis[budget.index] = fullMillis
    return undefined
  }

  /**
   * A DATA frame was sent. One that the window has cut earns by its bytes, up
   * to `smallDataBytes`: who opens its window byte by byte gets no more than
   * its budget.
   */
  dataSent(byteCount: number): void {
    const share = byteCount >= smallDataBytes ? 1 : byteCount / smallDataBytes
    this.earn(budgets.windowUpdates, 4 * share)
    // gRPC measures its way by a PING behind what it receives.
    this.earn(budgets.pings, share)
  }

  /** The peer has opened a stream: browsers send a frame or two beside it. */
  streamOpened(): void {
    this.earn(budgets.priorities, 4)
    this.earn(budgets.windowUpdates, 2)
    this.earn(budgets.unknown, 2)
  }

  /** A stream has ended in good order. */
  streamCompleted(): void {
    this.earn(budgets.resets, 0.5)
  }

  /** So many are given back, up to the burst. */
  earn(budget: Budget, count: number): void {
    this.fullMillis[budget.index]! -= count * budget.costMillis
  }

  /** A DATA frame with content, but below `smallDataBytes`, waits for its reader. Not a rate: what is read in time costs nothing. */
  smallDataWaits(): BudgetSpent | undefined {
    return ++this.smallDataCount > maxSmallDataCount ? new BudgetSpent("smallData") : undefined
  }

  /** So many of them were read, or dropped with their stream. */
  smallDataRead(count: number): void {
    this.smallDataCount -= count
  }
}

const never = Number.NEGATIVE_INFINITY
