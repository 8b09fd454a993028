import { assert, describe, it } from "@effect/vitest"
import * as GrpcWebText from "@sluice/core/grpc/server/GrpcWebText"
import * as Chunkings from "../../../harness/Chunkings.ts"

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"))

const read = (chunks: ReadonlyArray<Uint8Array>): string | "malformed" => {
  const reader = new GrpcWebText.GrpcWebTextReader()
  const parts = chunks.map((chunk) => Buffer.from(reader.push(chunk)).toString("latin1"))
  return reader.end() ? parts.join("") : "malformed"
}

describe("GrpcWebText", () => {
  it("writes any bytes with padding, as the host's base64 does", () => {
    for (let length = 0; length <= 100; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 151 + length * 7) & 0xff)
      assert.strictEqual(
        Buffer.from(GrpcWebText.encode(bytes)).toString("latin1"),
        Buffer.from(bytes).toString("base64"),
        String(length)
      )
    }
  })

  const cases: ReadonlyArray<readonly [rule: string, text: string, bytes: string]> = [
    ["nothing", "", ""],
    ["whole groups", "YWJjZGVm", "abcdef"],
    ["one byte with padding", "YQ==", "a"],
    ["two bytes with padding", "YWI=", "ab"],
    ["padding in the middle, between parts", "YQ==YmM=ZGVm", "abcdef"],
    ["parts of nothing but padded bytes", "YQ==YQ==YQ==", "aaa"],
    ["both digits beside letters and figures", "+/+/", "\xfb\xff\xbf"],
    ["bits behind the last byte are not looked at", "YR==", "a"],
    ["a digit too few", "YWJjZ", "malformed"],
    ["padding is missing at the end", "YQ", "malformed"],
    ["half of the padding", "YQ=", "malformed"],
    ["padding in front", "=YWJ", "malformed"],
    ["padding behind one digit", "Y===", "malformed"],
    ["padding behind a group", "YWJj=", "malformed"],
    ["a digit between padding", "YQ=Q", "malformed"],
    ["a character of the alphabet for URLs", "-_-_", "malformed"],
    ["a line break", "YWJj\r\nZGVm", "malformed"],
    ["a byte above 127", "YWJ\xff", "malformed"]
  ]
  for (const [rule, text, bytes] of cases) {
    it(`reads, however it is cut: ${rule}`, () => {
      for (const chunks of Chunkings.everySplit(ascii(text))) {
        assert.strictEqual(read(chunks), bytes, Chunkings.show(chunks))
      }
    })
  }

  it("reads what it writes, each byte sent alone", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
    const chunks = [...bytes].map((byte) => GrpcWebText.encode(Uint8Array.of(byte)))
    assert.strictEqual(read(chunks), Buffer.from(bytes).toString("latin1"))
  })

  it("reads nothing behind what is no base64", () => {
    const reader = new GrpcWebText.GrpcWebTextReader()
    assert.strictEqual(reader.push(ascii("YWJj!")).length, 0)
    assert.isTrue(reader.isMalformed)
    assert.strictEqual(reader.push(ascii("YWJj")).length, 0)
    assert.isFalse(reader.end())
  })
})
