import { assert, describe, it } from "@effect/vitest"
import * as GrpcThrottle from "@sluice/core/grpc/client/GrpcThrottle"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

/** `-` a failure, `+` a success; then the tokens and whether it is open. */
const cases: ReadonlyArray<readonly [rule: string, steps: string, tokens: number, isOpen: boolean]> = [
  ["it begins with all tokens", "", 10, true],
  ["every failure takes one", "--", 8, true],
  ["above half it is open", "----", 6, true],
  ["at half it is shut", "-----", 5, false],
  ["every success brings tokenRatio", "-----+", 5.1, true],
  ["there are no more than maxTokens", "-+++++++++++++++++", 10, true],
  ["there are no fewer than none", "------------", 0, false],
  ["fifty successes bring it back to half, no more", `------------${"+".repeat(50)}`, 5, false],
  ["the next one opens it", `------------${"+".repeat(51)}`, 5.1, true]
]

const wrong: ReadonlyArray<readonly [option: string, GrpcThrottle.Options]> = [
  ["maxTokens", { maxTokens: 0, tokenRatio: 0.1 }],
  ["maxTokens", { maxTokens: 1001, tokenRatio: 0.1 }],
  ["maxTokens", { maxTokens: 1.5, tokenRatio: 0.1 }],
  ["tokenRatio", { maxTokens: 10, tokenRatio: 0 }],
  ["tokenRatio", { maxTokens: 10, tokenRatio: 0.0009 }],
  ["tokenRatio", { maxTokens: 10, tokenRatio: Number.NaN }]
]

describe("GrpcThrottle", () => {
  for (const [rule, steps, tokens, isOpen] of cases) {
    it(`A6 "Throttling": ${rule}`, () => {
      const throttle = new GrpcThrottle.GrpcThrottle({ maxTokens: 10, tokenRatio: 0.1 })
      for (const step of steps) step === "-" ? throttle.failed() : throttle.succeeded()
      assert.deepStrictEqual([throttle.tokens, throttle.isOpen], [tokens, isOpen])
    })
  }

  it("counts three decimals of the ratio, and cuts the others off", () => {
    const throttle = new GrpcThrottle.GrpcThrottle({ maxTokens: 1000, tokenRatio: 0.2909 })
    throttle.failed()
    throttle.succeeded()
    assert.strictEqual(throttle.tokens, 999.29)
  })

  it("loses no thousandth of a ratio to its binary form", () => {
    // 1.001 * 1000 is a little less than 1001.
    const throttle = new GrpcThrottle.GrpcThrottle({ maxTokens: 10, tokenRatio: 1.001 })
    for (const _ of [1, 2, 3]) throttle.failed()
    throttle.succeeded()
    assert.strictEqual(throttle.tokens, 8.001)
  })

  it("refuses wrong options", () => {
    for (const [option, options] of wrong) {
      assert.strictEqual(GrpcThrottle.problem(options)?.[0], option)
      assert.throws(() => new GrpcThrottle.GrpcThrottle(options), RangeError)
    }
  })

  it("lets through a share of what goes well, whatever happens", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed)
      const maxTokens = 1 + random.below(20)
      const throttle = new GrpcThrottle.GrpcThrottle({ maxTokens, tokenRatio: 0.1 })
      let further = 0
      let succeeded = 0
      for (let call = 0; call < 500; call++) {
        if (random.below(3) === 0) {
          throttle.succeeded()
          succeeded += 1
        } else {
          throttle.failed()
          if (throttle.isOpen) further += 1
        }
        assert.isTrue(throttle.tokens >= 0 && throttle.tokens <= maxTokens, `seed ${seed}`)
      }
      assert.isAtMost(further, maxTokens / 2 + succeeded * 0.1, `seed ${seed}`)
    }
  })
})
