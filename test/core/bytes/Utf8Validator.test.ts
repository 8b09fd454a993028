import { assert, describe, it } from "@effect/vitest"
import { Utf8Validator } from "@sluice/core/bytes/Utf8Validator"
import * as Schema from "effect/Schema"
import * as Chunkings from "../../harness/Chunkings.ts"
import { hex } from "../../harness/Hex.ts"

type Verdict = "complete" | "unfinished" | "invalid"

const verdictOf = (chunks: ReadonlyArray<Uint8Array>): Verdict => {
  const validator = new Utf8Validator()
  for (const chunk of chunks) if (!validator.push(chunk)) return "invalid"
  return validator.isComplete ? "complete" : "unfinished"
}

const decoder = new TextDecoder("utf-8", { fatal: true })
const accepts = (bytes: Uint8Array): boolean => {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}
/** What the platform says: unfinished where some ending would make it text. */
const expected = (bytes: Uint8Array): Verdict => {
  if (accepts(bytes)) return "complete"
  const endings = ["80", "bf", "8080", "bfbf", "808080", "bfbfbf"].map(hex)
  return endings.some((ending) => accepts(Uint8Array.from([...bytes, ...ending]))) ? "unfinished" : "invalid"
}

describe("says what the platform's decoder says, for every beginning of two and three bytes", () => {
  const bytes = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee]
  const more = [0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
  const all = [...bytes, ...more]
  it("RFC 3629 §4: two bytes", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const both = Uint8Array.of(first, second)
        assert.strictEqual(verdictOf([both]), expected(both), `${first} ${second}`)
      }
    }
  })
  it("RFC 3629 §4: three and four bytes", () => {
    for (const first of all) {
      for (const second of all) {
        for (const third of all) {
          const three = Uint8Array.of(first, second, third)
          assert.strictEqual(verdictOf([three]), expected(three), String(three))
          const four = Uint8Array.of(first, second, third, 0x80)
          assert.strictEqual(verdictOf([four]), expected(four), String(four))
        }
      }
    }
  })
})

it("says the same for every split", () => {
  for (const wire of ["'aé€😀'", "'abcdefgh' f09f98 '.'", "e282ac eda080", "f48fbfbf f490"]) {
    for (const chunks of Chunkings.everySplit(hex(wire))) {
      assert.strictEqual(verdictOf(chunks), verdictOf([hex(wire)]), Chunkings.show(chunks))
    }
  }
})

it("fails at the second byte of what cannot become a character", () => {
  for (const wire of ["c080", "e080", "eda0", "f080", "f490"]) {
    const validator = new Utf8Validator()
    assert.strictEqual(validator.push(hex(wire).subarray(0, 1)), !wire.startsWith("c0"), wire)
    assert.isFalse(new Utf8Validator().push(hex(wire)), wire)
  }
})

it("looks at the given range only, and begins anew after reset", () => {
  const validator = new Utf8Validator()
  assert.isTrue(validator.push(hex("ff 61 c3 ff"), 1, 3))
  assert.isFalse(validator.isComplete)
  validator.reset()
  assert.isTrue(validator.isComplete)
  assert.isTrue(validator.push(hex("61")))
})

it.prop("of any bytes", { bytes: Schema.Uint8Array }, ({ bytes }) => {
  assert.strictEqual(verdictOf([bytes]), expected(bytes))
})
