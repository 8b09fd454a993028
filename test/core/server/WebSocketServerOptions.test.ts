import { assert, describe, it } from "@effect/vitest"
import * as WebSocketServerOptions from "@sluice/core/server/WebSocketServerOptions"

describe("resolve", () => {
  it("has the defaults that its documentation says, and takes what is given", () => {
    const defaults = WebSocketServerOptions.resolve()
    assert.deepStrictEqual([defaults.origins, defaults.protocols], ["same-origin", []])
    assert.strictEqual(defaults.limits.sendBytes, 65_536)
    const given = WebSocketServerOptions.resolve({ origins: ["https://a.test"], protocols: ["a"], sendBuffer: "1 KiB" })
    assert.deepStrictEqual([given.origins, given.protocols, given.limits.sendBytes], [["https://a.test"], ["a"], 1024])
  })

  it("names what makes no sense", () => {
    assert.throws(() => WebSocketServerOptions.resolve({ maxMessageSize: 1 }), /maxMessageSize/)
  })
})
