import { assert, describe, it } from "@effect/vitest"
import * as Http2Options from "@sluice/core/protocol/http2/Http2Options"

const largest = 2 ** 31 - 1

it("defaults", () => {
  const server: Http2Options.Resolved = {
    streamCount: 128,
    streamWindowBytes: 262_144,
    connectionWindowBytes: 1_048_576,
    frameBytes: 16_384,
    headerBytes: 16_384,
    fieldCount: 100,
    headerTableBytes: 4_096,
    bodyBytes: Number.POSITIVE_INFINITY,
    sendBufferBytes: 131_072,
    headMillis: 30_000,
    bodyMillis: 30_000,
    idleMillis: 65_000,
    sendMillis: 30_000,
    settingsMillis: 10_000,
    pingIntervalMillis: 30_000,
    pingTimeoutMillis: 20_000,
    closeMillis: 5_000,
    epochOffsetMillis: undefined
  }
  assert.deepStrictEqual(Http2Options.resolve("server"), server)
  assert.deepStrictEqual(Http2Options.resolve("client"), { ...server, idleMillis: Number.POSITIVE_INFINITY })
})

it("what is given is converted", () => {
  const resolved = Http2Options.resolve("client", {
    streamWindow: "1 MiB",
    maxBodySize: 5,
    idleTimeout: "2 minutes",
    headTimeout: "unbounded",
    maxConcurrentStreams: 1,
    epochOffsetMillis: 7
  })
  assert.strictEqual(resolved.streamWindowBytes, 1_048_576)
  assert.strictEqual(resolved.bodyBytes, 5)
  assert.strictEqual(resolved.idleMillis, 120_000)
  assert.strictEqual(resolved.headMillis, Number.POSITIVE_INFINITY)
  assert.strictEqual(resolved.streamCount, 1)
  assert.strictEqual(resolved.epochOffsetMillis, 7)
  assert.strictEqual(Http2Options.resolve("server", { maxBodySize: "unbounded" }).bodyBytes, Number.POSITIVE_INFINITY)
})

describe("what is out of range is a RangeError that names the option", () => {
  const ranges: ReadonlyArray<readonly [name: keyof Http2Options.Options, least: number, most: number]> = [
    ["maxConcurrentStreams", 1, largest],
    ["streamWindow", 1, largest],
    ["connectionWindow", 65_535, largest],
    // RFC 9113 §6.5.2
    ["maxFrameSize", 16_384, 2 ** 24 - 1],
    ["maxHeaderSize", 1024, 2 ** 24],
    ["maxFieldCount", 1, largest],
    ["headerTableSize", 0, 2 ** 24],
    ["maxBodySize", 1, Number.MAX_SAFE_INTEGER],
    ["sendBufferSize", 1, largest]
  ]
  for (const [name, least, most] of ranges) {
    it(name, () => {
      for (const good of [least, most]) Http2Options.resolve("server", { [name]: good })
      for (const bad of [least - 1, most + 1]) {
        assert.throws(() => Http2Options.resolve("server", { [name]: bad }), RangeError, name)
      }
    })
  }

  for (const name of ["maxConcurrentStreams", "maxFieldCount"] as const) {
    it(`${name} is a whole number`, () => {
      assert.throws(() => Http2Options.resolve("server", { [name]: 1.5 }), RangeError, name)
    })
  }

  const times: ReadonlyArray<keyof Http2Options.Options> = [
    "headTimeout",
    "bodyTimeout",
    "idleTimeout",
    "sendTimeout",
    "settingsTimeout",
    "pingInterval",
    "pingTimeout",
    "closeTimeout"
  ]
  for (const name of times) {
    it(name, () => {
      Http2Options.resolve("server", { [name]: 1 })
      assert.throws(() => Http2Options.resolve("server", { [name]: 0 }), RangeError, name)
    })
  }
})
