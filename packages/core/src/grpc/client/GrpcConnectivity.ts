/**
 * What a server's connections, and a channel to several servers, can be: the
 * states of gRPC's connectivity semantics, and how they follow on each other.
 *
 * ```text
 *          Connect            Connected
 *   Idle ───────────▶ Connecting ──────▶ Ready
 *    ▲ ▲                  │ Failed         │
 *    │ │  Rested          ▼                │
 *    │ └──────── TransientFailure          │
 *    └─────────────────────────────────────┘ Lost
 * ```
 *
 * @since 0.1.0
 */

/** @category models */
export type State = "Idle" | "Connecting" | "Ready" | "TransientFailure" | "Shutdown"

/**
 * `Connected`: the server's SETTINGS have come. `Failed`: an attempt did not
 * lead there. `Rested`: the time between two attempts is over. `GiveUp`: the
 * attempt is not wanted any more. `Lost`: the last connection takes no more
 * calls. `Close`: the server is not wanted any more.
 *
 * @category models
 */
export type Input = "Connect" | "Connected" | "Failed" | "Rested" | "GiveUp" | "Lost" | "Close"

/** @category models */
export type Step = State | "Misuse"

/** The states of one server, total. @category tables */
export const transitions = {
  Idle: {
    Connect: "Connecting",
    Connected: "Misuse", // without an attempt
    Failed: "Misuse",
    Rested: "Idle",
    GiveUp: "Idle",
    Lost: "Misuse", // there was none
    Close: "Shutdown"
  },
  Connecting: {
    Connect: "Misuse", // one attempt at a time
    Connected: "Ready",
    Failed: "TransientFailure",
    Rested: "Misuse",
    GiveUp: "Idle",
    Lost: "Misuse", // what was never there has failed
    Close: "Shutdown"
  },
  Ready: {
    Connect: "Ready", // a further connection
    Connected: "Ready",
    Failed: "Ready", // that of a further one: those that are there stay
    Rested: "Ready",
    GiveUp: "Ready",
    Lost: "Idle",
    Close: "Shutdown"
  },
  TransientFailure: {
    Connect: "Misuse", // not before it has rested
    Connected: "Misuse",
    Failed: "Misuse",
    Rested: "Idle",
    GiveUp: "TransientFailure",
    Lost: "Misuse",
    Close: "Shutdown"
  },
  Shutdown: {
    Connect: "Shutdown",
    Connected: "Shutdown", // an attempt that is being given up
    Failed: "Shutdown",
    Rested: "Shutdown",
    GiveUp: "Shutdown",
    Lost: "Shutdown",
    Close: "Shutdown"
  }
} as const satisfies Record<State, Record<Input, Step>>

/** The next state. Misuse is a defect of this library. @category transitions */
export const step = (state: State, input: Input): State => {
  const next: Step = transitions[state][input]
  if (next === "Misuse") throw new Error(`${input} while ${state}`)
  return next
}

/**
 * The state of all servers together: the best of them, in the order Ready,
 * Connecting, Idle, TransientFailure. `undefined` without any.
 *
 * @category combining
 */
export const best = (states: Iterable<State>): State | undefined => {
  let found: State | undefined
  for (const state of states) if (found === undefined || ranks[state] < ranks[found]) found = state
  return found
}

const ranks = { Ready: 0, Connecting: 1, Idle: 2, TransientFailure: 3, Shutdown: 4 } as const satisfies Record<
  State,
  number
>
