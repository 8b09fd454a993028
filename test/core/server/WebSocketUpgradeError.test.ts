import { assert, describe, it } from "@effect/vitest"
import { HandshakeInvalid } from "@sluice/core/protocol/websocket/WebSocketError"
import * as UpgradeError from "@sluice/core/server/WebSocketUpgradeError"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"

const cases: ReadonlyArray<readonly [UpgradeError.Reason, status: number, headers: Record<string, string>]> = [
  [new HandshakeInvalid(400, "sec-websocket-key", "wrong"), 400, {}],
  [new HandshakeInvalid(405, "method", "wrong"), 405, { allow: "GET" }],
  [
    new HandshakeInvalid(426, "sec-websocket-version", "wrong"),
    426,
    { upgrade: "websocket", "sec-websocket-version": "13" }
  ],
  [new UpgradeError.OriginRefused("https://evil.test"), 403, {}],
  [new UpgradeError.ProtocolUnknown("chat"), 501, {}],
  [new UpgradeError.ExchangeOver("gone"), 499, {}]
]

describe("WebSocketUpgradeError", () => {
  for (const [reason, status, headers] of cases) {
    it.effect(`${reason._tag} is answered with ${status}, and not reported`, () =>
      Effect.gen(function* () {
        const error = new UpgradeError.WebSocketUpgradeError({ reason })
        const response = yield* HttpServerRespondable.toResponse(error)
        assert.strictEqual(response.status, status)
        assert.deepInclude({ ...response.headers }, headers)
        assert.isTrue(ErrorReporter.isIgnored(error))
        assert.strictEqual(error.message, reason.message)
      })
    )
  }
})
