import { assert, describe, it } from "@effect/vitest"
import * as Crc32c from "@sluice/core/protocol/proxy/Crc32c"

const ascending = Uint8Array.from({ length: 32 }, (_, index) => index)

/** RFC 3720 appendix B.4, and the check value of the catalogue of CRCs. */
const cases: ReadonlyArray<readonly [rule: string, bytes: Uint8Array, crc: number]> = [
  ["nothing", new Uint8Array(0), 0],
  ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes ascending", ascending, 0x46dd794e],
  ["32 bytes descending", ascending.toReversed(), 0x113fdb5c],
  ["123456789", Buffer.from("123456789"), 0xe3069283]
]

describe("RFC 3720 appendix B.4", () => {
  for (const [rule, bytes, crc] of cases) it(rule, () => assert.strictEqual(Crc32c.of(bytes), crc))
})
