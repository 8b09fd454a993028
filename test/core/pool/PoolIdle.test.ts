import { assert, describe, it } from "@effect/vitest"
import * as PoolConnection from "@sluice/core/pool/PoolConnection"
import { type Order, PoolIdle } from "@sluice/core/pool/PoolIdle"

const fill = (order: Order) => {
  const idle = new PoolIdle<number>(order)
  const all = [1, 2, 3].map((value) => {
    const connection = new PoolConnection.PoolConnection<number>(PoolConnection.makeCounts())
    connection.opened(value)
    idle.add(connection)
    return connection
  })
  return { idle, all }
}

const drain = (idle: PoolIdle<number>): ReadonlyArray<number> => {
  const values: Array<number> = []
  for (let next = idle.next; next !== undefined; next = idle.next) {
    idle.remove(next)
    values.push(next.value!)
  }
  return values
}

describe("PoolIdle", () => {
  it("lends in its order", () => {
    assert.deepStrictEqual(drain(fill("newest first").idle), [3, 2, 1])
    assert.deepStrictEqual(drain(fill("oldest first").idle), [1, 2, 3])
  })

  it("any of them can leave", () => {
    for (const leaving of [0, 1, 2]) {
      const { idle, all } = fill("oldest first")
      idle.remove(all[leaving]!)
      assert.deepStrictEqual(
        drain(idle),
        [1, 2, 3].filter((value) => value !== leaving + 1)
      )
      assert.isUndefined(idle.newest)
    }
  })
})
