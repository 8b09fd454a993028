import { assert, it } from "@effect/vitest"
import { tinyBytes, WebSocketAbuseGuard } from "@sluice/core/protocol/websocket/WebSocketAbuseGuard"

const make = () =>
  new WebSocketAbuseGuard({ maxControlFrameCount: 3, maxTinyFragmentCount: 2, floodWindowMillis: 1_000 })

it("control frames up to their budget, in any window", () => {
  const guard = make()
  for (const now of [0, 1, 999]) assert.isUndefined(guard.control(now))
  for (const now of [1_000, 1_500, 1_999]) assert.isUndefined(guard.control(now))
  const flood = guard.control(1_999)
  assert.strictEqual(flood?.kind, "control frames")
  assert.strictEqual(flood?.limitCount, 3)
})
it("tiny fragments have a budget of their own", () => {
  const guard = make()
  for (const now of [0, 1]) assert.isUndefined(guard.fragment(tinyBytes - 1, now))
  assert.isUndefined(guard.control(2))
  assert.strictEqual(guard.fragment(0, 3)?.kind, "tiny fragments")
})
it("other fragments cost nothing", () => {
  const guard = make()
  for (let count = 0; count < 100; count++) assert.isUndefined(guard.fragment(tinyBytes, 0))
})
it("a window begins with what is counted, not with the clock", () => {
  const guard = make()
  for (let count = 0; count < 3; count++) guard.control(5_500)
  assert.isDefined(guard.control(6_499))
  assert.isUndefined(guard.control(6_500))
})
