import { assert, describe, it } from "@effect/vitest"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"

it("the defaults", () => {
  assert.deepStrictEqual(WebSocketOptions.resolve(), {
    maxMessageBytes: 1_048_576,
    maxFrameBytes: 1_048_576,
    maxFragmentCount: 16_384,
    keepaliveIdleMillis: 30_000,
    keepaliveTimeoutMillis: 20_000,
    closeMillis: 5_000,
    maxControlFrameCount: 1_000,
    maxTinyFragmentCount: 5_000,
    floodWindowMillis: 10_000,
    compressFromBytes: 1_024
  })
})
it("the frame limit follows the message limit", () => {
  assert.strictEqual(WebSocketOptions.resolve({ maxMessageSize: "16 MiB" }).maxFrameBytes, 16 * 1024 * 1024)
  assert.strictEqual(WebSocketOptions.resolve({ maxMessageSize: 1_000, maxFrameSize: 125 }).maxFrameBytes, 125)
})
it("keepalive can be turned off, by name", () => {
  const { keepaliveIdleMillis } = WebSocketOptions.resolve({ keepaliveIdle: "unbounded" })
  assert.strictEqual(keepaliveIdleMillis, Number.POSITIVE_INFINITY)
})
describe("out of range is a RangeError that names the option", () => {
  const cases: ReadonlyArray<readonly [option: string, options: WebSocketOptions.Options]> = [
    ["maxMessageSize", { maxMessageSize: 124 }],
    ["maxFrameSize", { maxFrameSize: 0 }],
    ["maxFragments", { maxFragments: 0 }],
    ["maxFragments", { maxFragments: 1.5 }],
    ["keepaliveIdle", { keepaliveIdle: 0 }],
    ["keepaliveTimeout", { keepaliveTimeout: 0 }],
    ["closeTimeout", { closeTimeout: "0 seconds" }],
    ["maxControlFrames", { maxControlFrames: -1 }],
    ["maxTinyFragments", { maxTinyFragments: Number.NaN }],
    ["floodWindow", { floodWindow: 0 }]
  ]
  for (const [option, options] of cases) {
    it(`${option}: ${JSON.stringify(Object.values(options)[0])}`, () => {
      assert.throws(() => WebSocketOptions.resolve(options), RangeError, option)
    })
  }
})
