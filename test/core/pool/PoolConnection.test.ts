import { assert, describe, it } from "@effect/vitest"
import * as PoolConnection from "@sluice/core/pool/PoolConnection"

const numberOf = (input: PoolConnection.Input) => PoolConnection.inputs.indexOf(input)

/** A connection brought to a state by a path of the table. */
const paths: Readonly<Record<PoolConnection.State, ReadonlyArray<PoolConnection.Input>>> = {
  Opening: [],
  Idle: ["Keep"],
  Testing: ["Keep", "Test"],
  Leased: ["Lend"],
  Doomed: ["Lend", "Doom"],
  Closing: ["Keep", "Close"],
  Closed: ["Keep", "Close", "End"]
}

const at = (state: PoolConnection.State) => {
  const counts = PoolConnection.makeCounts()
  const connection = new PoolConnection.PoolConnection<string>(counts)
  for (const input of paths[state]) connection.move(numberOf(input))
  return { connection, counts }
}

describe("PoolConnection", () => {
  for (const state of PoolConnection.states) {
    for (const input of PoolConnection.inputs) {
      const next = PoolConnection.transitions[state][input]
      it(`${state} --${input}--> ${next}`, () => {
        const { connection, counts } = at(state)
        if (next === "Misuse") assert.throws(() => connection.move(numberOf(input)), /was told to/)
        else connection.move(numberOf(input))
        const now = next === "Misuse" ? state : next
        assert.deepStrictEqual(
          counts,
          PoolConnection.states.map((each) => (each === now ? 1 : 0))
        )
      })
    }
  }

  it("Closed is absorbing", () => {
    const targets = new Set<string>(Object.values(PoolConnection.transitions.Closed))
    assert.deepStrictEqual(targets, new Set(["Misuse", "Closed"]))
  })
})
