import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Sha1 from "@sluice/core/bytes/Sha1"
import * as Hex from "../../harness/Hex.ts"

const digestOf = (text: string): string => Buffer.from(Sha1.digest(Buffer.from(text))).toString("hex")

describe("the vectors of FIPS 180", () => {
  const vectors: ReadonlyArray<readonly [text: string, digest: string]> = [
    ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
    ["a".repeat(1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"]
  ]
  for (const [text, digest] of vectors) {
    it(text.length > 60 ? `${text.length} characters` : `"${text}"`, () => assert.strictEqual(digestOf(text), digest))
  }
})

it("agrees with the platform at every length around the blocks", () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff)
    assert.strictEqual(Hex.show(Sha1.digest(bytes)), Hex.show(createHash("sha1").update(bytes).digest()), `${length}`)
  }
})
