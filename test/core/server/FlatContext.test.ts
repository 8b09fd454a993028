import { assert, it } from "@effect/vitest"
import * as FlatContext from "@sluice/core/server/FlatContext"
import * as Context from "effect/Context"

class A extends Context.Service<A, number>()("A") {}
class B extends Context.Service<B, number>()("B") {}

it("has the same services, and the context that it was made of does not feel what is added", () => {
  const base = Context.make(A, 1).pipe(Context.add(B, 2)) as Context.Context<never>
  const flat = FlatContext.make(base) as Context.Context<never> as Context.Context<A | B>
  assert.deepStrictEqual([Context.get(flat, A), Context.get(flat, B)], [1, 2])
  assert.strictEqual(Context.get(Context.add(flat, A, 3), A), 3)
  assert.strictEqual(Context.get(base as Context.Context<A | B>, A), 1)
})
