/**
 * RFC 9113 §8: the messages that we send. Where each MUST has its test says
 * http2-musts.test.ts.
 */
import { assert, describe, it } from "vitest"
import { client, server } from "../harness/Http2Recorded.ts"
import { get, headers, requestOf } from "../harness/Http2Wire.ts"

describe("RFC 9113 §8.2 and §8.3: what we send", () => {
  const answer = (fields: Readonly<Record<string, string>>, code = 200, body?: string) => {
    let refusal: unknown
    const side = server({
      onWhole: ({ engine }, stream) => {
        refusal = engine.respond(stream, code, fields, body, 0)?._tag
      }
    })
    side.receive(headers(1, get(), "END_STREAM"))
    return { sent: side.sent(), refusal }
  }
  it("RFC 9113 §8.2: names in lower case, behind :status", () => {
    assert.match(answer({ "X-A": "B" }).sent[0]!, /^HEADERS 1 :status=200 (?:content-length=0 )?x-a=B/)
  })
  it("RFC 9113 §8.2.2: no connection-specific fields", () => {
    for (const name of ["Connection", "keep-alive", "Proxy-Connection", "transfer-encoding", "Upgrade"]) {
      const { sent, refusal } = answer({ [name]: "x", "x-a": "b" })
      assert.notInclude(sent.join().toLowerCase(), name.toLowerCase())
      assert.isUndefined(refusal)
      assert.include(sent[0], "x-a=b")
    }
  })
  it("RFC 9113 §8.2.1 and §8.3: nothing is sent of what is invalid", () => {
    for (const [name, value] of [
      ["a b", "c"],
      ["", "c"],
      [":status", "c"],
      [":a", "c"],
      ["a", "b\r\nc: d"],
      ["a", "b\0"],
      ["a:b", "c"],
      ["é", "x"],
      ["a", "Ā"]
    ] as const) {
      const { sent, refusal } = answer({ [name]: value })
      assert.strictEqual(refusal, "InvalidMessage", `${name}: ${value}`)
      assert.deepStrictEqual(sent, [])
    }
  })
  it("RFC 9113 §8.1.1 and RFC 9110 §6.4.1: no content behind 204, 304 and HEAD", () => {
    for (const code of [204, 304])
      assert.isFalse(answer({}, code, "body").sent.some((line) => line.startsWith("DATA 1 'b")))
    const side = server({ onWhole: ({ engine }, stream) => engine.respond(stream, 200, {}, "body", 0) })
    side.receive(headers(1, requestOf("HEAD", "/"), "END_STREAM"))
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=200 content-length=4 END_STREAM"])
  })
  it("RFC 9113 §8.1.1: not another body than content-length says", () => {
    const { sent, refusal } = answer({ "content-length": "5" }, 200, "abc")
    assert.isTrue(refusal === "InvalidMessage" ? sent.length === 0 : sent[0]!.includes("content-length=3"), sent.join())
  })
  it("RFC 9113 §8.6: no 101, and no final status in an interim response", () => {
    const side = server({ onWhole: () => {} })
    side.receive(headers(1, get(), "END_STREAM"))
    const stream = side.streams.get(1)!
    assert.strictEqual(side.engine.interim(stream, 101, {}, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.interim(stream, 200, {}, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.respond(stream, 100, {}, undefined, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    assert.isUndefined(side.engine.interim(stream, 103, { link: "</a>" }, 0))
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=103 link=</a>"])
  })
  it("RFC 9113 §8.1: trailers have no pseudo-header fields, and end the stream", () => {
    const side = server({ onWhole: ({ engine }, stream) => void engine.beginResponse(stream, 200, {}, 0) })
    side.receive(headers(1, get(), "END_STREAM"))
    side.sent()
    const stream = side.streams.get(1)!
    assert.strictEqual(side.engine.end(stream, { ":status": "200" }, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    side.engine.end(stream, { "X-A": "b" }, 0)
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 x-a=b END_STREAM"])
  })
  it("RFC 9113 §8.3.1: a client's requests", () => {
    const side = client()
    const request = (parts: object) =>
      side.engine.request(
        { method: "GET", scheme: "https", authority: "a:1", path: "/b?c", headers: {}, ...parts },
        undefined,
        "whole",
        undefined,
        0
      )
    request({ headers: { "X-A": "b", connection: "close", te: "trailers" } })
    assert.deepStrictEqual(side.sent(), [
      "HEADERS 5 :method=GET :scheme=https :path=/b?c :authority=a:1 x-a=b te=trailers END_STREAM"
    ])
    for (const wrong of [
      { method: "" },
      { method: "A B" },
      { path: "" },
      { path: "b" },
      { path: "/ b" },
      { path: "*" },
      { authority: "u@a" },
      { authority: "a/b" },
      { headers: { "a b": "c" } },
      { headers: { ":path": "/c" } },
      { headers: { a: "b\n" } },
      { headers: { host: "u@a" } }
    ]) {
      const refused = request(wrong)
      assert.strictEqual("_tag" in refused ? refused._tag : "sent", "InvalidMessage", JSON.stringify(wrong))
      assert.deepStrictEqual(side.sent(), [])
    }
  })
})
