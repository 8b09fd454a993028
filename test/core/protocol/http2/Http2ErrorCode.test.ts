import { assert, it } from "@effect/vitest"
import * as Code from "@sluice/core/protocol/http2/Http2ErrorCode"

it("RFC 9113 §7: the codes", () => {
  const { nameOf, ...codes } = Code
  assert.deepStrictEqual(codes, {
    NoError: 0x0,
    ProtocolError: 0x1,
    InternalError: 0x2,
    FlowControlError: 0x3,
    SettingsTimeout: 0x4,
    StreamClosed: 0x5,
    FrameSizeError: 0x6,
    RefusedStream: 0x7,
    Cancel: 0x8,
    CompressionError: 0x9,
    ConnectError: 0xa,
    EnhanceYourCalm: 0xb,
    InadequateSecurity: 0xc,
    Http11Required: 0xd
  })
  // NoError is NO_ERROR, and so on.
  for (const [name, code] of Object.entries(codes)) {
    assert.strictEqual(nameOf(code).replaceAll("_", "").toLowerCase(), name.toLowerCase())
  }
})

it("an unknown code is shown by its number", () => {
  assert.deepStrictEqual([0xe, 0xffffffff].map(Code.nameOf), ["0xe", "0xffffffff"])
})
