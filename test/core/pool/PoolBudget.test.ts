import { assert, describe, it } from "@effect/vitest"
import { type Member, PoolBudget } from "@sluice/core/pool/PoolBudget"

/** A pool that opens and closes at once. */
class FakeMember implements Member {
  lackingCount = 0
  waitingSinceMillis = Number.POSITIVE_INFINITY
  idleSinceMillis = Number.POSITIVE_INFINITY
  opened = 0
  made = 0
  private readonly budget: PoolBudget
  constructor(budget: PoolBudget) {
    this.budget = budget
    budget.members.add(this)
  }
  wants(count: number, sinceMillis: number): void {
    this.lackingCount = count
    this.waitingSinceMillis = sinceMillis
    this.openForLine()
  }
  openForLine(): void {
    while (this.lackingCount > 0 && this.budget.take(this)) {
      this.opened++
      this.lackingCount--
    }
  }
  makeRoom(): void {
    this.made++
    this.idleSinceMillis = Number.POSITIVE_INFINITY
    this.budget.roomIsMade()
    this.budget.give(true)
  }
}

const two = (maxCount: number) => {
  const budget = new PoolBudget(maxCount)
  return { budget, a: new FakeMember(budget), b: new FakeMember(budget) }
}

describe("PoolBudget", () => {
  it("gives no more than the maximum, and what comes back to who starves", () => {
    const { budget, a, b } = two(2)
    a.wants(2, 0)
    b.wants(1, 1)
    assert.deepStrictEqual([a.opened, b.opened], [2, 0])
    budget.give(false)
    assert.deepStrictEqual([a.opened, b.opened], [2, 1])
  })

  it("who has waited longest is first", () => {
    const { budget, a, b } = two(1)
    new FakeMember(budget).wants(1, 0)
    a.wants(1, 20)
    b.wants(1, 10)
    budget.give(false)
    assert.deepStrictEqual([a.opened, b.opened], [0, 1])
  })

  it("closes what is idle for who starves, as many as are lacking", () => {
    const { a, b } = two(1)
    a.wants(1, 0)
    a.idleSinceMillis = 5
    b.wants(1, 10)
    assert.deepStrictEqual([a.made, b.opened], [1, 1])
  })

  it("prefers another pool only if somebody there has waited clearly longer", () => {
    const { budget, a, b } = two(1)
    a.wants(1, 0)
    b.wants(1, 1000)
    a.waitingSinceMillis = 1100
    assert.isFalse(budget.prefersAnother(a))
    a.waitingSinceMillis = 1101
    assert.isTrue(budget.prefersAnother(a))
    budget.leave(b)
    assert.isFalse(budget.prefersAnother(a))
  })
})
