/** The frames of the load against the engine that servers read them with. */
import * as WebSocketConnection from "@sluice/core/protocol/websocket/WebSocketConnection"
import * as WebSocketOptions from "@sluice/core/protocol/websocket/WebSocketOptions"
import { assert, it } from "vitest"
import * as WebSocketFrames from "../../../bench/src/rows/WebSocketFrames.ts"

/** What a server's engine makes of Latin-1 text from a client, and what it answers. */
const serve = (wire: string) => {
  const heard: Array<string | Uint8Array> = []
  const connection: WebSocketConnection.WebSocketConnection = WebSocketConnection.make(
    {
      onMessage: (data) => {
        heard.push(data)
        if (typeof data === "string") connection.sendText(data)
      },
      onPing() {},
      onPong() {},
      onViolation: (violation) => assert.fail(violation._tag),
      onClose: (code) => void heard.push(`close ${code}`)
    },
    { role: "server", limits: WebSocketOptions.resolve(), nowMillis: 0 }
  )
  connection.receive(Buffer.from(wire, "latin1"), 0)
  return { heard, said: Buffer.concat(connection.output.take()).toString("latin1") }
}

it("a client's text is heard, and its echo is a server's text", () => {
  const { heard, said } = serve(WebSocketFrames.clientText("hello"))
  assert.deepStrictEqual(heard, ["hello"])
  assert.strictEqual(said, WebSocketFrames.serverText("hello"))
})

it("a client's close is answered with one that begins as expected", () => {
  const { heard, said } = serve(WebSocketFrames.clientClose())
  assert.deepStrictEqual(heard, ["close 1000"])
  assert.isTrue(said.startsWith(WebSocketFrames.closeBegins))
})
