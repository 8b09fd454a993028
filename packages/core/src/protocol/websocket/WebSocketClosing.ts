/**
 * The closing handshake (RFC 6455 §7) as a table: what may still be sent and
 * received, and until when.
 *
 * The whole of closing has one deadline, from the first Close frame that is
 * sent, or the first sign that the peer will send no more: a peer that neither
 * answers nor ends its stream is given up then.
 *
 * @internal
 * @since 0.1.0
 */

/**
 * - `Open`: messages go both ways.
 * - `CloseSent`: no data may be sent; what the peer sent before it saw our
 *   Close frame is still received.
 * - `CloseReceived`: the answer to the peer's Close frame is to be sent; lasts
 *   no longer than a call.
 * - `Ending`: nothing more is said or heard; the transport is to end.
 * - `Closed`: the transport is gone.
 *
 * @category models
 */
export type State = "Open" | "CloseSent" | "CloseReceived" | "Ending" | "Closed"

/** `Fail`: this side closes because of a violation, and hears no more. @category models */
export type Input =
  | "SendData"
  | "SendControl"
  | "SendClose"
  | "ReceiveData"
  | "ReceiveControl"
  | "ReceiveClose"
  | "Fail"
  | "TransportEnd"
  | "TransportClose"
  | "Deadline"

/** `Misuse`: our caller is too late; nothing is sent, and the state stays. @category models */
export type Step = State | "Misuse"

/** @category models */
export class WebSocketClosing {
  state: State = "Open"
  /** When closing must be over, in milliseconds of the caller's clock; `Infinity` while open and when closed. */
  deadlineMillis = Number.POSITIVE_INFINITY
  private readonly closeMillis: number

  constructor(closeMillis: number) {
    this.closeMillis = closeMillis
  }

  /** Whether frames of the peer are still looked at. */
  get isReceiving(): boolean {
    return this.state === "Open" || this.state === "CloseSent"
  }

  /** Whether `input` may come; `false` is our caller's misuse, and changes nothing. */
  step(input: Input, nowMillis: number): boolean {
    const next = transitions[this.state][input]
    if (next === "Misuse") return false
    this.state = next
    if (next === "Closed") this.deadlineMillis = Number.POSITIVE_INFINITY
    else if (next !== "Open" && this.deadlineMillis === Number.POSITIVE_INFINITY) {
      this.deadlineMillis = nowMillis + this.closeMillis
    }
    return true
  }
}

/** Total: every input in every state. @category tables */
export const transitions = {
  Open: {
    SendData: "Open",
    SendControl: "Open",
    SendClose: "CloseSent",
    ReceiveData: "Open",
    ReceiveControl: "Open",
    ReceiveClose: "CloseReceived",
    Fail: "Ending",
    TransportEnd: "Ending",
    TransportClose: "Closed",
    Deadline: "Open"
  },
  CloseSent: {
    // RFC 6455 §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
    SendData: "Misuse",
    // RFC 6455 §5.5.2: a Ping is answered "unless it already received a Close frame".
    SendControl: "CloseSent",
    SendClose: "Misuse",
    // In flight before the peer saw our Close frame.
    ReceiveData: "CloseSent",
    ReceiveControl: "CloseSent",
    ReceiveClose: "Ending",
    Fail: "Ending",
    TransportEnd: "Ending",
    TransportClose: "Closed",
    Deadline: "Ending"
  },
  CloseReceived: {
    SendData: "Misuse",
    SendControl: "Misuse",
    SendClose: "Ending",
    // RFC 6455 §1.4: after a Close frame the peer "discards any further data received".
    ReceiveData: "CloseReceived",
    ReceiveControl: "CloseReceived",
    ReceiveClose: "CloseReceived",
    Fail: "Ending",
    TransportEnd: "Ending",
    TransportClose: "Closed",
    Deadline: "Ending"
  },
  Ending: {
    SendData: "Misuse",
    SendControl: "Misuse",
    SendClose: "Misuse",
    // RFC 6455 §7.1.7: after failing, an endpoint does not "process data (including a responding Close frame)".
    ReceiveData: "Ending",
    ReceiveControl: "Ending",
    ReceiveClose: "Ending",
    Fail: "Ending",
    TransportEnd: "Ending",
    TransportClose: "Closed",
    Deadline: "Ending"
  },
  Closed: {
    SendData: "Misuse",
    SendControl: "Misuse",
    SendClose: "Misuse",
    ReceiveData: "Closed",
    ReceiveControl: "Closed",
    ReceiveClose: "Closed",
    Fail: "Closed",
    TransportEnd: "Closed",
    TransportClose: "Closed",
    Deadline: "Closed"
  }
} as const satisfies Record<State, Record<Input, Step>>
