import { assert, describe, it } from "@effect/vitest"
import * as Limit from "@sluice/core/protocol/Limit"
import * as Duration from "effect/Duration"

/** Each reads `input` for the option `wait`. */
const readers = {
  millis: (input: unknown) => Limit.millis("wait", input as Duration.Input),
  millisOrUnbounded: (input: unknown) => Limit.millisOrUnbounded("wait", input as Duration.Input),
  bytes: (input: unknown) => Limit.bytes("wait", input as number, 7),
  bytesOrUnbounded: (input: unknown) => Limit.bytesOrUnbounded("wait", input as number, 7),
  count: (input: unknown) => Limit.count("wait", input as number),
  countOrUnbounded: (input: unknown) => Limit.countOrUnbounded("wait", input as number)
}

const read: ReadonlyArray<readonly [reader: keyof typeof readers, input: unknown, value: number]> = [
  ["millis", "1 second", 1000],
  ["millis", 0.5, 0.5],
  ["millis", Limit.mostMillis, Limit.mostMillis],
  ["millisOrUnbounded", "1 second", 1000],
  ["millisOrUnbounded", "unbounded", Number.POSITIVE_INFINITY],
  ["millisOrUnbounded", Duration.infinity, Number.POSITIVE_INFINITY],
  ["bytes", "2 KiB", 2048],
  ["bytes", undefined, 7],
  ["bytesOrUnbounded", "2 KiB", 2048],
  ["bytesOrUnbounded", undefined, 7],
  ["bytesOrUnbounded", "unbounded", Number.POSITIVE_INFINITY],
  ["count", 1, 1],
  ["countOrUnbounded", 3, 3],
  ["countOrUnbounded", "unbounded", Number.POSITIVE_INFINITY]
]

const refused: ReadonlyArray<readonly [reader: keyof typeof readers, input: unknown]> = [
  ["millis", 0],
  ["millis", -1],
  ["millis", Number.NaN],
  ["millis", "soon"],
  ["millis", "unbounded"],
  ["millis", Duration.infinity],
  ["millis", "30 days"],
  ["millisOrUnbounded", 0],
  ["millisOrUnbounded", "30 days"],
  ["millisOrUnbounded", "soon"],
  ["bytes", 0],
  ["bytes", "much"],
  ["bytesOrUnbounded", 0],
  ["bytesOrUnbounded", "much"],
  ["count", 0],
  ["count", 1.5],
  ["count", Number.NaN],
  ["count", Number.POSITIVE_INFINITY],
  ["count", "unbounded"],
  ["countOrUnbounded", 0],
  ["countOrUnbounded", "many"]
]

describe("Limit", () => {
  for (const [reader, input, value] of read) {
    it(`${reader} reads ${String(input)}`, () => assert.strictEqual(readers[reader](input), value))
  }
  for (const [reader, input] of refused) {
    it(`${reader} refuses ${String(input)}, and names the option`, () => {
      assert.throws(() => readers[reader](input), RangeError, /^wait must be/)
    })
  }
  it("takes the range that is given", () => {
    assert.strictEqual(Limit.bytes("wait", 0, 7, 0, 9), 0)
    assert.strictEqual(Limit.bytes("wait", 9, 7, 0, 9), 9)
    assert.throws(() => Limit.bytes("wait", 10, 7, 0, 9), RangeError, "wait must be from 0 to 9 bytes, but is 10")
    assert.strictEqual(Limit.count("wait", 9, 1, 9), 9)
    assert.throws(() => Limit.count("wait", 10, 1, 9), RangeError, "wait must be a whole number from 1 to 9, but is 10")
    assert.strictEqual(Limit.count("wait", 0, 0), 0)
    assert.throws(() => Limit.countOrUnbounded("wait", -1, 0), RangeError)
  })
})
