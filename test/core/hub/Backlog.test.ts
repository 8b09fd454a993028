import { assert, describe, it } from "@effect/vitest"
import { Backlog } from "@sluice/core/hub/Backlog"
import { SeededRandom } from "../../harness/SeededRandom.ts"

const make = (maxCount: number, maxBytes: number) => new Backlog<string>(maxCount, maxBytes, (item) => item.length)

const drain = (backlog: Backlog<string>): ReadonlyArray<string> => {
  const items: Array<string> = []
  for (let item = backlog.shift(); item !== undefined; item = backlog.shift()) items.push(item)
  return items
}

describe("Backlog", () => {
  it("keeps the order", () => {
    const backlog = make(3, 100)
    for (const item of ["a", "b", "c"]) assert.isTrue(backlog.push(item))
    assert.strictEqual(backlog.peek(), "a")
    assert.deepStrictEqual(drain(backlog), ["a", "b", "c"])
    assert.strictEqual(backlog.peek(), undefined)
  })

  it("takes up to its count, and no more", () => {
    const backlog = make(2, 100)
    assert.isTrue(backlog.push("a"))
    assert.isTrue(backlog.push("b"))
    assert.isFalse(backlog.push("c"))
    assert.deepStrictEqual(drain(backlog), ["a", "b"])
  })

  it("takes up to its bytes, and no more", () => {
    const backlog = make(10, 4)
    assert.isTrue(backlog.push("aaa"))
    assert.isFalse(backlog.push("bb"))
    assert.isTrue(backlog.push("b"))
    assert.strictEqual(backlog.byteLength, 4)
    assert.isTrue(backlog.admits("aaaa"))
    assert.isFalse(backlog.admits("aaaaa"))
  })

  it("is empty after clear, and can be used again", () => {
    const backlog = make(2, 4)
    backlog.push("aaaa")
    backlog.clear()
    assert.deepStrictEqual([backlog.length, backlog.byteLength], [0, 0])
    assert.isTrue(backlog.push("bbbb"))
    assert.deepStrictEqual(drain(backlog), ["bbbb"])
  })

  it("does what a plain list does, in any order of calls", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed)
      const backlog = make(70, 150)
      const list: Array<string> = []
      // Mostly filling, then mostly emptying: both bounds are met, and the end.
      for (let step = 0; step < 400; step++) {
        if (random.below(400) < step) assert.strictEqual(backlog.shift(), list.shift())
        else {
          const item = "abcde".slice(random.below(6))
          const fits = list.length < 70 && list.join("").length + item.length <= 150
          assert.strictEqual(backlog.push(item), fits, `seed ${seed}, step ${step}`)
          if (fits) list.push(item)
        }
        assert.strictEqual(backlog.length, list.length)
        assert.strictEqual(backlog.byteLength, list.join("").length)
        assert.strictEqual(backlog.peek(), list[0])
      }
    }
  })

  it("is as small as what it holds, however much went through", () => {
    const backlog = make(64, 1000)
    for (let index = 0; index < 10_000; index++) {
      backlog.push("x")
      if (index >= 40) backlog.shift()
    }
    assert.strictEqual(backlog.length, 40)
    assert.isAtMost((backlog as unknown as { readonly items: ReadonlyArray<unknown> }).items.length, 160)
  })
})
