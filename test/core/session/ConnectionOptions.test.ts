import { assert, describe, it } from "@effect/vitest"
import * as ConnectionOptions from "@sluice/core/session/ConnectionOptions"
import * as Duration from "effect/Duration"

describe("resolve", () => {
  it("has the documented defaults", () => {
    const defaults = {
      idleMillis: 300_000,
      readMillis: 30_000,
      writeMillis: 30_000,
      closeMillis: 5_000,
      receiveBytes: 65_536,
      sendBytes: 65_536
    }
    assert.deepStrictEqual(ConnectionOptions.resolve(), defaults)
    assert.deepStrictEqual(ConnectionOptions.resolve({ idleTimeout: undefined, receiveBuffer: undefined }), defaults)
  })

  it("converts each option to its own field", () => {
    assert.deepStrictEqual(
      ConnectionOptions.resolve({
        idleTimeout: "1 minute",
        readTimeout: 2_000,
        writeTimeout: Duration.seconds(3),
        closeTimeout: "4 millis",
        receiveBuffer: "5 KiB",
        sendBuffer: 6
      }),
      { idleMillis: 60_000, readMillis: 2_000, writeMillis: 3_000, closeMillis: 4, receiveBytes: 5_120, sendBytes: 6 }
    )
  })

  it("unbounded is Infinity", () => {
    const resolved = ConnectionOptions.resolve({
      idleTimeout: "unbounded",
      readTimeout: "unbounded",
      writeTimeout: Duration.infinity
    })
    assert.deepStrictEqual(
      [resolved.idleMillis, resolved.readMillis, resolved.writeMillis],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    )
  })

  const refused: ReadonlyArray<readonly [name: string, options: ConnectionOptions.Options]> = [
    ["idleTimeout", { idleTimeout: 0 }],
    ["readTimeout", { readTimeout: "0 seconds" }],
    ["writeTimeout", { writeTimeout: -1 }],
    ["closeTimeout", { closeTimeout: Duration.zero }],
    ["idleTimeout", { idleTimeout: Number.NaN }],
    ["receiveBuffer", { receiveBuffer: 0 }],
    ["sendBuffer", { sendBuffer: "0 B" }]
  ]
  for (const [name, options] of refused) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => ConnectionOptions.resolve(options), RangeError, name)
    })
  }
})
