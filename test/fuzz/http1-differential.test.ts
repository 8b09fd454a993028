import { assert, it } from "vitest"
import * as Http1Differential from "./Http1Differential.ts"

it("reads the same messages as node:http, or refuses by a rule", async () => {
  const result = Http1Differential.tally()
  await Http1Differential.run(1, 150, result)
  assert.deepStrictEqual(result.unexplained, [])
  // Both roles have met messages that both sides took, and some that only one did.
  assert.isAbove(result.counts.get("server: the same") ?? 0, 50)
  assert.isAbove(result.counts.get("client: the same") ?? 0, 50)
})
