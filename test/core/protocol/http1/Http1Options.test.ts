import { assert, it } from "@effect/vitest"
import * as Http1Options from "@sluice/core/protocol/http1/Http1Options"

it("defaults", () => {
  assert.deepStrictEqual(Http1Options.resolve(), {
    startLineBytes: 8192,
    headerBytes: 16_384,
    fieldCount: 100,
    trailerBytes: 16_384,
    chunkExtensionBytes: 16_384,
    bodyBytes: Number.POSITIVE_INFINITY,
    waitingBytes: 65_536,
    discardBytes: 262_144,
    interimCount: 32,
    headMillis: 30_000,
    bodyMillis: 30_000,
    idleMillis: 65_000,
    responseMillis: 300_000,
    sendMillis: 30_000,
    closeMillis: 5_000,
    epochOffsetMillis: undefined
  })
})

it("what is given is converted", () => {
  const resolved = Http1Options.resolve({
    maxHeaderSize: "1 KiB",
    maxBodySize: 5,
    idleTimeout: "unbounded",
    headTimeout: "2 seconds"
  })
  assert.strictEqual(resolved.headerBytes, 1024)
  assert.strictEqual(resolved.bodyBytes, 5)
  assert.strictEqual(resolved.idleMillis, Number.POSITIVE_INFINITY)
  assert.strictEqual(resolved.headMillis, 2_000)
  assert.strictEqual(Http1Options.resolve({ maxBodySize: "unbounded" }).bodyBytes, Number.POSITIVE_INFINITY)
})

it("what is out of range is a RangeError that names the option", () => {
  assert.throws(() => Http1Options.resolve({ maxHeaderSize: 15 }), /maxHeaderSize/)
  assert.throws(() => Http1Options.resolve({ maxBodySize: 0 }), /maxBodySize/)
  assert.throws(() => Http1Options.resolve({ maxFieldCount: 0 }), /maxFieldCount/)
  assert.throws(() => Http1Options.resolve({ maxInterimResponses: 1.5 }), /maxInterimResponses/)
  assert.throws(() => Http1Options.resolve({ idleTimeout: 0 }), /idleTimeout/)
})
