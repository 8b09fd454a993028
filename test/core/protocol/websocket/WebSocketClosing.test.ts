import { assert, describe, it } from "@effect/vitest"
import { type Input, type State, transitions, WebSocketClosing } from "@sluice/core/protocol/websocket/WebSocketClosing"

const states = Object.keys(transitions) as ReadonlyArray<State>
const inputs = Object.keys(transitions.Open) as ReadonlyArray<Input>

const path = (...steps: ReadonlyArray<Input>): ReadonlyArray<string> => {
  const closing = new WebSocketClosing(5_000)
  return steps.map((input) => (closing.step(input, 0) ? closing.state : "Misuse"))
}

describe("paths", () => {
  const paths: ReadonlyArray<readonly [rule: string, steps: ReadonlyArray<Input>, states: ReadonlyArray<string>]> = [
    [
      "RFC 6455 §7.1.2: this side begins",
      ["SendData", "SendClose", "ReceiveData", "ReceiveClose", "TransportEnd", "TransportClose"],
      ["Open", "CloseSent", "CloseSent", "Ending", "Ending", "Closed"]
    ],
    [
      "RFC 6455 §7.1.2: the peer begins",
      ["ReceiveClose", "SendClose", "TransportEnd", "TransportClose"],
      ["CloseReceived", "Ending", "Ending", "Closed"]
    ],
    ["RFC 6455 §5.5.1: no data behind a Close frame", ["SendClose", "SendData"], ["CloseSent", "Misuse"]],
    ["RFC 6455 §5.5.2: a Pong behind our Close frame", ["SendClose", "SendControl"], ["CloseSent", "CloseSent"]],
    ["RFC 6455 §5.5.2: no Pong behind the peer's", ["ReceiveClose", "SendControl"], ["CloseReceived", "Misuse"]],
    ["one Close frame is enough", ["SendClose", "SendClose"], ["CloseSent", "Misuse"]],
    ["RFC 6455 §7.1.7: a violation", ["Fail", "ReceiveClose", "TransportClose"], ["Ending", "Ending", "Closed"]],
    ["RFC 6455 §7.1.5: the peer ends without a Close frame", ["TransportEnd", "SendClose"], ["Ending", "Misuse"]],
    ["no answer in time", ["SendClose", "Deadline", "SendData"], ["CloseSent", "Ending", "Misuse"]]
  ]
  for (const [rule, steps, expected] of paths) it(rule, () => assert.deepStrictEqual(path(...steps), expected))
})

it("the whole table", () => {
  const lines = states.map((state) => `${state}: ${inputs.map((input) => transitions[state][input]).join(" ")}`)
  assert.deepStrictEqual(
    [inputs.join(" "), ...lines],
    [
      "SendData SendControl SendClose ReceiveData ReceiveControl ReceiveClose Fail TransportEnd TransportClose Deadline",
      "Open: Open Open CloseSent Open Open CloseReceived Ending Ending Closed Open",
      "CloseSent: Misuse CloseSent Misuse CloseSent CloseSent Ending Ending Ending Closed Ending",
      "CloseReceived: Misuse Misuse Ending CloseReceived CloseReceived CloseReceived Ending Ending Closed Ending",
      "Ending: Misuse Misuse Misuse Ending Ending Ending Ending Ending Closed Ending",
      "Closed: Misuse Misuse Misuse Closed Closed Closed Closed Closed Closed Closed"
    ]
  )
})

it("Closed is absorbing", () => {
  for (const input of inputs) assert.include(["Closed", "Misuse"], transitions.Closed[input])
})

describe("the deadline", () => {
  it("is set by the first step of closing, and stays", () => {
    const closing = new WebSocketClosing(5_000)
    assert.strictEqual(closing.deadlineMillis, Number.POSITIVE_INFINITY)
    closing.step("SendData", 100)
    assert.strictEqual(closing.deadlineMillis, Number.POSITIVE_INFINITY)
    closing.step("SendClose", 1_000)
    assert.strictEqual(closing.deadlineMillis, 6_000)
    closing.step("ReceiveClose", 3_000)
    closing.step("TransportEnd", 4_000)
    assert.strictEqual(closing.deadlineMillis, 6_000)
  })
  it("is none once the transport is gone", () => {
    const closing = new WebSocketClosing(5_000)
    closing.step("Fail", 0)
    closing.step("TransportClose", 1)
    assert.strictEqual(closing.deadlineMillis, Number.POSITIVE_INFINITY)
  })
})
