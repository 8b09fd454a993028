import { assert, describe, it } from "@effect/vitest"
import { ToyEngine } from "./ToyEngine.ts"
import * as WireScript from "./WireScript.ts"

const make = (): ToyEngine => new ToyEngine({ answers: true, idleMillis: 1_000 })

describe("a script that holds", () => {
  it("runs at every split, each with a new engine", () => {
    const engines = WireScript.run(make, [
      WireScript.send("'hello' 0d0a 'x' 0a"),
      WireScript.expect("'hello' 0a 'x' 0a"),
      WireScript.expectOpen,
      WireScript.send("'quit' 0a"),
      WireScript.expect("'bye' 0a"),
      WireScript.expectEnd
    ])
    assert.isAbove(engines.length, 9)
    for (const engine of engines) {
      assert.deepStrictEqual(engine.calls, [
        ["line", "hello"],
        ["line", "x"],
        ["line", "quit"]
      ])
    }
  })
  it("passes time to the deadline, which bytes move", () => {
    WireScript.run(make, [
      WireScript.advance(999),
      WireScript.expectOpen,
      WireScript.send("'a'"),
      WireScript.advance(999),
      WireScript.expectOpen,
      WireScript.advance(1),
      WireScript.expectAbort
    ])
  })
  it("ends, loses the transport and gives commands", () => {
    const [engine] = WireScript.run(make, [
      WireScript.command((toy: ToyEngine) => toy.sendLine("first")),
      WireScript.expect("'first' 0a"),
      WireScript.end,
      WireScript.expectEnd,
      WireScript.close
    ])
    assert.deepStrictEqual(engine?.calls, [["end"], ["close"]])
  })
})

describe("a script that does not hold", () => {
  const broken: ReadonlyArray<readonly [rule: string, steps: ReadonlyArray<WireScript.Step<ToyEngine>>]> = [
    ["other bytes", [WireScript.send("'a' 0a"), WireScript.expect("'b' 0a")]],
    ["more bytes", [WireScript.send("'a' 0a 'b' 0a"), WireScript.expect("'a' 0a")]],
    ["no bytes", [WireScript.expect("'a' 0a")]],
    ["bytes at the end", [WireScript.send("'a' 0a")]],
    ["bytes before time passes", [WireScript.send("'a' 0a"), WireScript.advance(1)]],
    ["an end that did not come", [WireScript.expectEnd]],
    ["an abort too early", [WireScript.advance(1_000), WireScript.expectOpen]]
  ]
  for (const [rule, steps] of broken) {
    it(rule, () => assert.throws(() => WireScript.run(make, steps), /WireScript/))
  }
  it("a deadline that is never served", () => {
    class Stuck extends ToyEngine {
      override advance(): void {}
    }
    const stuck = (): ToyEngine => new Stuck({ answers: true, idleMillis: 1 })
    assert.throws(() => WireScript.run(stuck, [WireScript.advance(10)]), /not served/)
  })
})
