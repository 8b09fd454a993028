import { assert, describe, it } from "@effect/vitest"
import * as ConstantTime from "@sluice/core/middleware/ConstantTime"
import * as Redacted from "effect/Redacted"

const rows: ReadonlyArray<readonly [presented: string, secret: string, equal: boolean]> = [
  ["secret", "secret", true],
  ["", "", true],
  ["", "secret", false],
  ["secret", "", false],
  ["\0", "", false],
  ["Secret", "secret", false],
  ["secreT", "secret", false],
  ["secre", "secret", false],
  ["secretsecret", "secret", false],
  ["ab", "abab", false],
  ["abab", "ab", false],
  ["pässwörd€", "pässwörd€", true],
  ["pässwörd€", "pässwörd$", false]
]

describe("ConstantTime", () => {
  for (const [presented, secret, equal] of rows) {
    it(`${JSON.stringify(presented)} for ${JSON.stringify(secret)}: ${equal}`, () => {
      assert.strictEqual(ConstantTime.equals(presented, secret), equal)
      assert.strictEqual(ConstantTime.matches(Redacted.make(presented), Redacted.make(secret)), equal)
    })
  }
})
