import { assert, describe, it } from "@effect/vitest"
import { ConnectionLost, WebSocketError } from "@sluice/core/protocol/websocket/WebSocketError"
import { WebSocketPings } from "@sluice/core/session/WebSocketPings"
import * as Exit from "effect/Exit"

/** Three Pings that wait, and who was answered. */
const make = () => {
  const pings = new WebSocketPings()
  const heard: Array<string> = []
  const pending = [1, 2, 3].map((number) =>
    pings.add(Uint8Array.of(number), (exit) => heard.push(`${number} ${exit._tag}`))
  )
  return { pings, heard, pending }
}

describe("WebSocketPings", () => {
  it("RFC 6455 §5.5.3: a Pong answers its Ping and those before it", () => {
    const { heard, pings } = make()
    pings.answered(Uint8Array.of(2))
    assert.deepStrictEqual(heard, ["1 Success", "2 Success"])
    pings.answered(Uint8Array.of(2))
    pings.answered(Uint8Array.of())
    pings.answered(Uint8Array.of(3, 3))
    assert.strictEqual(heard.length, 2)
  })

  it("who has left hears nothing; all others fail together", () => {
    const { heard, pending, pings } = make()
    pings.forget(pending[1]!)
    pings.failAll(() => Exit.fail(new WebSocketError({ reason: new ConnectionLost() })))
    assert.deepStrictEqual(heard, ["1 Failure", "3 Failure"])
  })

  it("payloads of its own are all different", () => {
    const pings = new WebSocketPings()
    const drawn = Array.from({ length: 300 }, () => pings.next().join())
    assert.strictEqual(new Set(drawn).size, 300)
  })
})
