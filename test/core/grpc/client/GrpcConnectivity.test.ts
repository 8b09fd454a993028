import { assert, describe, it } from "@effect/vitest"
import * as GrpcConnectivity from "@sluice/core/grpc/client/GrpcConnectivity"

type Input = GrpcConnectivity.Input
type State = GrpcConnectivity.State

const inputs: ReadonlyArray<Input> = ["Connect", "Connected", "Failed", "Rested", "GiveUp", "Lost", "Close"]
const states: ReadonlyArray<State> = ["Idle", "Connecting", "Ready", "TransientFailure", "Shutdown"]

const paths: ReadonlyArray<readonly [rule: string, inputs: ReadonlyArray<Input>, ends: State]> = [
  ["a server that is there", ["Connect", "Connected"], "Ready"],
  ["that goes away, and comes back", ["Connect", "Connected", "Lost", "Connect", "Connected"], "Ready"],
  ["that cannot be reached", ["Connect", "Failed"], "TransientFailure"],
  ["that is tried again", ["Connect", "Failed", "Rested", "Connect"], "Connecting"],
  ["an attempt that is given up", ["Connect", "GiveUp"], "Idle"],
  ["a further connection that fails", ["Connect", "Connected", "Connect", "Failed", "Rested"], "Ready"],
  ["one that is not wanted any more", ["Connect", "Close", "Connected"], "Shutdown"]
]

describe("step", () => {
  for (const [rule, path, ends] of paths) {
    it(rule, () => assert.strictEqual(path.reduce(GrpcConnectivity.step, "Idle" as State), ends))
  }

  it("Shutdown is absorbing, and everything leads there", () => {
    for (const input of inputs) assert.strictEqual(GrpcConnectivity.step("Shutdown", input), "Shutdown")
    for (const state of states) assert.strictEqual(GrpcConnectivity.step(state, "Close"), "Shutdown")
  })

  it("misuse is a defect", () => {
    assert.throws(() => GrpcConnectivity.step("Idle", "Connected"), /Connected while Idle/)
  })

  it("the whole table", () => {
    const table = states.map(
      (state) => `${state}: ${inputs.map((input) => GrpcConnectivity.transitions[state][input]).join(" ")}`
    )
    assert.deepStrictEqual(table, [
      "Idle: Connecting Misuse Misuse Idle Idle Misuse Shutdown",
      "Connecting: Misuse Ready TransientFailure Misuse Idle Misuse Shutdown",
      "Ready: Ready Ready Ready Ready Ready Idle Shutdown",
      "TransientFailure: Misuse Misuse Misuse Idle TransientFailure Misuse Shutdown",
      "Shutdown: Shutdown Shutdown Shutdown Shutdown Shutdown Shutdown Shutdown"
    ])
  })
})

describe("best", () => {
  const cases: ReadonlyArray<readonly [states: ReadonlyArray<State>, best: State | undefined]> = [
    [[], undefined],
    [["TransientFailure", "Ready", "Connecting"], "Ready"],
    [["TransientFailure", "Idle", "Connecting"], "Connecting"],
    [["TransientFailure", "Idle"], "Idle"],
    [["TransientFailure", "TransientFailure"], "TransientFailure"]
  ]
  for (const [all, best] of cases) {
    it(`of ${all.join(", ")} it is ${best}`, () => assert.strictEqual(GrpcConnectivity.best(all), best))
  }
})
