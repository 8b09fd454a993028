import { assert, it } from "@effect/vitest"
import { Http1Deadline } from "@sluice/core/protocol/http1/Http1Deadline"

it("a deadline is due at its time, once", () => {
  const deadline = new Http1Deadline(30)
  deadline.set(100)
  assert.strictEqual(deadline.next(false), 100)
  assert.isFalse(deadline.takeDue(99))
  assert.isTrue(deadline.takeDue(100))
  assert.isFalse(deadline.takeDue(101))
  assert.strictEqual(deadline.next(false), Number.POSITIVE_INFINITY)
})
it("a later one is reported when the earlier has passed; an earlier one at once", () => {
  const deadline = new Http1Deadline(30)
  deadline.set(100)
  deadline.set(200)
  assert.strictEqual(deadline.next(false), 100)
  assert.isFalse(deadline.takeDue(100))
  assert.strictEqual(deadline.next(false), 200)
  deadline.set(150)
  assert.strictEqual(deadline.next(false), 150)
})
it("one that is taken back is never due", () => {
  const deadline = new Http1Deadline(30)
  deadline.set(100)
  deadline.set(Number.POSITIVE_INFINITY)
  assert.isFalse(deadline.takeDue(100))
  assert.strictEqual(deadline.next(false), Number.POSITIVE_INFINITY)
})
it("a full transport has its time from the last write that it took", () => {
  const deadline = new Http1Deadline(30)
  deadline.sent(10)
  assert.deepStrictEqual([deadline.next(false), deadline.next(true)], [Number.POSITIVE_INFINITY, 40])
  assert.deepStrictEqual([deadline.isStalled(39, true), deadline.isStalled(40, true)], [false, true])
  assert.isFalse(deadline.isStalled(40, false))
  deadline.clear()
  assert.strictEqual(deadline.next(true), Number.POSITIVE_INFINITY)
})
