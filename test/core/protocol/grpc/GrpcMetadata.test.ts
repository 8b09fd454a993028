import { assert, describe, it } from "@effect/vitest"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { ofHead, ofTrailers } from "@sluice/core/protocol/http2/Http2PreparedFields"
import * as Formatter from "effect/Formatter"

const fieldsOf = (...lines: ReadonlyArray<readonly [name: string, value: string]>): Http2Fields => {
  const fields = new Http2Fields()
  for (const [name, value] of lines) fields.add(name, value)
  return fields
}

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)

/** A record of fields as a plain object, to be compared. */
const plain = (record: object): object => ({ ...record })

describe("text", () => {
  const metadata = GrpcMetadata.make({ "X-One": "1", "x-two": ["a", "b, c"], "x-none": [], "x-gone": undefined })
  it("is found in any case, the first of several", () => {
    assert.strictEqual(metadata.get("x-one"), "1")
    assert.strictEqual(metadata.get("X-ONE"), "1")
    assert.strictEqual(metadata.get("x-two"), "a")
    assert.deepStrictEqual(metadata.getAll("x-Two"), ["a", "b, c"])
  })
  it("that is not there", () => {
    assert.isUndefined(metadata.get("x-none"))
    assert.isUndefined(metadata.get("a"))
    assert.deepStrictEqual(metadata.getAll("x-gone"), [])
    assert.isFalse(metadata.has("x-gone"))
    assert.isTrue(metadata.has("X-one"))
  })
  it("is no name of a value", () => assert.isFalse(metadata.has("a")))
  it("is sent in order, a field for each value", () =>
    assert.deepStrictEqual(plain(metadata.toFields()), { "x-one": "1", "x-two": ["a", "b, c"] }))
  it("is sent without the white space around it, which may be stripped", () =>
    assert.strictEqual(GrpcMetadata.make({ a: "  b c " }).get("a"), "b c"))
  it("may be empty", () => assert.strictEqual(GrpcMetadata.make({ a: "" }).get("a"), ""))
  it("of a name that every record would have", () => {
    const odd = GrpcMetadata.make(Object.fromEntries([["__proto__", "x"]])).append("constructor", "y")
    assert.deepStrictEqual(Object.entries(odd.toFields()), [
      ["__proto__", "x"],
      ["constructor", "y"]
    ])
    assert.isUndefined(GrpcMetadata.empty.get("constructor"))
  })
})

describe("bytes", () => {
  const metadata = GrpcMetadata.make({ "x-Bin": [bytes(1), bytes(2, 3)], "y-bin": bytes() })
  it("are there under names that end in -bin", () => {
    assert.deepStrictEqual(metadata.getBinary("X-bin"), bytes(1))
    assert.deepStrictEqual(metadata.getAllBinary("x-bin"), [bytes(1), bytes(2, 3)])
    assert.deepStrictEqual(metadata.getBinary("y-bin"), bytes())
    assert.isUndefined(metadata.getBinary("z-bin"))
  })
  it("are no text, and text is no bytes", () => {
    assert.isUndefined(metadata.get("x-bin"))
    assert.deepStrictEqual(metadata.getAll("x-bin"), [])
    assert.isUndefined(GrpcMetadata.make({ a: "AQ" }).getBinary("a"))
  })
  it("are sent without padding", () =>
    assert.deepStrictEqual(plain(metadata.toFields()), { "x-bin": ["AQ", "AgM"], "y-bin": "" }))
  const rows: ReadonlyArray<readonly [rule: string, value: string, found: ReadonlyArray<Uint8Array>]> = [
    ["MUST accept padded values", "AQ==", [bytes(1)]],
    ["MUST accept un-padded values", "AQ", [bytes(1)]],
    ['must split on "," before decoding', "AQ==,AgM, AQ", [bytes(1), bytes(2, 3), bytes(1)]],
    ["what is no base64 is left out", "AQ,!,AgM", [bytes(1), bytes(2, 3)]],
    ["an empty value", "", [bytes()]]
  ]
  for (const [rule, value, found] of rows) {
    it(rule, () => {
      const received = GrpcMetadata.fromFields(fieldsOf(["x-bin", value]))
      assert.deepStrictEqual(received.getAllBinary("x-bin"), found)
      assert.deepStrictEqual(
        received.entries(),
        found.map((one) => ["x-bin", one] as const)
      )
    })
  }
})

describe("what cannot be sent is a mistake", () => {
  const rows: ReadonlyArray<readonly [rule: string, input: GrpcMetadata.Input]> = [
    ["no name", { "": "a" }],
    ["a space in a name", { "a b": "a" }],
    ["a token of HTTP that gRPC has not", { "a!": "a" }],
    ["a pseudo-header field", { ":path": "/" }],
    ["a name of gRPC", { "grpc-status": "0" }],
    ["a name that gRPC may have one day", { "GRPC-future": "0" }],
    ["te", { TE: "trailers" }],
    ["content-type", { "content-type": "text/plain" }],
    ["a field of the connection", { connection: "close" }],
    ["a line break", { a: "b\r\nc: d" }],
    ["a tab", { a: "b\tc" }],
    ["a letter outside ASCII", { a: "é" }],
    ["one of several values", { a: ["b", "\0"] }],
    ["bytes for text", { a: bytes(1) }],
    ["text for bytes", { "a-bin": "AQ" }]
  ]
  for (const [rule, input] of rows) {
    it(rule, () => {
      assert.throws(() => GrpcMetadata.make(input), RangeError)
      for (const [name, value] of Object.entries(input)) {
        assert.throws(() => GrpcMetadata.empty.set(name, value!), RangeError)
        assert.throws(() => GrpcMetadata.empty.append(name, value!), RangeError)
      }
    })
  }
})

describe("a value", () => {
  const metadata = GrpcMetadata.make({ a: ["1", "2"], b: "3" })
  const entriesOf = (one: GrpcMetadata.GrpcMetadata) => one.entries().map(([name, value]) => `${name}=${value}`)
  const rows: ReadonlyArray<readonly [name: string, made: () => GrpcMetadata.GrpcMetadata, entries: string]> = [
    ["set", () => metadata.set("A", "4"), "b=3 a=4"],
    ["set of several", () => metadata.set("c", ["4", "5"]), "a=1 a=2 b=3 c=4 c=5"],
    ["set of none", () => metadata.set("a", []), "b=3"],
    ["append", () => metadata.append("A", "4"), "a=1 a=2 b=3 a=4"],
    ["remove", () => metadata.remove("A"), "b=3"],
    ["merge", () => metadata.merge(GrpcMetadata.make({ b: "4", c: "5" })), "a=1 a=2 b=3 b=4 c=5"]
  ]
  for (const [name, made, entries] of rows) {
    it(`${name} makes another`, () => {
      assert.strictEqual(entriesOf(made()).join(" "), entries)
      assert.strictEqual(entriesOf(metadata).join(" "), "a=1 a=2 b=3")
    })
  }
  it("is the same where nothing changes", () => {
    assert.strictEqual(metadata.remove("x"), metadata)
    assert.strictEqual(metadata.merge(GrpcMetadata.empty), metadata)
    assert.strictEqual(GrpcMetadata.empty.merge(metadata), metadata)
    assert.strictEqual(GrpcMetadata.make({}), GrpcMetadata.empty)
    assert.isTrue(GrpcMetadata.empty.isEmpty)
    assert.isFalse(metadata.isEmpty)
  })
  it("has one record to be sent, so that it is encoded once", () => {
    assert.strictEqual(metadata.toFields(), metadata.toFields())
    assert.strictEqual(metadata.toTrailers(), metadata.toTrailers())
    assert.strictEqual(GrpcMetadata.empty.toFields(), GrpcMetadata.empty.toFields())
  })
})

describe("what was received", () => {
  it("is without the fields of gRPC and HTTP, with names in lower case and in order", () => {
    const metadata = GrpcMetadata.fromFields(
      fieldsOf(
        ["host", "a"],
        ["te", "trailers"],
        ["content-type", "application/grpc"],
        ["user-agent", "grpc-test/1"],
        ["X-One", "1"],
        ["grpc-timeout", "1S"],
        ["grpc-encoding", "gzip"],
        ["grpc-accept-encoding", "gzip"],
        ["grpc-previous-rpc-attempts", "2"],
        ["grpc-status", "0"],
        ["grpc-message", "a"],
        ["grpc-status-details-bin", "AQ"],
        ["x-one", "2"]
      )
    )
    assert.deepStrictEqual(metadata.entries(), [
      ["user-agent", "grpc-test/1"],
      ["x-one", "1"],
      ["grpc-previous-rpc-attempts", "2"],
      ["x-one", "2"]
    ])
  })
  it("is read once, and not before someone asks", () => {
    let visits = 0
    class Counted extends Http2Fields {
      override visit(line: (name: string, value: string) => void): void {
        visits++
        super.visit(line)
      }
    }
    const fields = new Counted()
    fields.add("a", "1")
    const metadata = GrpcMetadata.fromFields(fields)
    assert.strictEqual(visits, 0)
    assert.strictEqual(metadata.get("a"), "1")
    assert.isFalse(metadata.isEmpty)
    assert.strictEqual(visits, 1)
  })
  it("can be sent back, whatever characters it has", () => {
    const fields = fieldsOf(["x-latin", "\u00e9"], ["x!", "1"], ["grpc-trace-bin", "AQ==,AQ"])
    const echoed = GrpcMetadata.make({ a: "b" }).merge(GrpcMetadata.fromFields(fields))
    const record = echoed.toFields()
    assert.deepStrictEqual(plain(record), { a: "b", "x-latin": "\u00e9", "x!": "1", "grpc-trace-bin": "AQ==,AQ" })
    assert.property(ofHead(record), "list")
  })
  it("RFC 9110 §6.5.1: is sent back in trailers without what they cannot have", () => {
    const fields = fieldsOf(["authorization", "secret"], ["user-agent", "a"], ["x", "1"])
    const record = GrpcMetadata.fromFields(fields).toTrailers()
    assert.deepStrictEqual(plain(record), { "user-agent": "a", x: "1" })
    assert.property(ofTrailers(record), "list")
  })
})

describe("in logs", () => {
  it("shows names and values, and not who someone is", () => {
    const own = GrpcMetadata.make({ authorization: "Bearer secret", x: ["1", "2"], "x-bin": bytes(1) })
    assert.strictEqual(JSON.stringify(own), '{"authorization":"<redacted>","x":["1","2"],"x-bin":"AQ"}')
    assert.strictEqual(own.get("authorization"), "Bearer secret")
    const received = GrpcMetadata.fromFields(fieldsOf(["x", "1"], ["Cookie", "secret"], ["grpc-status", "0"]))
    assert.strictEqual(JSON.stringify({ received }), '{"received":{"x":"1","cookie":"<redacted>"}}')
    assert.strictEqual(Formatter.format(received), '{"x":"1","cookie":"<redacted>"}')
  })
})
