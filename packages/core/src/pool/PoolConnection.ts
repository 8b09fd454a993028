/**
 * One connection of a pool: its state, and the table of what may become of it.
 *
 * Hot path: a checkout and a return are two steps of the table, measured by
 * `bench/src/micro/pool-checkout.ts`. So states are small integers.
 *
 * @internal
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

/**
 * - `Opening`: `connect` runs, or waits to be tried again.
 * - `Idle`: nobody has it.
 * - `Testing`: it is looked at, before it is lent or after it came back.
 * - `Leased`: one borrower has it.
 * - `Doomed`: one borrower or test still has it, and it will be closed then.
 * - `Closing`: its scope closes.
 * - `Closed`: it is gone, and no longer counts.
 *
 * All but `Closed` count towards the maximum.
 *
 * @category models
 */
export const states = ["Opening", "Idle", "Testing", "Leased", "Doomed", "Closing", "Closed"] as const
export type State = (typeof states)[number]

/**
 * - `Keep`: nobody needs it now.
 * - `Lend`: a borrower gets it.
 * - `Test`: it is to be looked at.
 * - `Doom`: it was found to be broken by somebody who does not have it.
 * - `Close`: it is to be closed.
 * - `End`: its scope has closed, or it never opened.
 *
 * @category models
 */
export const inputs = ["Keep", "Lend", "Test", "Doom", "Close", "End"] as const
export type Input = (typeof inputs)[number]

/** A `Misuse` is a mistake in the pool itself, and a defect. @category models */
export const transitions = {
  Opening: { Keep: "Idle", Lend: "Leased", Test: "Misuse", Doom: "Misuse", Close: "Closing", End: "Closed" },
  Idle: { Keep: "Misuse", Lend: "Leased", Test: "Testing", Doom: "Misuse", Close: "Closing", End: "Misuse" },
  Testing: { Keep: "Idle", Lend: "Leased", Test: "Misuse", Doom: "Doomed", Close: "Closing", End: "Misuse" },
  // Lend: it goes from hand to hand, when somebody waits.
  Leased: { Keep: "Idle", Lend: "Leased", Test: "Testing", Doom: "Doomed", Close: "Closing", End: "Misuse" },
  Doomed: { Keep: "Misuse", Lend: "Misuse", Test: "Misuse", Doom: "Doomed", Close: "Closing", End: "Misuse" },
  Closing: { Keep: "Misuse", Lend: "Misuse", Test: "Misuse", Doom: "Closing", Close: "Misuse", End: "Closed" },
  Closed: { Keep: "Misuse", Lend: "Misuse", Test: "Misuse", Doom: "Closed", Close: "Misuse", End: "Misuse" }
} as const satisfies Record<State, Record<Input, State | "Misuse">>

export const opening = 0
export const idle = 1
export const testing = 2
export const leased = 3
export const doomed = 4
export const closing = 5
export const closed = 6

export const keep = 0
export const lend = 1
export const test = 2
export const doom = 3
export const close = 4
export const end = 5

const misuse = -1
/** The table as numbers: `steps[state * inputs.length + input]`. */
const steps: ReadonlyArray<number> = states.flatMap((state) =>
  inputs.map((input) => {
    const next = transitions[state][input]
    return next === "Misuse" ? misuse : states.indexOf(next)
  })
)

/** How many connections of a pool are in each state, by number. @category constructors */
export const makeCounts = (): Array<number> => states.map(() => 0)

/** @category models */
export class PoolConnection<A> {
  state = opening
  /** What is lent, once it is open. */
  exit: Exit.Exit<A> | undefined = undefined
  value: A | undefined = undefined
  /** Of the attempt that runs, or of the connection. */
  scope: Scope.Closeable | undefined = undefined
  expiresAtMillis = Number.POSITIVE_INFINITY
  /** When it was opened or came back. */
  idleSinceMillis = 0
  /** Neighbours among the idle ones; only `PoolIdle` writes them. */
  newer: PoolConnection<A> | undefined = undefined
  older: PoolConnection<A> | undefined = undefined
  /** It closes so that another pool may open one. */
  makesRoom = false

  private readonly counts: Array<number>

  /** Counts as opening from here on. */
  constructor(counts: Array<number>) {
    this.counts = counts
    counts[opening]!++
  }

  opened(value: A): void {
    this.value = value
    this.exit = Exit.succeed(value)
  }

  move(input: number): void {
    const next = steps[this.state * inputs.length + input]!
    if (next === misuse) throw new Error(`a connection that is ${states[this.state]} was told to ${inputs[input]}`)
    const counts = this.counts
    counts[this.state]!--
    counts[next]!++
    this.state = next
  }
}
