/**
 * Where a connection is in its exchange of messages: one request, one
 * response, and the next (RFC 9112 §9.3). The table is total and knows no
 * role: what is an order to one side is an arrival at the other.
 *
 * ```text
 *  Idle ─▶ AwaitingHead ─▶ RequestBody ─────▶ AwaitingResponse ─▶ ResponseBody ─▶ Complete ─▶ Idle
 *                              │  early answer                        ▲              ▲
 *                              ├────────────▶ BothBodies ─────────────┤              │
 *                              └────────────────▶ RequestRest ───────────────────────┘
 * ```
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export type State =
  /** No request has begun. */
  | "Idle"
  /** A part of a request's head has come. */
  | "AwaitingHead"
  /** The head is there, the request goes on, and no final response has begun. */
  | "RequestBody"
  /** The request is complete, and no final response has begun. */
  | "AwaitingResponse"
  /** The response began before the request was complete. */
  | "BothBodies"
  /** The request is complete, and the response goes on. */
  | "ResponseBody"
  /** The response is complete, and the request is not. */
  | "RequestRest"
  /** Both are complete: on to the next exchange, or to the end. */
  | "Complete"
  /** The bytes are no longer HTTP. */
  | "Upgraded"
  /** Nothing more is said; what comes is dropped. */
  | "Closed"

/** @category models */
export type Input =
  /** The first byte of a request. */
  | "BeginRequest"
  /** A request's head, with a body to follow; or without. */
  | "RequestHead"
  | "WholeRequest"
  /** The end of a request's body. */
  | "EndRequest"
  /** A 1xx response other than 101. */
  | "Interim"
  /** A final response's head, with a body to follow; or without. */
  | "ResponseHead"
  | "WholeResponse"
  /** The end of a response's body. */
  | "EndResponse"
  /** 101, or a 2xx to CONNECT. */
  | "Upgrade"
  /** On to the next exchange. */
  | "Reuse"
  | "Close"

/** A state, or who broke the order. @category models */
export type Step = State | "RequesterFault" | "ResponderFault"

/** @category tables */
export const transitions = {
  Idle: {
    BeginRequest: "AwaitingHead",
    RequestHead: "RequestBody",
    WholeRequest: "AwaitingResponse",
    EndRequest: "RequesterFault",
    Interim: "ResponderFault",
    // RFC 9112 §9.2: "a response without a request" ends the connection.
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "ResponderFault",
    Upgrade: "ResponderFault",
    Reuse: "Idle",
    Close: "Closed"
  },
  AwaitingHead: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequestBody",
    WholeRequest: "AwaitingResponse",
    EndRequest: "RequesterFault",
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "ResponderFault",
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  RequestBody: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "AwaitingResponse",
    Interim: "RequestBody",
    ResponseHead: "BothBodies",
    WholeResponse: "RequestRest",
    EndResponse: "ResponderFault",
    // RFC 9110 §7.8: the request is received in full before the protocol changes.
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  AwaitingResponse: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "RequesterFault",
    Interim: "AwaitingResponse",
    ResponseHead: "ResponseBody",
    WholeResponse: "Complete",
    EndResponse: "ResponderFault",
    Upgrade: "Upgraded",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  BothBodies: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "ResponseBody",
    // RFC 9110 §15.2: interim responses come "prior to" the final one.
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "RequestRest",
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  ResponseBody: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "RequesterFault",
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "Complete",
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  RequestRest: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "Complete",
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "ResponderFault",
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  Complete: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "RequesterFault",
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "ResponderFault",
    Upgrade: "ResponderFault",
    Reuse: "Idle",
    Close: "Closed"
  },
  Upgraded: {
    BeginRequest: "RequesterFault",
    RequestHead: "RequesterFault",
    WholeRequest: "RequesterFault",
    EndRequest: "RequesterFault",
    Interim: "ResponderFault",
    ResponseHead: "ResponderFault",
    WholeResponse: "ResponderFault",
    EndResponse: "ResponderFault",
    Upgrade: "ResponderFault",
    Reuse: "RequesterFault",
    Close: "Closed"
  },
  Closed: {
    BeginRequest: "Closed",
    RequestHead: "Closed",
    WholeRequest: "Closed",
    EndRequest: "Closed",
    Interim: "Closed",
    ResponseHead: "Closed",
    WholeResponse: "Closed",
    EndResponse: "Closed",
    Upgrade: "Closed",
    Reuse: "Closed",
    Close: "Closed"
  }
} as const satisfies Record<State, Record<Input, Step>>

/** Whether a step is a state, and not someone's fault. @category transitions */
export const isState = (step: Step): step is State => step !== "RequesterFault" && step !== "ResponderFault"

/** What `input` does in `state`. @category transitions */
export const step = (state: State, input: Input): Step => transitions[state][input]

/**
 * A row of the table, linked to those that it leads to; `undefined` where a
 * step is a fault. An engine goes from place to place without a search in the
 * table (hot path: `bench/` rows "http1").
 *
 * @category models
 */
export interface Place extends Readonly<Record<Input, Place | undefined>> {
  readonly state: State
}

/** The place of a state. @category transitions */
export const placeOf = (state: State): Place => places.get(state)!

const link = (): ReadonlyMap<State, Place> => {
  const states = Object.keys(transitions) as ReadonlyArray<State>
  const inputs = Object.keys(transitions.Idle) as ReadonlyArray<Input>
  // All rows have the same fields in the same order: one shape.
  const rows = new Map(states.map((state) => [state, { state } as { state: State } & Record<Input, Place | undefined>]))
  for (const input of inputs) {
    for (const [state, row] of rows) {
      const next = step(state, input)
      row[input] = isState(next) ? rows.get(next) : undefined
    }
  }
  return rows
}

const places = /*#__PURE__*/ link()
