import { assert, describe, it } from "@effect/vitest"
import * as GrpcPicker from "@sluice/core/grpc/client/GrpcPicker"

class Server implements GrpcPicker.Pickable {
  readonly name: string
  hasPlace = true
  openCount = 0
  constructor(name: string) {
    this.name = name
  }
}

const three = () => [new Server("a"), new Server("b"), new Server("c")] as const

const picks = (picker: GrpcPicker.GrpcPicker, ready: ReadonlyArray<Server>, count: number, besides?: Server): string =>
  Array.from({ length: count }, () => picker.pick(ready, besides)?.name ?? "-").join("")

describe("each way", () => {
  for (const balancing of ["pick_first", "round_robin", "least_loaded"] as const) {
    it(`${balancing}: only who has a place, besides another where there is a choice`, () => {
      const [a, b, c] = three()
      const picker = GrpcPicker.make(balancing)
      assert.strictEqual(picks(picker, [], 2), "--")
      b.hasPlace = false
      c.hasPlace = false
      assert.strictEqual(picks(picker, [a, b, c], 3), "aaa")
      assert.strictEqual(picks(picker, [a, b, c], 3, a), "aaa", "no other has one")
      assert.strictEqual(picks(picker, [b, c], 2, a), "--", "it is not there any more")
      c.hasPlace = true
      assert.strictEqual(picks(picker, [a, b, c], 3, a), "ccc")
      a.hasPlace = false
      c.hasPlace = false
      assert.strictEqual(picks(picker, [a, b, c], 2, a), "--")
    })
  }
})

describe("pick_first", () => {
  it("the first", () => {
    const picker = GrpcPicker.make("pick_first")
    assert.strictEqual(picker.reach, "first")
    assert.strictEqual(picks(picker, three(), 4), "aaaa")
  })
})

describe("round_robin", () => {
  it("each in its turn, also when the list becomes shorter", () => {
    const picker = GrpcPicker.make("round_robin")
    assert.strictEqual(picker.reach, "all")
    const [a, b, c] = three()
    assert.strictEqual(picks(picker, [a, b, c], 5), "abcab")
    assert.strictEqual(picks(picker, [a, b], 3), "aba")
  })

  it("one without a place is left out of the turn", () => {
    const picker = GrpcPicker.make("round_robin")
    const [a, b, c] = three()
    b.hasPlace = false
    assert.strictEqual(picks(picker, [a, b, c], 4), "acac")
  })
})

describe("least_loaded", () => {
  it("the one with the fewest calls, and each in its turn where all have as many", () => {
    const picker = GrpcPicker.make("least_loaded")
    assert.strictEqual(picker.reach, "all")
    const [a, b, c] = three()
    a.openCount = 2
    b.openCount = 1
    c.openCount = 3
    assert.strictEqual(picks(picker, [a, b, c], 3), "bbb")
    for (const one of [a, b, c]) one.openCount = 5
    assert.strictEqual(picks(picker, [a, b, c], 4), "abca")
  })
})
