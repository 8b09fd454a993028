/**
 * Runs exchanges between the HTTP/1.1 engine and `node:http` over loopback, in
 * both roles and pipelined, for as long as you like:
 *
 * ```sh
 * npm run fuzz:http1-live -- [seconds, default 60] [seed]
 * npm run fuzz:http1-live -- --exchanges 100000
 * ```
 *
 * What one side says the other must hear, to the byte. A failure prints the
 * seed of its round.
 */
import * as FuzzRun from "./FuzzRun.ts"
import * as Http1Live from "./Http1Live.ts"
import { pipelined } from "./Http1Pipeline.ts"

const sides = await Promise.all([Http1Live.ourClient(), Http1Live.ourServer(), pipelined()])
await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), async (seed) => {
  const counts = await Promise.all(sides.map((side) => side.round(seed)))
  return counts.reduce((sum, count) => sum + count, 0)
})
for (const side of sides) side.close()
