import { assert, it } from "@effect/vitest"
import { Http1Inbox } from "@sluice/core/protocol/http1/Http1Inbox"
import { bytes, text } from "./Recorder.ts"

it("reads chunks in order, and counts what waits", () => {
  const inbox = new Http1Inbox()
  inbox.push(bytes("abc"))
  inbox.push(bytes("d"))
  inbox.push(bytes("e"))
  assert.strictEqual(inbox.byteLength, 5)
  inbox.readTo(2)
  assert.deepStrictEqual([inbox.at, inbox.byteLength, inbox.isEmpty], [2, 3, false])
  let read = ""
  while (!inbox.isEmpty) {
    read += text(inbox.chunk.subarray(inbox.at))
    inbox.readTo(inbox.chunk.length)
  }
  assert.deepStrictEqual([read, inbox.byteLength], ["cde", 0])
})
it("takes all at once", () => {
  const inbox = new Http1Inbox()
  assert.strictEqual(inbox.takeAll().length, 0)
  inbox.push(bytes("abc"))
  inbox.readTo(1)
  assert.strictEqual(text(inbox.takeAll()), "bc")
  inbox.push(bytes("ab"))
  inbox.push(bytes("cd"))
  inbox.readTo(1)
  assert.strictEqual(text(inbox.takeAll()), "bcd")
  assert.isTrue(inbox.isEmpty)
})
it("forgets all", () => {
  const inbox = new Http1Inbox()
  inbox.push(bytes("ab"))
  inbox.push(bytes("cd"))
  inbox.clear()
  assert.deepStrictEqual([inbox.byteLength, inbox.isEmpty], [0, true])
})
