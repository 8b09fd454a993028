import { assert, describe, it } from "@effect/vitest"
import { ByteQueue } from "@sluice/core/bytes/ByteQueue"
import * as Schema from "effect/Schema"
import { hex, show } from "../../harness/Hex.ts"

const queueOf = (...chunks: ReadonlyArray<string>): ByteQueue => {
  const queue = new ByteQueue()
  for (const chunk of chunks) queue.push(hex(chunk))
  return queue
}

describe("taking", () => {
  it("hands out a view of one chunk, and a whole chunk as it came", () => {
    const queue = new ByteQueue()
    const chunk = hex("01 02 03 04")
    queue.push(chunk)
    const front = queue.take(1)
    assert.strictEqual(front.buffer, chunk.buffer)
    assert.strictEqual(show(front), "01")
    queue.push(chunk)
    assert.strictEqual(show(queue.take(3)), "02 03 04")
    assert.strictEqual(queue.take(4), chunk)
    assert.strictEqual(queue.byteLength, 0)
  })
  it("joins what straddles chunks", () => {
    const queue = queueOf("01 02", "03", "04 05 06")
    queue.skip(1)
    assert.strictEqual(show(queue.take(4)), "02 03 04 05")
    assert.strictEqual(show(queue.takeAll()), "06")
  })
  it("peeks without taking", () => {
    const queue = queueOf("01 02", "03 04")
    assert.deepStrictEqual([show(queue.peek(1)), show(queue.peek(3)), queue.byteLength], ["01", "01 02 03", 4])
  })
  it("takes chunks", () => {
    const queue = queueOf("01 02", "03")
    queue.skip(1)
    assert.deepStrictEqual([queue.takeChunk(), queue.takeChunk(), queue.takeChunk()], [hex("02"), hex("03"), undefined])
  })
  it("ignores empty chunks", () => {
    const queue = queueOf("", "01", "")
    assert.deepStrictEqual([queue.takeChunk(), queue.takeChunk()], [hex("01"), undefined])
  })
  it("takes nothing from an empty queue", () => {
    const queue = new ByteQueue()
    queue.skip(0)
    assert.deepStrictEqual([queue.take(0).length, queue.peek(0).length, queue.takeAll().length], [0, 0, 0])
  })
  it("forgets all with clear", () => {
    const queue = queueOf("01 02", "03")
    queue.skip(1)
    queue.clear()
    queue.push(hex("04"))
    assert.strictEqual(show(queue.takeAll()), "04")
  })
})

describe("looking", () => {
  it("finds bytes in any chunk, from any position", () => {
    const queue = queueOf("09 01 02", "01", "03 01")
    queue.skip(1)
    const found = [0, 1, 2, 3, 4, 5, 9].map((from) => queue.indexOf(1, from))
    assert.deepStrictEqual(found, [0, 2, 2, 4, 4, -1, -1])
    assert.deepStrictEqual([queue.indexOf(3), queue.indexOf(9), new ByteQueue().indexOf(0)], [3, -1, -1])
  })
  it("reads single bytes in any order", () => {
    const queue = queueOf("09 01 02", "03", "04 05")
    queue.skip(1)
    assert.deepStrictEqual(
      [4, 0, 3, 1, 2].map((index) => queue.at(index)),
      [5, 1, 4, 2, 3]
    )
  })
})

describe("misuse", () => {
  const calls: ReadonlyArray<readonly [rule: string, call: (queue: ByteQueue) => unknown]> = [
    ["at the end", (queue) => queue.at(3)],
    ["at a negative position", (queue) => queue.at(-1)],
    ["taking too much", (queue) => queue.take(4)],
    ["taking less than nothing", (queue) => queue.take(-1)],
    ["peeking at too much", (queue) => queue.peek(4)],
    ["skipping too much", (queue) => queue.skip(4)],
    ["skipping back", (queue) => queue.skip(-1)],
    ["skipping no number", (queue) => queue.skip(Number.NaN)]
  ]
  for (const [rule, call] of calls) {
    it(`${rule} is a RangeError and changes nothing`, () => {
      const queue = queueOf("09 01 02", "03")
      queue.skip(1)
      assert.throws(() => call(queue), RangeError)
      assert.strictEqual(show(queue.takeAll()), "01 02 03")
    })
  }
})

describe("a peer that sends byte by byte", () => {
  it("costs no chunk for each byte", () => {
    const queue = new ByteQueue()
    for (let index = 0; index < 10_000; index++) queue.push(Uint8Array.of(index & 0xff))
    let chunks = 0
    let bytes = 0
    for (let chunk = queue.takeChunk(); chunk !== undefined; chunk = queue.takeChunk()) {
      for (const byte of chunk) assert.strictEqual(byte, bytes++ & 0xff)
      chunks++
    }
    assert.strictEqual(bytes, 10_000)
    assert.isBelow(chunks, 20)
  })
  it("does not change what was handed out", () => {
    const queue = new ByteQueue()
    for (let index = 0; index < 10; index++) queue.push(Uint8Array.of(index))
    const front = queue.take(9)
    for (let index = 10; index < 20; index++) queue.push(Uint8Array.of(index))
    const rest = queue.take(6)
    queue.push(Uint8Array.of(20))
    assert.deepStrictEqual(
      [...front, ...rest, ...queue.takeAll()],
      Array.from({ length: 21 }, (_, index) => index)
    )
  })
})

const sizes = Schema.Literals([0, 1, 2, 3, 7, 511, 512, 513, 1500, 2048, 2049])
const operation = Schema.Tuple([
  Schema.Literals(["push", "push", "push", "take", "skip", "peek", "at", "indexOf", "takeChunk", "takeAll", "clear"]),
  sizes
])

it.prop(
  "is like one array, whatever is done to it",
  { operations: Schema.Array(operation) },
  ({ operations }) => {
    const queue = new ByteQueue()
    let model: Array<number> = []
    let next = 0
    for (const [kind, size] of operations) {
      const count = Math.min(size, model.length)
      if (kind === "push") {
        const chunk = Uint8Array.from({ length: size }, () => next++ % 251)
        queue.push(chunk)
        model.push(...chunk)
      } else if (kind === "take") {
        assert.deepStrictEqual([...queue.take(count)], model.slice(0, count))
        model = model.slice(count)
      } else if (kind === "skip") {
        queue.skip(count)
        model = model.slice(count)
      } else if (kind === "peek") {
        assert.deepStrictEqual([...queue.peek(count)], model.slice(0, count))
      } else if (kind === "at" && size < model.length) {
        assert.strictEqual(queue.at(size), model[size])
      } else if (kind === "indexOf") {
        assert.strictEqual(queue.indexOf(next % 251, size), model.indexOf(next % 251, size))
        assert.strictEqual(queue.indexOf(3, size), model.indexOf(3, size))
      } else if (kind === "takeChunk") {
        const chunk = queue.takeChunk()
        assert.deepStrictEqual([...(chunk ?? [])], model.slice(0, chunk?.length ?? 0))
        assert.strictEqual(chunk === undefined, model.length === 0)
        model = model.slice(chunk?.length ?? 0)
      } else if (kind === "takeAll" && size < 3) {
        assert.deepStrictEqual([...queue.takeAll()], model)
        model = []
      } else if (kind === "clear" && size === 0) {
        queue.clear()
        model = []
      }
      assert.strictEqual(queue.byteLength, model.length)
    }
    assert.deepStrictEqual([...queue.takeAll()], model)
  },
  { arbitrary: { runs: 400, size: 60 } }
)
