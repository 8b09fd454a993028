import { assert, describe, it } from "@effect/vitest"
import * as StreamState from "@sluice/core/protocol/http2/Http2StreamState"

const states = Object.keys(StreamState.transitions) as ReadonlyArray<StreamState.State>
const inputs = Object.keys(StreamState.transitions.Idle) as ReadonlyArray<StreamState.Input>

const numberOf = (name: StreamState.State | StreamState.Input): number =>
  Math.max(
    StreamState.stepNames.indexOf(name as StreamState.State),
    StreamState.inputNames.indexOf(name as StreamState.Input)
  )

const nameOfStep = (state: StreamState.State, input: StreamState.Input): StreamState.Step | undefined =>
  StreamState.stepNames[StreamState.step(numberOf(state), numberOf(input))]

/** Where a path of inputs leads from Idle; what is no state ends it. */
const walk = (path: string): StreamState.Step | undefined =>
  StreamState.stepNames[
    path
      .split(" ")
      .reduce<number>(
        (at, input) => (StreamState.isState(at) ? StreamState.step(at, numberOf(input as StreamState.Input)) : at),
        StreamState.Idle
      )
  ]

describe("RFC 9113 §5.1: paths by name", () => {
  const paths: ReadonlyArray<readonly [name: string, path: string, end: StreamState.Step]> = [
    ["a request without a body, served", "ReceiveHeaders ReceiveEnd SendHeaders SendData SendEnd", "Closed"],
    ["the same, as its client sees it", "SendHeaders SendEnd ReceiveHeaders ReceiveData ReceiveEnd", "Closed"],
    ["bodies both ways", "ReceiveHeaders SendHeaders ReceiveData SendData ReceiveEnd SendData SendEnd", "Closed"],
    ["an early answer", "ReceiveHeaders ReceiveData SendHeaders SendEnd ReceiveData ReceiveEnd", "Closed"],
    ["an early answer, and no interest in the rest", "ReceiveHeaders SendHeaders SendEnd SendReset", "ResetSent"],
    ["trailers", "SendHeaders SendData SendHeaders SendEnd ReceiveHeaders ReceiveHeaders ReceiveEnd", "Closed"],
    ["a request that is cancelled", "ReceiveHeaders ReceiveEnd SendHeaders ReceiveReset", "ResetReceived"],
    ["a request that is refused", "ReceiveHeaders ReceiveEnd SendReset", "ResetSent"],
    ["DATA on an idle stream", "ReceiveData", "ConnectionProtocolError"],
    ["WINDOW_UPDATE on an idle stream", "ReceiveWindowUpdate", "ConnectionProtocolError"],
    ["§6.4: RST_STREAM on an idle stream", "ReceiveReset", "ConnectionProtocolError"],
    ["§6.4: no RST_STREAM is sent for an idle stream", "SendReset", "Misuse"],
    ["DATA behind END_STREAM", "ReceiveHeaders ReceiveEnd ReceiveData", "StreamClosed"],
    ["HEADERS behind END_STREAM", "ReceiveHeaders ReceiveEnd ReceiveHeaders", "StreamClosed"],
    ["WINDOW_UPDATE behind END_STREAM", "ReceiveHeaders ReceiveEnd ReceiveWindowUpdate", "HalfClosedRemote"],
    ["RST_STREAM behind END_STREAM", "ReceiveHeaders ReceiveEnd ReceiveReset", "ResetReceived"],
    [
      "DATA when both have ended",
      "ReceiveHeaders ReceiveEnd SendHeaders SendEnd ReceiveData",
      "ConnectionStreamClosed"
    ],
    [
      "WINDOW_UPDATE when both have ended",
      "ReceiveHeaders ReceiveEnd SendHeaders SendEnd ReceiveWindowUpdate",
      "Ignored"
    ],
    ["RST_STREAM when both have ended", "ReceiveHeaders ReceiveEnd SendHeaders SendEnd ReceiveReset", "Ignored"],
    ["DATA that was in flight when this side gave up", "ReceiveHeaders SendReset ReceiveData", "Ignored"],
    ["DATA behind the peer's RST_STREAM", "ReceiveHeaders ReceiveReset ReceiveData", "StreamClosed"],
    ["§5.4.2: a second RST_STREAM is not answered", "ReceiveHeaders ReceiveReset ReceiveReset", "Ignored"],
    ["§5.4.2: RST_STREAM is sent once", "ReceiveHeaders SendReset SendReset", "Misuse"],
    ["DATA is not sent behind our END_STREAM", "SendHeaders SendEnd SendData", "Misuse"],
    ["DATA is not sent before HEADERS", "SendData", "Misuse"]
  ]
  for (const [name, path, end] of paths) it(name, () => assert.strictEqual(walk(path), end))
})

it("RFC 9113 §5.1: the whole table", () => {
  const short: Readonly<Record<string, string>> = {
    Misuse: "-",
    Ignored: ".",
    StreamClosed: "s",
    ConnectionStreamClosed: "S!",
    ConnectionProtocolError: "P!"
  }
  const rows = states.map((state) => {
    const row = inputs.map((input) => nameOfStep(state, input)!)
    return `${state}: ${row.map((next) => (next === state ? "=" : (short[next] ?? next))).join(" ")}`
  })
  assert.deepStrictEqual(inputs, [
    ...["SendHeaders", "SendData", "SendEnd", "SendReset"],
    ...["ReceiveHeaders", "ReceiveData", "ReceiveEnd", "ReceiveReset", "ReceiveWindowUpdate"]
  ] as ReadonlyArray<StreamState.Input>)
  assert.deepStrictEqual(rows, [
    "Idle: Open - - - Open P! P! P! P!",
    "Open: = = HalfClosedLocal ResetSent = = HalfClosedRemote ResetReceived =",
    "HalfClosedLocal: - - - ResetSent = = Closed ResetReceived =",
    "HalfClosedRemote: = = Closed ResetSent s s s ResetReceived =",
    "Closed: - - - - S! S! S! . .",
    "ResetSent: - - - - . . . . .",
    "ResetReceived: - - - - s s s . ."
  ])
})

it("RFC 9113 §5.1: closed states are absorbing", () => {
  for (const state of ["Closed", "ResetSent", "ResetReceived"] as const) {
    for (const input of inputs) assert.isFalse(StreamState.isState(StreamState.step(numberOf(state), numberOf(input))))
  }
})

it("numbers have the names of the table, and look-ups are what it says", () => {
  const { HalfClosedLocal, HalfClosedRemote, Idle, Open } = StreamState
  const { Closed, ResetReceived, ResetSent } = StreamState
  const { ConnectionProtocolError, ConnectionStreamClosed, Ignored, Misuse, StreamClosed } = StreamState
  const { SendData, SendEnd, SendHeaders, SendReset } = StreamState
  const { ReceiveData, ReceiveEnd, ReceiveHeaders, ReceiveReset, ReceiveWindowUpdate } = StreamState
  const steps = {
    ...{ Idle, Open, HalfClosedLocal, HalfClosedRemote, Closed, ResetSent, ResetReceived },
    ...{ Misuse, Ignored, StreamClosed, ConnectionStreamClosed, ConnectionProtocolError }
  }
  const numbers = {
    ...{ SendHeaders, SendData, SendEnd, SendReset },
    ...{ ReceiveHeaders, ReceiveData, ReceiveEnd, ReceiveReset, ReceiveWindowUpdate }
  }
  assert.deepStrictEqual<ReadonlyArray<string>>(StreamState.stepNames, Object.keys(steps))
  assert.deepStrictEqual(Object.values(steps), [...StreamState.stepNames.keys()])
  assert.deepStrictEqual<ReadonlyArray<string>>(StreamState.inputNames, Object.keys(numbers))
  assert.deepStrictEqual(Object.values(numbers), [...StreamState.inputNames.keys()])
  assert.deepStrictEqual<ReadonlyArray<string>>(StreamState.stepNames.slice(0, StreamState.Misuse), states)
  assert.deepStrictEqual(StreamState.inputNames, inputs)
  for (const state of states) {
    for (const input of inputs) assert.strictEqual(nameOfStep(state, input), StreamState.transitions[state][input])
  }
})

it("who may still send is what the table lets pass", () => {
  for (const state of states.slice(1)) {
    const isPassed = (input: StreamState.Input) =>
      StreamState.isState(StreamState.step(numberOf(state), numberOf(input)))
    assert.strictEqual(StreamState.canSend(numberOf(state)), isPassed("SendData"), state)
    assert.strictEqual(StreamState.canReceive(numberOf(state)), isPassed("ReceiveData"), state)
    assert.strictEqual(StreamState.isOver(numberOf(state)), !isPassed("SendReset"), state)
  }
  for (const ask of [StreamState.canSend, StreamState.canReceive, StreamState.isOver]) {
    assert.isFalse(ask(StreamState.Idle))
  }
})
