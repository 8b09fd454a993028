import { assert, describe, it } from "@effect/vitest"
import { PoolLine, type Waiter } from "@sluice/core/pool/PoolLine"

const waiter = (ticket: number): Waiter => ({
  ticket,
  startedMillis: 0,
  before: undefined,
  behind: undefined,
  isInLine: false
})

const drain = (line: PoolLine<Waiter>): ReadonlyArray<number> => {
  const tickets: Array<number> = []
  for (let head = line.shift(); head !== undefined; head = line.shift()) tickets.push(head.ticket)
  assert.strictEqual(line.size, 0)
  return tickets
}

describe("PoolLine", () => {
  it("is ordered by tickets, whenever they join", () => {
    for (const order of [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
      [2, 1, 3]
    ]) {
      const line = new PoolLine<Waiter>()
      for (const ticket of order) line.join(waiter(ticket))
      assert.deepStrictEqual(drain(line), [1, 2, 3])
    }
  })

  it("any of them can leave, once", () => {
    for (const leaving of [1, 2, 3]) {
      const line = new PoolLine<Waiter>()
      const all = [1, 2, 3].map(waiter)
      for (const each of all) line.join(each)
      line.leave(all[leaving - 1]!)
      line.leave(all[leaving - 1]!)
      assert.strictEqual(line.size, 2)
      assert.deepStrictEqual(
        drain(line),
        [1, 2, 3].filter((ticket) => ticket !== leaving)
      )
    }
  })
})
