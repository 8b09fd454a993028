/**
 * Where a call is between its request and its status, as a table: what may be
 * sent and received when. The table knows no role: what is an order to one side
 * is an arrival at the other.
 *
 * ```text
 *  AwaitingRequest ─▶ Requesting ──────▶ AwaitingResponse ─▶ Responding ─▶ Ended
 *                         │  early answer                        ▲           ▲
 *                         └────────────────▶ BothWays ───────────┘           │
 *                    trailers, or nothing but trailers, from each of them ───┘
 * ```
 *
 * How many messages may go each way is the method's, and is counted beside it.
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcStatus from "./GrpcStatus.ts"
import { OutOfOrder, WrongMessageCount } from "./GrpcViolation.ts"

/** The kinds of methods, in the words of descriptors. @category models */
export type Kind = "unary" | "client_streaming" | "server_streaming" | "bidi_streaming"

/** @category models */
export type State =
  /** Nothing was said. */
  | "AwaitingRequest"
  /** The request has begun, and no response. */
  | "Requesting"
  /** The request is complete, and no response has begun. */
  | "AwaitingResponse"
  /** The response began before the request was complete. */
  | "BothWays"
  /** The request is complete, and the response goes on. */
  | "Responding"
  /** There is a status: what the client still sends is not heard. */
  | "Ended"
  /** Cancelled, too late, or cut off: what is still on its way is not heard. */
  | "Aborted"

/** @category models */
export type Input =
  | "RequestHead"
  | "RequestMessage"
  /** The client sends no more: half-close. */
  | "RequestEnd"
  | "ResponseHead"
  | "ResponseMessage"
  /** The status, behind the response. */
  | "Trailers"
  /** The status in place of a response. */
  | "TrailersOnly"
  /** Either side gives the call up. */
  | "Cancel"
  | "Deadline"
  /** The stream or its connection is gone. */
  | "Lost"

/** A state, or who broke the order; the state stays then. @category models */
export type Step = State | "ClientFault" | "ServerFault"

/** @category models */
export class GrpcCallState {
  state: State = "AwaitingRequest"
  private readonly role: "client" | "server"
  private readonly request: "one" | "many"
  private readonly response: "one" | "many"
  private requestCount = 0
  private responseCount = 0

  /** `role` is this side's. */
  constructor(role: "client" | "server", kind: Kind) {
    this.role = role
    this.request = kind === "unary" || kind === "server_streaming" ? "one" : "many"
    this.response = kind === "unary" || kind === "client_streaming" ? "one" : "many"
  }

  /** Whether nothing more is sent or heard. */
  get isOver(): boolean {
    return this.state === "Ended" || this.state === "Aborted"
  }

  /** Whether the client may still send messages. */
  get isRequesting(): boolean {
    return this.state === "Requesting" || this.state === "BothWays"
  }

  /**
   * Something was received, or is about to be sent. Why it may not, and then
   * nothing changes; or `undefined`. Look at {@link isOver} before: what comes
   * behind the end is no violation, but is not to be heard.
   *
   * `code` is that of trailers: only a call that went well needs its messages.
   */
  step(input: Input, code: GrpcStatus.Code = GrpcStatus.Ok): OutOfOrder | WrongMessageCount | undefined {
    const next = transitions[this.state][input]
    if (next === "ClientFault" || next === "ServerFault") {
      const party = next === "ClientFault" ? "client" : "server"
      return new OutOfOrder(this.faultOf(party), `${input} by the ${party} in the state ${this.state}`)
    }
    const wrong = this.isOver ? undefined : this.count(input, code)
    if (wrong === undefined) this.state = next
    return wrong
  }

  private count(input: Input, code: GrpcStatus.Code): WrongMessageCount | undefined {
    switch (input) {
      case "RequestMessage":
        if (this.request === "one" && this.requestCount > 0) return this.wrongCount("request", "several")
        this.requestCount++
        return undefined
      case "RequestEnd":
        if (this.request === "one" && this.requestCount === 0) return this.wrongCount("request", "none")
        return undefined
      case "ResponseMessage":
        if (this.response === "one" && this.responseCount > 0) return this.wrongCount("response", "several")
        this.responseCount++
        return undefined
      case "Trailers":
      case "TrailersOnly":
        if (this.response === "one" && this.responseCount === 0 && code === GrpcStatus.Ok) {
          return this.wrongCount("response", "none")
        }
        return undefined
      default:
        return undefined
    }
  }

  private wrongCount(direction: "request" | "response", found: "none" | "several"): WrongMessageCount {
    return new WrongMessageCount(this.faultOf(direction === "request" ? "client" : "server"), direction, found)
  }

  private faultOf(party: "client" | "server"): "peer" | "caller" {
    return party === this.role ? "caller" : "peer"
  }
}

/** Total: every input in every state. @category tables */
export const transitions = {
  AwaitingRequest: {
    RequestHead: "Requesting",
    RequestMessage: "ClientFault",
    RequestEnd: "ClientFault",
    ResponseHead: "ServerFault",
    ResponseMessage: "ServerFault",
    Trailers: "ServerFault",
    TrailersOnly: "ServerFault",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  },
  Requesting: {
    RequestHead: "ClientFault",
    RequestMessage: "Requesting",
    RequestEnd: "AwaitingResponse",
    ResponseHead: "BothWays",
    // "Response → (Response-Headers *Length-Prefixed-Message Trailers) / Trailers-Only"
    ResponseMessage: "ServerFault",
    Trailers: "ServerFault",
    TrailersOnly: "Ended",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  },
  AwaitingResponse: {
    RequestHead: "ClientFault",
    RequestMessage: "ClientFault",
    RequestEnd: "ClientFault",
    ResponseHead: "Responding",
    ResponseMessage: "ServerFault",
    Trailers: "ServerFault",
    TrailersOnly: "Ended",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  },
  BothWays: {
    RequestHead: "ClientFault",
    RequestMessage: "BothWays",
    RequestEnd: "Responding",
    ResponseHead: "ServerFault",
    ResponseMessage: "BothWays",
    // Before the request is complete: "Early Server Closure".
    Trailers: "Ended",
    TrailersOnly: "ServerFault",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  },
  Responding: {
    RequestHead: "ClientFault",
    RequestMessage: "ClientFault",
    RequestEnd: "ClientFault",
    ResponseHead: "ServerFault",
    ResponseMessage: "Responding",
    Trailers: "Ended",
    TrailersOnly: "ServerFault",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  },
  Ended: {
    RequestHead: "ClientFault",
    // On its way before the client saw the status.
    RequestMessage: "Ended",
    RequestEnd: "Ended",
    ResponseHead: "ServerFault",
    ResponseMessage: "ServerFault",
    Trailers: "ServerFault",
    TrailersOnly: "ServerFault",
    Cancel: "Ended",
    Deadline: "Ended",
    Lost: "Ended"
  },
  Aborted: {
    RequestHead: "Aborted",
    RequestMessage: "Aborted",
    RequestEnd: "Aborted",
    ResponseHead: "Aborted",
    ResponseMessage: "Aborted",
    Trailers: "Aborted",
    TrailersOnly: "Aborted",
    Cancel: "Aborted",
    Deadline: "Aborted",
    Lost: "Aborted"
  }
} as const satisfies Record<State, Record<Input, Step>>
