/**
 * The engine against `node:http` over real sockets, in both roles and
 * pipelined: a short run of what `npm run fuzz:http1-live` does for longer.
 */
import { assert, describe, it } from "vitest"
import * as Http1Live from "../fuzz/Http1Live.ts"
import { pipelined } from "../fuzz/Http1Pipeline.ts"

const sides: ReadonlyArray<readonly [name: string, make: () => Promise<Http1Live.Side>]> = [
  ["our client, and node:http as a server", Http1Live.ourClient],
  ["node:http as a client, and our server", Http1Live.ourServer],
  ["pipelined requests, and our server", pipelined]
]

describe("what one side says the other hears", () => {
  for (const [name, make] of sides) {
    it(name, async () => {
      const side = await make()
      try {
        let count = 0
        for (let seed = 1; seed <= 40; seed++) count += await side.round(seed)
        assert.isAbove(count, 150)
      } finally {
        side.close()
      }
    })
  }
})
