import { assert, describe, it } from "@effect/vitest"
import * as GrpcBase64 from "@sluice/core/protocol/grpc/GrpcBase64"
import * as Hex from "../../../harness/Hex.ts"

describe("RFC 4648 §10: test vectors", () => {
  const rows = [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"]
  ] as const
  for (const [text, padded] of rows) {
    it(JSON.stringify(text), () => {
      const bytes = new TextEncoder().encode(text)
      const bare = padded.replaceAll("=", "")
      assert.strictEqual(GrpcBase64.encode(bytes), bare)
      assert.deepStrictEqual(GrpcBase64.decode(bare), bytes)
      assert.deepStrictEqual(GrpcBase64.decode(padded), bytes)
    })
  }
})

it("every byte, and every length, as Node has them", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length * 31) & 0xff)
    const text = Buffer.from(bytes).toString("base64")
    assert.strictEqual(GrpcBase64.encode(bytes), text.replace(/=+$/, ""))
    assert.deepStrictEqual(GrpcBase64.decode(text), bytes)
  }
  assert.strictEqual(Hex.show(GrpcBase64.decode("+/+/")!), "fb ff bf")
})

it("RFC 4648 §3.5: bits behind the last byte are not looked at", () => {
  assert.strictEqual(Hex.show(GrpcBase64.decode("Zh")!), "66")
  assert.strictEqual(Hex.show(GrpcBase64.decode("Zm9=")!), "66 6f")
})

describe("what is no base64", () => {
  const rows: ReadonlyArray<readonly [rule: string, text: string]> = [
    ["a single digit", "Z"],
    ["a single digit behind a group", "Zm9vZ"],
    ["padding that is too short", "Zg="],
    ["padding that is too long", "Zg==="],
    ["padding of a whole group", "Zm9v===="],
    ["padding alone", "="],
    ["a group of padding", "===="],
    ["padding inside", "Zg==Zg=="],
    ["padding behind a single digit", "Z==="],
    ["the alphabet for file names", "-_-_"],
    ["a space", "Zm 9v"],
    ["a character above U+00FF", "Zm9\u0176"]
  ]
  for (const [rule, text] of rows) it(rule, () => assert.isUndefined(GrpcBase64.decode(text)))
})
