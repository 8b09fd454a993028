import { assert, describe, it } from "vitest"
import * as StreamLoad from "../../../bench/src/load/StreamLoad.ts"

const conversation: StreamLoad.Conversation = { request: "\xff\0a", replyBytes: "content-length", replyHolds: [] }

describe("a request", () => {
  it("is its Latin-1 text", () => {
    assert.deepStrictEqual([...StreamLoad.requestOf(conversation)], [0xff, 0, 0x61])
  })

  it("has a body of the length that it says behind it", () => {
    const request = StreamLoad.requestOf({ ...conversation, requestBodyBytes: 2 })
    assert.strictEqual(request.toString("latin1"), "\xff\0axx")
  })
})

describe("a reply", () => {
  it("of a known length has it whatever came", () => {
    assert.strictEqual(StreamLoad.replyLength({ ...conversation, replyBytes: 7 }, ""), 7)
  })

  const head = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"
  const cases: ReadonlyArray<readonly [rule: string, received: string, bytes: number]> = [
    ["shows nothing while its head is not whole", head.slice(0, -1), Number.POSITIVE_INFINITY],
    ["is its head and its body", head, head.length + 11],
    ["is that too when bytes of the body have come", `${head}hello`, head.length + 11],
    ["may spell the field in lower case", head.toLowerCase(), head.length + 11]
  ]
  for (const [rule, received, bytes] of cases) {
    it(`that says its length ${rule}`, () => {
      assert.strictEqual(StreamLoad.replyLength(conversation, received), bytes)
    })
  }

  it("that does not say its length cannot be measured", () => {
    assert.throws(() => StreamLoad.replyLength(conversation, "HTTP/1.1 200 OK\r\n\r\n"), /without a length/)
  })
})
