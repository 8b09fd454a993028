import { assert, it } from "@effect/vitest"
import { isHttpExchange, TypeId } from "@sluice/core/session/HttpExchange"

it("an exchange is known by its mark", () => {
  assert.isTrue(isHttpExchange({ [TypeId]: TypeId }))
  assert.isFalse(isHttpExchange({}))
  assert.isFalse(isHttpExchange(undefined))
})
