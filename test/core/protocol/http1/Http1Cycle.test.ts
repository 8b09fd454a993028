import { assert, describe, it } from "@effect/vitest"
import {
  type Input,
  isState,
  placeOf,
  type State,
  type Step,
  step,
  transitions
} from "@sluice/core/protocol/http1/Http1Cycle"

const states = Object.keys(transitions) as ReadonlyArray<State>
const inputs = Object.keys(transitions.Idle) as ReadonlyArray<Input>

/** Where a path of inputs leads from Idle. */
const walk = (path: string): Step =>
  path.split(" ").reduce<Step>((at, input) => (isState(at) ? step(at, input as Input) : at), "Idle")

describe("paths by name", () => {
  const paths: ReadonlyArray<readonly [name: string, path: string, end: Step]> = [
    ["a request and its answer", "BeginRequest WholeRequest WholeResponse Reuse", "Idle"],
    ["bodies both ways", "RequestHead EndRequest ResponseHead EndResponse Reuse", "Idle"],
    ["an early answer, whole", "RequestHead WholeResponse EndRequest", "Complete"],
    ["an early answer that goes on", "RequestHead ResponseHead EndRequest EndResponse", "Complete"],
    ["an early answer that ends first", "RequestHead ResponseHead EndResponse EndRequest", "Complete"],
    ["interim responses", "WholeRequest Interim Interim WholeResponse", "Complete"],
    ["an upgrade", "WholeRequest Interim Upgrade", "Upgraded"],
    ["RFC 9112 §9.2: a response without a request", "WholeResponse", "ResponderFault"],
    ["two responses", "WholeRequest WholeResponse WholeResponse", "ResponderFault"],
    ["RFC 9110 §15.2: an interim response behind the final one", "WholeRequest ResponseHead Interim", "ResponderFault"],
    ["RFC 9110 §7.8: an upgrade within a request", "RequestHead Upgrade", "ResponderFault"],
    ["a second request too early", "WholeRequest WholeRequest", "RequesterFault"]
  ]
  for (const [name, path, end] of paths) it(name, () => assert.strictEqual(walk(path), end))
})

it("the whole table", () => {
  const short = { RequesterFault: "-", ResponderFault: "!" } as Readonly<Record<string, string>>
  const rows = states.map(
    (state) => `${state}: ${inputs.map((input) => short[step(state, input)] ?? step(state, input)).join(" ")}`
  )
  assert.deepStrictEqual(inputs, [
    ...["BeginRequest", "RequestHead", "WholeRequest", "EndRequest", "Interim", "ResponseHead", "WholeResponse"],
    ...["EndResponse", "Upgrade", "Reuse", "Close"]
  ] as ReadonlyArray<Input>)
  assert.deepStrictEqual(rows, [
    "Idle: AwaitingHead RequestBody AwaitingResponse - ! ! ! ! ! Idle Closed",
    "AwaitingHead: - RequestBody AwaitingResponse - ! ! ! ! ! - Closed",
    "RequestBody: - - - AwaitingResponse RequestBody BothBodies RequestRest ! ! - Closed",
    "AwaitingResponse: - - - - AwaitingResponse ResponseBody Complete ! Upgraded - Closed",
    "BothBodies: - - - ResponseBody ! ! ! RequestRest ! - Closed",
    "ResponseBody: - - - - ! ! ! Complete ! - Closed",
    "RequestRest: - - - Complete ! ! ! ! ! - Closed",
    "Complete: - - - - ! ! ! ! ! Idle Closed",
    "Upgraded: - - - - ! ! ! ! ! - Closed",
    "Closed: Closed Closed Closed Closed Closed Closed Closed Closed Closed Closed Closed"
  ])
})

it("Closed is absorbing", () => {
  for (const input of inputs) assert.strictEqual(step("Closed", input), "Closed")
})

it("places are linked as the table says", () => {
  for (const state of states) {
    assert.strictEqual(placeOf(state).state, state)
    for (const input of inputs) {
      const next = step(state, input)
      assert.strictEqual(placeOf(state)[input], isState(next) ? placeOf(next) : undefined)
    }
  }
})
