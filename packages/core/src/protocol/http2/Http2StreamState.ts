/**
 * The life of a stream (RFC 9113 §5.1) as a table: what every frame, sent or
 * received, does in every state.
 *
 * ```text
 *            HEADERS          END_STREAM of one side         of the other
 *   Idle ──────────────▶ Open ──────────────────▶ HalfClosed… ──────────▶ Closed
 *                          └───── RST_STREAM ─────────┴──▶ ResetSent, ResetReceived
 * ```
 *
 * The table knows no role: what one side sends is what the other receives.
 * END_STREAM is an input of its own, behind the frame that carries it. No state
 * is reserved, since nobody pushes here: PUSH_PROMISE is refused before it
 * comes to a stream. PRIORITY may come in any state, and changes none.
 *
 * "Closed" of the RFC is three states here, as different things may still come:
 * behind our RST_STREAM whatever was in flight, behind the peer's nothing, and
 * behind two END_STREAM what the RFC lets pass. Which frames belong to a stream
 * that is forgotten, or to one that was skipped, the connection knows.
 *
 * Hot path (each frame goes through it: `bench/` rows "http2"): states, inputs
 * and steps are small integers, and a step is one look-up. The table in words is
 * {@link transitions}.
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export type State =
  /** Nothing was sent or received. */
  | "Idle"
  | "Open"
  /** This side has ended, the peer has not. */
  | "HalfClosedLocal"
  /** The peer has ended, this side has not. */
  | "HalfClosedRemote"
  /** Both sides have ended. */
  | "Closed"
  /** This side has given up; what was in flight is dropped. */
  | "ResetSent"
  /** The peer has given up. */
  | "ResetReceived"

/** @category models */
export type Input =
  | "SendHeaders"
  | "SendData"
  /** END_STREAM, behind its HEADERS or DATA. */
  | "SendEnd"
  | "SendReset"
  | "ReceiveHeaders"
  | "ReceiveData"
  /** END_STREAM, behind its HEADERS or DATA. */
  | "ReceiveEnd"
  | "ReceiveReset"
  | "ReceiveWindowUpdate"

/**
 * A state, or what else there is to do; the state stays then.
 *
 * @category models
 */
export type Step =
  | State
  /** Our caller is too late or too early: nothing is sent. */
  | "Misuse"
  /** The frame has no effect on the stream. It still counts for the connection: HPACK, windows, budgets. */
  | "Ignored"
  /** A stream error STREAM_CLOSED. */
  | "StreamClosed"
  /** A connection error STREAM_CLOSED. */
  | "ConnectionStreamClosed"
  /** A connection error PROTOCOL_ERROR. */
  | "ConnectionProtocolError"

/** Total: every input in every state. @category tables */
export const transitions = {
  Idle: {
    SendHeaders: "Open",
    SendData: "Misuse",
    SendEnd: "Misuse",
    // RFC 9113 §6.4: "RST_STREAM frames MUST NOT be sent for a stream in the 'idle' state."
    SendReset: "Misuse",
    ReceiveHeaders: "Open",
    ReceiveData: "ConnectionProtocolError",
    ReceiveEnd: "ConnectionProtocolError",
    ReceiveReset: "ConnectionProtocolError",
    ReceiveWindowUpdate: "ConnectionProtocolError"
  },
  Open: {
    SendHeaders: "Open",
    SendData: "Open",
    SendEnd: "HalfClosedLocal",
    SendReset: "ResetSent",
    ReceiveHeaders: "Open",
    ReceiveData: "Open",
    ReceiveEnd: "HalfClosedRemote",
    ReceiveReset: "ResetReceived",
    ReceiveWindowUpdate: "Open"
  },
  HalfClosedLocal: {
    SendHeaders: "Misuse",
    SendData: "Misuse",
    SendEnd: "Misuse",
    SendReset: "ResetSent",
    ReceiveHeaders: "HalfClosedLocal",
    ReceiveData: "HalfClosedLocal",
    ReceiveEnd: "Closed",
    ReceiveReset: "ResetReceived",
    // In flight before the peer saw our END_STREAM.
    ReceiveWindowUpdate: "HalfClosedLocal"
  },
  HalfClosedRemote: {
    SendHeaders: "HalfClosedRemote",
    SendData: "HalfClosedRemote",
    SendEnd: "Closed",
    SendReset: "ResetSent",
    ReceiveHeaders: "StreamClosed",
    ReceiveData: "StreamClosed",
    ReceiveEnd: "StreamClosed",
    ReceiveReset: "ResetReceived",
    ReceiveWindowUpdate: "HalfClosedRemote"
  },
  Closed: {
    SendHeaders: "Misuse",
    SendData: "Misuse",
    SendEnd: "Misuse",
    SendReset: "Misuse",
    ReceiveHeaders: "ConnectionStreamClosed",
    ReceiveData: "ConnectionStreamClosed",
    ReceiveEnd: "ConnectionStreamClosed",
    // In flight before the peer saw our END_STREAM.
    ReceiveReset: "Ignored",
    ReceiveWindowUpdate: "Ignored"
  },
  ResetSent: {
    SendHeaders: "Misuse",
    SendData: "Misuse",
    SendEnd: "Misuse",
    SendReset: "Misuse",
    ReceiveHeaders: "Ignored",
    ReceiveData: "Ignored",
    ReceiveEnd: "Ignored",
    ReceiveReset: "Ignored",
    ReceiveWindowUpdate: "Ignored"
  },
  ResetReceived: {
    SendHeaders: "Misuse",
    SendData: "Misuse",
    SendEnd: "Misuse",
    SendReset: "Misuse",
    ReceiveHeaders: "StreamClosed",
    ReceiveData: "StreamClosed",
    ReceiveEnd: "StreamClosed",
    // RFC 9113 §5.4.2: no RST_STREAM "in response to a RST_STREAM frame".
    ReceiveReset: "Ignored",
    ReceiveWindowUpdate: "Ignored"
  }
} as const satisfies Record<State, Record<Input, Step>>

/** @category states */
export const Idle = 0
/** @category states */
export const Open = 1
/** @category states */
export const HalfClosedLocal = 2
/** @category states */
export const HalfClosedRemote = 3
/** @category states */
export const Closed = 4
/** @category states */
export const ResetSent = 5
/** @category states */
export const ResetReceived = 6

/** @category steps */
export const Misuse = 7
/** @category steps */
export const Ignored = 8
/** @category steps */
export const StreamClosed = 9
/** @category steps */
export const ConnectionStreamClosed = 10
/** @category steps */
export const ConnectionProtocolError = 11

/** @category inputs */
export const SendHeaders = 0
/** @category inputs */
export const SendData = 1
/** @category inputs */
export const SendEnd = 2
/** @category inputs */
export const SendReset = 3
/** @category inputs */
export const ReceiveHeaders = 4
/** @category inputs */
export const ReceiveData = 5
/** @category inputs */
export const ReceiveEnd = 6
/** @category inputs */
export const ReceiveReset = 7
/** @category inputs */
export const ReceiveWindowUpdate = 8

/** The names of steps by their numbers; those below {@link Misuse} are states. @category tables */
export const stepNames: ReadonlyArray<Step> = [
  "Idle",
  "Open",
  "HalfClosedLocal",
  "HalfClosedRemote",
  "Closed",
  "ResetSent",
  "ResetReceived",
  "Misuse",
  "Ignored",
  "StreamClosed",
  "ConnectionStreamClosed",
  "ConnectionProtocolError"
]

/** The names of inputs by their numbers. @category tables */
export const inputNames: ReadonlyArray<Input> = [
  "SendHeaders",
  "SendData",
  "SendEnd",
  "SendReset",
  "ReceiveHeaders",
  "ReceiveData",
  "ReceiveEnd",
  "ReceiveReset",
  "ReceiveWindowUpdate"
]

/** What `input` does in `state`. @category transitions */
export const step = (state: number, input: number): number => steps[state * rowLength + input]!

/** Whether a step is a state, and nothing else to do. @category transitions */
export const isState = (next: number): boolean => next < Misuse

/** Whether nothing more can be sent, and nothing that is received has an effect. @category transitions */
export const isOver = (state: number): boolean => state >= Closed

/** Whether this side may still send. @category transitions */
export const canSend = (state: number): boolean => state === Open || state === HalfClosedRemote

/** Whether the peer may still send. @category transitions */
export const canReceive = (state: number): boolean => state === Open || state === HalfClosedLocal

// A power of two, so that a row is found by a shift.
const rowLength = 16

const compile = (): Uint8Array => {
  const table = new Uint8Array(Misuse * rowLength)
  for (let state = Idle; state < Misuse; state++) {
    const row = transitions[stepNames[state] as State]
    inputNames.forEach((input, column) => {
      table[state * rowLength + column] = stepNames.indexOf(row[input])
    })
  }
  return table
}

const steps = /*#__PURE__*/ compile()
