import { assert, describe, it } from "@effect/vitest"
import * as WebSocketCloseCode from "@sluice/core/protocol/websocket/WebSocketCloseCode"
import * as WebSocketError from "@sluice/core/protocol/websocket/WebSocketError"
import * as Effect from "effect/Effect"

describe("a reason says who is at fault, and what the peer is told", () => {
  const reasons: ReadonlyArray<readonly [WebSocketError.Violation, fault: string, closeCode: number]> = [
    [new WebSocketError.ProtocolViolation("reserved bits"), "peer", 1002],
    [new WebSocketError.InvalidUtf8(), "peer", 1007],
    [new WebSocketError.InvalidCompression(), "peer", 1007],
    [new WebSocketError.FrameTooLarge(2, 1), "limit", 1009],
    [new WebSocketError.MessageTooLarge(2, 1), "limit", 1009],
    [new WebSocketError.TooManyFragments(1), "limit", 1008],
    [new WebSocketError.Flood("control frames", 1, 10), "limit", 1008],
    [new WebSocketError.KeepaliveTimeout(1), "limit", 1006],
    [new WebSocketError.CloseTimeout(1), "limit", 1006]
  ]
  for (const [reason, fault, closeCode] of reasons) {
    it(reason._tag, () => {
      assert.strictEqual(reason.fault, fault)
      assert.strictEqual(reason.closeCode, closeCode)
      assert.notStrictEqual(new WebSocketError.WebSocketError({ reason }).message, "")
      // What never goes on the wire is told to nobody: the transport is given up.
      const isTold = WebSocketCloseCode.isOnWire(reason.closeCode)
      assert.strictEqual(isTold, !reason._tag.endsWith("Timeout"))
    })
  }
  it("those without a Close frame", () => {
    assert.strictEqual(new WebSocketError.ConnectionLost().fault, "transport")
    assert.match(new WebSocketError.ConnectionLost("ECONNRESET").message, /Close frame: ECONNRESET$/)
    assert.strictEqual(new WebSocketError.SendStalled(1).fault, "limit")
    assert.strictEqual(new WebSocketError.Closed(1001, "bye").message, "the WebSocket was closed with 1001: bye")
    assert.strictEqual(new WebSocketError.Closed(1001, "").fault, "transport")
    assert.strictEqual(new WebSocketError.SendAfterClose().fault, "caller")
    assert.strictEqual(new WebSocketError.HandshakeInvalid(426, "sec-websocket-version", "it must be 13").status, 426)
    assert.strictEqual(new WebSocketError.HandshakeRefused("status", "503").message, "status: 503")
  })
})

it.effect("one reason can be caught by its name", () =>
  Effect.gen(function* () {
    const reason: WebSocketError.Reason = new WebSocketError.MessageTooLarge(11, 10)
    const caught = yield* Effect.fail(new WebSocketError.WebSocketError({ reason })).pipe(
      Effect.catchReason("WebSocketError", "MessageTooLarge", (reason) => Effect.succeed(reason.limitBytes))
    )
    assert.strictEqual(caught, 10)
  })
)
