import { assert, describe, it } from "@effect/vitest"
import * as NodeSocketOptions from "@sluice/node/NodeSocketOptions"

const cases: ReadonlyArray<
  readonly [rule: string, options: NodeSocketOptions.Options, native: NodeSocketOptions.Native]
> = [
  ["small writes leave at once by default", {}, { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }],
  ["Nagle is a choice", { noDelay: false }, { noDelay: false, keepAlive: true, keepAliveInitialDelay: 60_000 }],
  [
    "keepalive has its delay",
    { keepAliveDelay: "2 minutes" },
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: 120_000 }
  ],
  [
    "a second is the least",
    { keepAliveDelay: "1 second" },
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1_000 }
  ],
  ["keepalive can be off", { keepAliveDelay: "off" }, { noDelay: true, keepAlive: false, keepAliveInitialDelay: 0 }]
]

describe("NodeSocketOptions", () => {
  for (const [rule, options, native] of cases) {
    it(rule, () => assert.deepStrictEqual(NodeSocketOptions.toNative(options), native))
  }
})
