import { assert, describe, it } from "@effect/vitest"
import { copyBytes, Http2Output } from "@sluice/core/protocol/http2/Http2Output"
import * as Hex from "../../../harness/Hex.ts"
import { SeededRandom } from "../../../harness/SeededRandom.ts"

const taken = (output: Http2Output): string => output.take().map(Hex.show).join(" | ")
const filled = (byteCount: number, value: number): Uint8Array => new Uint8Array(byteCount).fill(value)
const lengths = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => chunks.map((chunk) => chunk.length)

/** As an encoder writes. */
const put = (output: Http2Output, ...bytes: ReadonlyArray<number>): void => {
  output.reserve(bytes.length)
  for (const [index, byte] of bytes.entries()) output.page[output.at + index] = byte
  output.commit(output.at + bytes.length)
}

/** Puts the shared page at its beginning, so that a test knows where it ends. */
const freshPage = (): Uint8Array => {
  const output = new Http2Output()
  do put(output, 0)
  while (output.at !== 1)
  return output.page
}
/** One byte of it is taken. */
const restBytes = 16_383

describe("segments", () => {
  it("many small pieces come out as one", () => {
    freshPage()
    const output = new Http2Output()
    for (let count = 0; count < 1000; count++) put(output, count, count >> 8)
    output.write(Hex.hex("aabb"))
    assert.strictEqual(output.byteLength, 2002)
    const chunks = output.take()
    assert.deepStrictEqual(lengths(chunks), [2002])
    assert.strictEqual(Hex.show(chunks[0]!.subarray(1996)), "e6 03 e7 03 aa bb")
    assert.strictEqual(output.byteLength, 0)
    assert.deepStrictEqual(output.take(), [])
  })

  it("goes on with a new page where one is full", () => {
    freshPage()
    const output = new Http2Output()
    for (let count = 0; count < 40; count++) output.write(filled(1000, count))
    const chunks = output.take()
    assert.deepStrictEqual(lengths(chunks), [16_000, 16_000, 8_000])
    assert.deepStrictEqual(
      Hex.concat(chunks),
      Hex.concat(Array.from({ length: 40 }, (_, count) => filled(1000, count)))
    )
  })

  it("a page is used to its last byte", () => {
    const page = freshPage()
    const output = new Http2Output()
    output.copy(filled(restBytes - 2000, 1), 0, restBytes - 2000)
    output.copy(filled(2000, 1), 0, 2000)
    put(output, 2)
    const chunks = output.take()
    assert.deepStrictEqual(lengths(chunks), [restBytes, 1])
    assert.isTrue(chunks[0]!.buffer === page.buffer)
    // By one that begins with just what is left.
    const next = freshPage()
    output.copy(filled(restBytes, 1), 0, restBytes)
    assert.isTrue(output.page === next)
    assert.deepStrictEqual(lengths(output.take()), [restBytes])
  })

  it("the beginning of an array finds room at the end of a page that has none for all of it", () => {
    freshPage()
    const output = new Http2Output()
    output.copy(filled(restBytes - 30, 1), 0, restBytes - 30)
    output.copy(filled(1000, 2), 0, 30)
    assert.deepStrictEqual(lengths(output.take()), [restBytes])
  })

  it("up to the limit is copied, and above it handed over as it is, in order", () => {
    freshPage()
    const output = new Http2Output()
    const small = filled(copyBytes, 1)
    const large = filled(copyBytes + 1, 2)
    put(output, 7)
    output.write(small)
    output.write(large)
    put(output, 8)
    assert.strictEqual(output.byteLength, 2 * copyBytes + 3)
    const chunks = output.take()
    assert.deepStrictEqual(lengths(chunks), [copyBytes + 1, copyBytes + 1, 1])
    assert.isTrue(chunks[1] === large)
    small.fill(9)
    assert.strictEqual(chunks[0]![1], 1)
  })

  it("a large part is a view of its array", () => {
    const output = new Http2Output()
    const bytes = filled(5000, 1)
    output.writeRange(bytes, 1000, 3000)
    const [view] = output.take()
    assert.deepStrictEqual([view!.buffer === bytes.buffer, view!.byteOffset, view!.length], [true, 1000, 2000])
  })

  it("has no empty pieces", () => {
    const output = new Http2Output()
    output.write(new Uint8Array(0))
    output.copy(Hex.hex("01"), 1, 1)
    assert.lengthOf(output.page, 0)
    output.reserve(100)
    assert.deepStrictEqual(output.take(), [])
  })

  it("what is larger than half a page and finds no room has memory of its own", () => {
    for (const byteCount of [8193, 16_384, 100_000]) {
      freshPage()
      const output = new Http2Output()
      output.copy(filled(restBytes - 100, 1), 0, restBytes - 100)
      output.copy(filled(byteCount, 2), 0, byteCount)
      put(output, 3)
      const chunks = output.take()
      assert.deepStrictEqual(lengths(chunks), [restBytes - 100, byteCount, 1])
      // The page goes on behind the first segment.
      assert.isTrue(chunks[2]!.buffer === chunks[0]!.buffer)
      assert.strictEqual(chunks[2]!.byteOffset, chunks[0]!.byteOffset + restBytes - 100)
    }
  })

  it("a copy of a part of a large array", () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index)
    for (const [start, end] of [
      [0, 10],
      [0, 25],
      [0, 1000],
      [5, 25],
      [5, 1000],
      [3000, 5000],
      [0, 5000]
    ] as const) {
      for (const source of [bytes, bytes.slice(0, end)]) {
        const output = new Http2Output()
        put(output, 7)
        output.copy(source, start, end)
        put(output, 8)
        assert.deepStrictEqual(Hex.concat(output.take()), Uint8Array.of(7, ...bytes.subarray(start, end), 8))
      }
    }
  })
})

describe("the shared page", () => {
  it("what was handed out is not written again", () => {
    const output = new Http2Output()
    put(output, 1, 2)
    const [first] = output.take()
    put(output, 3, 4)
    output.write(filled(copyBytes, 5))
    const [second] = output.take()
    assert.strictEqual(Hex.show(first!), "01 02")
    assert.strictEqual(Hex.show(second!.subarray(0, 3)), "03 04 05")
  })

  it("two outputs write in turn, each in its own order", () => {
    const left = new Http2Output()
    const right = new Http2Output()
    put(left, 1)
    put(left, 2)
    put(right, 10)
    put(left, 3)
    put(left, 4)
    put(right, 11)
    put(right, 12)
    assert.strictEqual(taken(left), "01 02 | 03 04")
    assert.strictEqual(taken(right), "0a | 0b 0c")
  })

  it("a reservation that is not used leaves the room to others", () => {
    const left = new Http2Output()
    const right = new Http2Output()
    left.reserve(4)
    left.page.fill(0xff, left.at, left.at + 4)
    put(right, 1, 2)
    put(left, 3)
    assert.strictEqual(taken(left), "03")
    assert.strictEqual(taken(right), "01 02")
  })

  it("outputs that write and are taken at random", () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new SeededRandom(seed)
      const outputs = Array.from({ length: 3 }, () => ({
        output: new Http2Output(),
        written: [] as Array<Uint8Array>,
        got: [] as Array<Uint8Array>,
        waitingBytes: 0
      }))
      for (let step = 0; step < 300; step++) {
        const writer = random.pick(outputs)
        const { got, output, written } = writer
        const bytes = filled(random.pick([1, 9, 30, 900, 3000, 9000, 20_000]) + random.below(40), random.below(256))
        const kind = random.below(8)
        if (kind === 0) {
          got.push(...output.take())
          writer.waitingBytes = 0
        } else {
          const start = random.below(bytes.length)
          written.push(bytes.slice(start))
          writer.waitingBytes += bytes.length - start
          if (kind < 4) output.copy(bytes, start, bytes.length)
          else if (kind === 4) put(output, ...bytes.subarray(start))
          else output.writeRange(bytes, start, bytes.length)
        }
        assert.strictEqual(output.byteLength, writer.waitingBytes)
      }
      for (const { got, output, written } of outputs) {
        got.push(...output.take())
        assert.isTrue(equal(Hex.concat(got), Hex.concat(written)), `seed ${seed}`)
      }
    }
  })
})

describe("the end", () => {
  for (const closing of ["end", "abort"] as const) {
    it(`takes nothing after ${closing}, and keeps what was written before`, () => {
      const output = new Http2Output()
      put(output, 1)
      output[closing]()
      put(output, 2)
      output.write(Hex.hex("03"))
      output.write(filled(copyBytes + 1, 4))
      output.copy(filled(3000, 5), 0, 3000)
      assert.strictEqual(output.closing, closing)
      assert.strictEqual(output.byteLength, 1)
      assert.strictEqual(taken(output), "01")
      put(output, 6)
      assert.strictEqual(output.byteLength, 0)
      // A pump takes nothing then, so no page may be held.
      assert.lengthOf(output.page, 0)
      assert.strictEqual(taken(output), "")
    })
  }

  it("others go on with the page of an output that has ended", () => {
    const ended = new Http2Output()
    const other = new Http2Output()
    put(ended, 1)
    ended.end()
    put(ended, 2)
    put(other, 3)
    put(ended, 4)
    put(other, 5)
    assert.strictEqual(taken(ended), "01")
    assert.strictEqual(taken(other), "03 05")
  })

  it("holds no page between turns", () => {
    const output = new Http2Output()
    put(output, 1)
    output.take()
    assert.lengthOf(output.page, 0)
  })
})

const equal = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index])
