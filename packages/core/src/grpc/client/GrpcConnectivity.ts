/**
 * What a connection to a server, and a channel of several, can be: the states
 * of gRPC's connectivity semantics, and how they follow on each other.
 *
 * ```text
 *           Connect              Connected
 *   Idle ────────────▶ Connecting ────────▶ Ready
 *    ▲                 │  ▲                   │
 *    │          Failed ▼  │ Connect           │
 *    │        TransientFailure                │
 *    └────────────────────────────────────────┘ Lost
 * ```
 *
 * @since 0.1.0
 */

/** @category models */
export type State = "Idle" | "Connecting" | "Ready" | "TransientFailure" | "Shutdown"

/**
 * `Connected`: the server's SETTINGS have come. `Failed`: the attempt did not
 * lead there. `Lost`: a connection that was there takes no more calls, or is
 * gone. `Close`: nobody wants it any more.
 *
 * @category models
 */
export type Input = "Connect" | "Connected" | "Failed" | "Lost" | "Close"

/** @category models */
export type Step = State | "Misuse"

/** gRPC connectivity-semantics: every state with every input. @category tables */
export const transitions = {
  Idle: {
    Connect: "Connecting",
    Connected: "Misuse",
    Failed: "Misuse",
    Lost: "Misuse",
    Close: "Shutdown"
  },
  Connecting: {
    Connect: "Connecting", // under way already
    Connected: "Ready",
    Failed: "TransientFailure",
    Lost: "Misuse", // what was never there is not lost: `Failed`
    Close: "Shutdown"
  },
  Ready: {
    Connect: "Ready", // a further connection, or one in place of one that goes away
    Connected: "Ready",
    Failed: "Ready", // that of a further connection: those that are there stay
    Lost: "Idle",
    Close: "Shutdown"
  },
  TransientFailure: {
    Connect: "Connecting", // the time of the backoff is over
    Connected: "Misuse",
    Failed: "Misuse",
    Lost: "Misuse",
    Close: "Shutdown"
  },
  Shutdown: {
    Connect: "Shutdown",
    Connected: "Shutdown", // an attempt that is being given up
    Failed: "Shutdown",
    Lost: "Shutdown",
    Close: "Shutdown"
  }
} as const satisfies Record<State, Record<Input, Step>>

/** The next state. Misuse is a defect: only this library steps. @category transitions */
export const step = (state: State, input: Input): State => {
  const next: Step = transitions[state][input]
  if (next === "Misuse") throw new Error(`${input} while ${state}`)
  return next
}
