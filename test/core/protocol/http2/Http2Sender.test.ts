import { assert, describe, it } from "@effect/vitest"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import type { Body } from "@sluice/core/protocol/http2/Http2Sender"
import * as Hex from "../../../harness/Hex.ts"
import * as Wire from "../../../harness/Http2Wire.ts"
import { ask, body, client, get, post, type Side, server } from "./Recorder.ts"

/** A server with a request that nobody has answered. */
const asked = (method = "GET", options = {}): Side =>
  server({}, options).receive(Wire.headers(1, Wire.requestOf(method, "/"), "END_STREAM"))

describe("RFC 9110 §8.6: Content-Length of whole responses", () => {
  const text = "abc"
  const rows: ReadonlyArray<
    readonly [
      rule: string,
      method: string,
      status: number,
      headers: FieldsInput,
      body: Body,
      sent: ReadonlyArray<string>
    ]
  > = [
    ["it is that of the body", "GET", 200, {}, text, ["content-length=3", "DATA 1 'abc' END_STREAM"]],
    ["of bytes too", "GET", 200, {}, body(2), ["content-length=2", "DATA 1 'aa' END_STREAM"]],
    ["none where there is no body: END_STREAM says it", "GET", 200, {}, undefined, ["END_STREAM"]],
    ["none is 0 where it is given", "GET", 200, { "content-length": "0" }, undefined, ["content-length=0 END_STREAM"]],
    ["0 where it is empty", "GET", 404, {}, "", ["content-length=0 END_STREAM"]],
    ["given and true", "GET", 200, { "Content-Length": "3" }, text, ["content-length=3", "DATA 1 'abc' END_STREAM"]],
    ["HEAD: what a GET would have had", "HEAD", 200, {}, text, ["content-length=3 END_STREAM"]],
    ["HEAD: as it is given", "HEAD", 200, { "content-length": "77" }, undefined, ["content-length=77 END_STREAM"]],
    ["HEAD: none where none is known", "HEAD", 200, {}, undefined, ["END_STREAM"]],
    ["204 has none", "GET", 204, {}, undefined, ["END_STREAM"]],
    [
      "204 has none, also where it is given, or has a body",
      "GET",
      204,
      { "content-length": "3" },
      text,
      ["END_STREAM"]
    ],
    ["304: what a 200 would have had", "GET", 304, {}, text, ["content-length=3 END_STREAM"]],
    ["304: as it is given", "GET", 304, { "content-length": "77" }, undefined, ["content-length=77 END_STREAM"]],
    ["304: none where none is known", "GET", 304, {}, undefined, ["END_STREAM"]],
    ["205 has an empty body", "GET", 205, {}, "", ["content-length=0 END_STREAM"]]
  ]
  for (const [rule, method, status, headers, content, [head, ...rest]] of rows) {
    it(`RFC 9110 §8.6: ${rule}`, () => {
      const side = asked(method)
      assert.isUndefined(side.engine.respond(side.stream(1), status, headers, content, 0))
      assert.deepStrictEqual(side.sent(), [`HEADERS 1 :status=${status} ${head}`, ...rest])
      assert.strictEqual(side.calls.at(-1), "closed 1")
    })
  }
})

describe("responses that are refused, before a byte of them is sent", () => {
  const rows: ReadonlyArray<readonly [why: string, status: number, headers: FieldsInput, body: Body]> = [
    ["a length that is too small", 200, { "content-length": "2" }, "abc"],
    ["a length that is too large", 200, { "content-length": "4" }, "abc"],
    ["a length without a body", 200, { "content-length": "4" }, undefined],
    ["a length that is none", 200, { "content-length": "3x" }, "abc"],
    ["a length without a body, in a list", 200, { "Content-Length": ["4"] }, undefined],
    ["a length that is none, without a body", 200, { "content-length": "x" }, undefined],
    ["two lengths", 200, { "content-length": ["3", "3"] }, "abc"],
    ["an interim status", 103, {}, undefined],
    ["a status that is none", 20, {}, undefined],
    ["a status that is no number", Number.NaN, {}, undefined],
    ["101 (RFC 9113 8.6)", 101, {}, undefined],
    ["a name that is none", 200, { "a b": "c" }, undefined],
    ["a pseudo-header field", 200, { ":status": "200" }, undefined],
    ["a value with a line feed", 200, { a: "b\nc: d" }, undefined],
    ["a value that is not Latin-1", 200, { a: "\u20ac" }, undefined]
  ]
  for (const [why, status, headers, content] of rows) {
    it(why, () => {
      const side = asked()
      const stream = side.stream(1)
      const refusal = side.engine.respond(stream, status, { "x-kept": why, ...headers }, content, 0)
      assert.strictEqual(refusal?._tag, "InvalidMessage")
      assert.deepStrictEqual(side.sent(), [])
      // The stream is as it was, and so is the compression: no field of the table that the peer does not have.
      assert.isUndefined(side.engine.respond(stream, 200, { "x-kept": why }, "ok", 0))
      assert.deepStrictEqual(side.sent(), [
        `HEADERS 1 :status=200 x-kept=${why} content-length=2`,
        "DATA 1 'ok' END_STREAM"
      ])
    })
  }
})

describe("bodies that come in parts", () => {
  const begin = (headers: FieldsInput, method = "GET", status = 200): Side => {
    const side = asked(method)
    assert.isUndefined(side.engine.beginResponse(side.stream(1), status, headers, 0))
    side.taken()
    return side
  }
  it("without a length, as much as comes", () => {
    const side = begin({})
    const stream = side.stream(1)
    for (const part of ["abc", "", body(0), body(2)]) assert.isUndefined(side.engine.write(stream, part, 0))
    assert.isUndefined(side.engine.end(stream, undefined, 0))
    assert.deepStrictEqual(side.sent(), ["DATA 1 'abc'", "DATA 1 'aa'", "DATA 1 '' END_STREAM"])
  })
  it("with a length, no more: the part is refused whole, and the stream is as it was", () => {
    const side = begin({ "content-length": "5" })
    const stream = side.stream(1)
    assert.isUndefined(side.engine.write(stream, "abc", 0))
    assert.strictEqual(side.engine.write(stream, "def", 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.write(stream, "de", 0))
    assert.strictEqual(side.engine.write(stream, "f", 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.end(stream, undefined, 0))
    assert.deepStrictEqual(side.sent(), ["DATA 1 'abc'", "DATA 1 'de'", "DATA 1 '' END_STREAM"])
  })
  it("and no less: the end is refused", () => {
    const side = begin({ "content-length": "5" })
    const stream = side.stream(1)
    side.engine.write(stream, "abc", 0)
    assert.strictEqual(side.engine.end(stream, undefined, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.end(stream, { a: "b" }, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), ["DATA 1 'abc'"])
    assert.strictEqual(side.closedCount(1), 0)
  })
  it("a length counts bytes, not characters", () => {
    const side = begin({ "content-length": "6" })
    assert.isUndefined(side.engine.write(side.stream(1), "\u20ac", 0))
    assert.isUndefined(side.engine.write(side.stream(1), "\u20ac", 0))
    assert.isUndefined(side.engine.end(side.stream(1), undefined, 0))
  })
  for (const [method, status] of [
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304]
  ] as const) {
    it(`RFC 9110 §6.4.1: what is written to ${method} with ${status} is dropped, whatever length is said`, () => {
      const side = begin(status === 204 ? {} : { "content-length": "5" }, method, status)
      assert.isUndefined(side.engine.write(side.stream(1), "abc", 0))
      assert.isUndefined(side.engine.write(side.stream(1), body(100_000), 0))
      assert.strictEqual(side.stream(1).queuedBytes, 0)
      assert.isUndefined(side.engine.end(side.stream(1), undefined, 0))
      assert.deepStrictEqual(side.sent(), ["DATA 1 '' END_STREAM"])
    })
  }
  it("in their order only: head, parts, end", () => {
    const side = asked()
    const stream = side.stream(1)
    assert.strictEqual(side.engine.write(stream, "a", 0)?._tag, "StreamEnded")
    assert.strictEqual(side.engine.end(stream, undefined, 0)?._tag, "StreamEnded")
    assert.isUndefined(side.engine.beginResponse(stream, 200, {}, 0))
    assert.strictEqual(side.engine.beginResponse(stream, 200, {}, 0)?._tag, "StreamEnded")
    assert.strictEqual(side.engine.respond(stream, 200, {}, undefined, 0)?._tag, "StreamEnded")
    assert.strictEqual(side.engine.interim(stream, 103, {}, 0)?._tag, "StreamEnded")
    side.engine.write(stream, body(100_000), 0)
    assert.isUndefined(side.engine.end(stream, undefined, 0))
    assert.strictEqual(side.engine.write(stream, "late", 0)?._tag, "StreamEnded")
    assert.strictEqual(side.engine.end(stream, { late: "1" }, 0)?._tag, "StreamEnded")
  })
})

describe("trailers", () => {
  const trailed = (trailers: FieldsInput): Side => {
    const side = asked()
    side.engine.beginResponse(side.stream(1), 200, {}, 0)
    side.taken()
    side.engine.end(side.stream(1), trailers, 0)
    return side
  }
  it("end the stream", () => {
    assert.deepStrictEqual(trailed({ "Grpc-Status": "0", x: ["1", "2"] }).sent(), [
      "HEADERS 1 grpc-status=0 x=1 x=2 END_STREAM"
    ])
  })
  it("none of them are no header block", () => {
    assert.deepStrictEqual(trailed({ x: undefined }).sent(), ["DATA 1 '' END_STREAM"])
  })
  it("that are invalid are refused at once, also behind what is queued, and nothing of them is kept", () => {
    for (const trailers of [{ "a b": "c" }, { a: "b\r" }, { "content-length": "3" }, { ":status": "200" }]) {
      const side = asked()
      const stream = side.stream(1)
      side.engine.beginResponse(stream, 200, {}, 0)
      side.engine.write(stream, body(100_000), 0)
      side.sent()
      assert.strictEqual(side.engine.end(stream, trailers, 0)?._tag, "InvalidMessage", JSON.stringify(trailers))
      assert.deepStrictEqual(side.sent(), [])
      assert.isUndefined(side.engine.end(stream, { ok: "1" }, 0))
      side.receive(Wire.windowUpdate(0, 100_000), Wire.windowUpdate(1, 100_000))
      assert.strictEqual(side.sent().at(-1), "HEADERS 1 ok=1 END_STREAM")
    }
  })
  it("of a client's request", () => {
    const side = client()
    const stream = ask(side, "open")
    side.taken()
    side.engine.write(stream, "abc", 0)
    assert.isUndefined(side.engine.end(stream, { digest: "x" }, 0))
    assert.deepStrictEqual(side.sent(), ["DATA 1 'abc'", "HEADERS 1 digest=x END_STREAM"])
  })
})

describe("RFC 9110 §15.2: interim responses", () => {
  it("as many as there are, before the response", () => {
    const side = asked("GET", { epochOffsetMillis: 0 })
    const stream = side.stream(1)
    assert.isUndefined(side.engine.interim(stream, 100, {}, 0))
    assert.isUndefined(side.engine.interim(stream, 103, { link: "</a.css>" }, 0))
    side.engine.respond(stream, 200, { date: "x" }, undefined, 0)
    assert.deepStrictEqual(side.sent(), [
      "HEADERS 1 :status=100",
      "HEADERS 1 :status=103 link=</a.css>",
      "HEADERS 1 :status=200 date=x END_STREAM"
    ])
  })
  it("RFC 9113 §8.6: no 101, and no final ones", () => {
    const side = asked()
    for (const status of [101, 99, 200, 404, 600, Number.NaN]) {
      assert.strictEqual(side.engine.interim(side.stream(1), status, {}, 0)?._tag, "InvalidMessage", String(status))
    }
    assert.deepStrictEqual(side.sent(), [])
  })
  it("a length of theirs is not the response's", () => {
    const side = asked()
    side.engine.interim(side.stream(1), 103, { "content-length": "9" }, 0)
    assert.isUndefined(side.engine.respond(side.stream(1), 200, {}, "abc", 0))
  })
})

describe("RFC 9110 §6.6.1: Date", () => {
  const epochOffsetMillis = Date.UTC(2026, 0, 1)
  it("by the clock of the call, where the offset is known", () => {
    const side = server({}, { epochOffsetMillis }).at(61_000).receive(get(1), get(3))
    side.engine.respond(side.stream(1), 200, {}, undefined, 61_999)
    side.engine.respond(side.stream(3), 204, {}, undefined, 62_000)
    assert.deepStrictEqual(side.sent(), [
      "HEADERS 1 :status=200 date=Thu, 01 Jan 2026 00:01:01 GMT END_STREAM",
      "HEADERS 3 :status=204 date=Thu, 01 Jan 2026 00:01:02 GMT END_STREAM"
    ])
  })
  it("not beside one that is given, and not in answers where it is unknown", () => {
    const side = server({}, { epochOffsetMillis }).receive(get(1))
    side.engine.respond(side.stream(1), 200, { Date: "then" }, undefined, 0)
    assert.deepStrictEqual(side.sent(), ["HEADERS 1 :status=200 date=then END_STREAM"])
    const unknown = asked()
    unknown.engine.respond(unknown.stream(1), 200, {}, undefined, 0)
    assert.notInclude(unknown.sent().join(), "date")
  })
  it("in answers of the engine itself", () => {
    const side = server({}, { epochOffsetMillis, maxFieldCount: 1 })
    side.receive(Wire.headers(1, Wire.get("/", ["a", "b"], ["c", "d"]), "END_STREAM"))
    assert.match(side.sent().join(), /^HEADERS 1 :status=431 .*date=Thu, 01 Jan 2026/)
  })
})

describe("texts are UTF-8", () => {
  const texts = ["z\u00e9ro", "\u20ac", "\ud83d\ude00", `${"a".repeat(30)}\u00ff`, "\ud800", "\u20ac".repeat(8_000)]
  for (const text of texts) {
    it(`${text.length} characters from ${text.codePointAt(0)?.toString(16)}`, () => {
      const utf8 = new TextEncoder().encode(text)
      for (const blocked of [false, true]) {
        const side = asked()
        side.engine.output.blocked = blocked
        side.engine.respond(side.stream(1), 200, {}, text, 0)
        side.engine.output.blocked = false
        side.engine.fill(0)
        const frames = side.reader.frames(side.bytes()).filter((one) => one !== "PREFACE")
        assert.deepStrictEqual(Hex.concat(frames.slice(1).map((one) => one.payload)), utf8)
        assert.include(side.reader.lineOf(frames[0]!), `content-length=${utf8.length}`)
        assert.strictEqual(side.calls.at(-1), "closed 1")
      }
    })
  }
})

describe("RFC 9113 §4.2 and §6.10: large header blocks", () => {
  it("go on in CONTINUATION, and nothing comes between", () => {
    for (const length of [16_000, 17_000, 40_000, 16_384 * 3]) {
      const side = asked()
      side.engine.respond(side.stream(1), 200, { x: "~".repeat(length) }, "abc", 0)
      const frames = side.reader.frames(side.bytes()).filter((one) => one !== "PREFACE")
      const block = frames.filter((one) => one.type !== 0)
      assert.strictEqual(block.length, frames.length - 1)
      assert.isTrue(block.every((one) => one.payload.length <= 16_384))
      assert.deepStrictEqual(
        block.map((one) => [one.type, one.flags]),
        block.map((_, index) => [index === 0 ? 1 : 9, index === block.length - 1 ? 4 : 0])
      )
      assert.strictEqual(frames.at(-1)?.type, 0)
      const lines = block.map((one) => side.reader.lineOf(one)).join(" ")
      assert.include(lines, `x=${"~".repeat(length)}`)
    }
  })
  it("with END_STREAM on HEADERS, and of trailers and requests too", () => {
    const side = asked()
    side.engine.beginResponse(side.stream(1), 200, {}, 0)
    side.taken()
    side.engine.end(side.stream(1), { x: "~".repeat(20_000) }, 0)
    assert.deepStrictEqual(
      side.reader.frames(side.bytes()).map((one) => (one === "PREFACE" ? [] : [one.type, one.flags])),
      side.closedCount(1) === 1
        ? [
            [1, 1],
            [9, 4]
          ]
        : []
    )
    const asking = client()
    ask(asking, "whole", { headers: { x: "~".repeat(20_000) } })
    assert.deepStrictEqual(
      asking.reader.frames(asking.bytes()).map((one) => (one === "PREFACE" ? [] : [one.type, one.flags])),
      [
        [1, 1],
        [9, 4]
      ]
    )
  })
})

describe("RFC 7541 §4.2: the peer's HEADER_TABLE_SIZE", () => {
  /** The first byte of each header block: `3f…` and `20` change the size of the table. */
  const blockOf = (side: Side): Uint8Array => {
    const [first] = side.reader.frames(side.bytes())
    if (first === undefined || first === "PREFACE") throw new Error("no frame")
    return first.payload
  }
  const respond = (side: Side, id: number, value: string): Uint8Array => {
    side.receive(get(id))
    side.engine.respond(side.stream(id), 200, { "x-kept": value }, undefined, 0)
    return blockOf(side)
  }
  it("0 empties the table, which is said in the next block, and nothing is kept any more", () => {
    const side = server()
    const [first, second] = [respond(side, 1, "abc"), respond(side, 3, "abc")]
    assert.isBelow(second.length, first.length)
    side.receive(Wire.settings({ HEADER_TABLE_SIZE: 0 }))
    side.taken()
    const [third, fourth, fifth] = [respond(side, 5, "abc"), respond(side, 7, "abc"), respond(side, 9, "abc")]
    assert.strictEqual(third[0], 0x20)
    assert.notStrictEqual(fourth[0], 0x20)
    assert.strictEqual(fourth.length, third.length - 1)
    assert.deepStrictEqual(fifth, fourth)
  })
  it("the lowest and the last of sizes that change twice", () => {
    const side = server()
    respond(side, 1, "abc")
    side.receive(Wire.settings({ HEADER_TABLE_SIZE: 0 }), Wire.settings({ HEADER_TABLE_SIZE: 4_096 }))
    side.taken()
    assert.strictEqual(Hex.show(respond(side, 3, "abc").subarray(0, 4)), "20 3f e1 1f")
  })
  it("a larger one is not used above our own limit", () => {
    const side = server()
    side.receive(Wire.settings({ HEADER_TABLE_SIZE: 1_000_000 }))
    side.taken()
    assert.isAbove(respond(side, 1, "abc")[0]!, 0x7f)
  })
})

describe("requests", () => {
  it("one that is refused uses up no identifier and sends nothing", () => {
    const side = client()
    const { engine } = side
    const parts = { method: "GET", scheme: "http", authority: "a", path: "/", headers: {} } as const
    for (const wrong of [
      { ...parts, method: "G T" },
      { ...parts, path: "x" },
      { ...parts, path: undefined },
      { ...parts, headers: { "a\n": "b" } },
      { ...parts, headers: { "content-length": "3" } },
      { ...parts, authority: "a b" }
    ]) {
      const refusal = engine.request(wrong, "ab", "whole", undefined, 0)
      assert.strictEqual("_tag" in refusal ? refusal._tag : "", "InvalidMessage", JSON.stringify(wrong))
    }
    assert.deepStrictEqual(side.sent(), [])
    assert.strictEqual(ask(side).id, 1)
  })
  it("RFC 9110 §8.6: a length where a method anticipates content", () => {
    const side = client()
    ask(side, "whole", { method: "POST" })
    ask(side, "whole", { method: "GET" })
    const lines = side.sent()
    assert.match(lines[0] ?? "", /content-length=0 END_STREAM$/)
    assert.notInclude(lines[1], "content-length")
  })
  it("a large body of a request waits for its window, and ends", () => {
    const side = client()
    const parts = { method: "PUT", scheme: "http", authority: "a", path: "/", headers: {} } as const
    side.engine.request(parts, body(70_000), "whole", undefined, 0)
    assert.notMatch(side.sent().at(-1) ?? "", /END_STREAM$/)
    side.receive(Wire.windowUpdate(0, 10_000), Wire.windowUpdate(1, 10_000))
    assert.match(side.sent().at(-1) ?? "", /^DATA 1 4465 bytes END_STREAM$/)
  })
  it("RFC 9110 §8.6: a first part that is more than the length is refused with its head", () => {
    const side = client()
    const parts = {
      method: "PUT",
      scheme: "http",
      authority: "a",
      path: "/",
      headers: { "content-length": "3" }
    } as const
    const refusal = side.engine.request(parts, "abcd", "open", undefined, 0)
    assert.strictEqual("_tag" in refusal ? refusal._tag : "", "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    const fits = side.engine.request(parts, "abc", "open", undefined, 0)
    assert.isFalse("_tag" in fits)
  })
  it("RFC 9110 §8.6: a length of a request that has no content", () => {
    const side = client()
    const parts = { method: "GET", scheme: "http", authority: "a", path: "/" } as const
    const refusal = side.engine.request(
      { ...parts, headers: { "Content-Length": "3" } },
      undefined,
      "whole",
      undefined,
      0
    )
    assert.strictEqual("_tag" in refusal ? refusal._tag : "", "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    side.engine.request({ ...parts, headers: { "Content-Length": " 0 " } }, undefined, "whole", undefined, 0)
    assert.match(side.sent().join(), /content-length=0 END_STREAM$/)
  })
})

describe("requests whose response comes early", () => {
  it("a server answers before the body is there", () => {
    const side = server().receive(post(1))
    assert.isUndefined(side.engine.respond(side.stream(1), 200, {}, "early", 0))
    assert.strictEqual(side.closedCount(1), 0)
    side.receive(Wire.data(1, "abc", "END_STREAM"))
    assert.strictEqual(side.closedCount(1), 1)
  })
})

describe("RFC 9113 §10.5.1: what is above the peer's SETTINGS_MAX_HEADER_LIST_SIZE", () => {
  const limited = { MAX_HEADER_LIST_SIZE: 2_000 }
  const large = { "x-large": "a".repeat(1_700) }
  it("is refused as a response, and the stream can still be answered", () => {
    const side = server({}, {}, limited).receive(get(1), get(3))
    const stream = side.stream(1)
    side.taken()
    const refusal = side.engine.respond(stream, 200, large, "abc", 0)
    assert.strictEqual(refusal?.message, "the header section is above the 2000 bytes that the peer takes")
    assert.strictEqual(side.engine.beginResponse(stream, 200, large, 0)?._tag, "InvalidMessage")
    assert.strictEqual(side.engine.interim(stream, 103, large, 0)?._tag, "InvalidMessage")
    assert.deepStrictEqual(side.sent(), [])
    assert.isUndefined(side.engine.respond(stream, 500, {}, undefined, 0))
    assert.isUndefined(side.engine.respond(side.stream(3), 200, { "x-large": "a".repeat(1_600) }, undefined, 0))
    assert.strictEqual(side.sent().length, 2)
  })
  it("is refused as trailers and as a request", () => {
    const side = server({}, {}, limited).receive(get(1))
    side.engine.beginResponse(side.stream(1), 200, {}, 0)
    assert.strictEqual(side.engine.end(side.stream(1), { "x-large": "a".repeat(2_000) }, 0)?._tag, "InvalidMessage")
    assert.isUndefined(side.engine.end(side.stream(1), { "x-large": "a".repeat(1_900) }, 0))
    const asking = client({}, {}, limited)
    const parts = { method: "GET", scheme: "http", authority: "a", path: `/${"a".repeat(1_700)}`, headers: {} } as const
    const refused = asking.engine.request(parts, undefined, "whole", undefined, 0)
    assert.include(refused, { _tag: "InvalidMessage" })
    assert.strictEqual(asking.engine.streamCount, 0)
  })
})
