/**
 * Runs exchanges between the HTTP/2 engine and `node:http2`, in both roles, and
 * gives both the same damaged frames, for as long as you like:
 *
 * ```sh
 * npm run fuzz:http2-differential -- [seconds, default 60] [seed]
 * npm run fuzz:http2-differential -- --exchanges 20000 --seed 1
 * ```
 *
 * Prints how exchanges ended, and each rule that explains where both ends do
 * not agree; fails for what no rule explains, with the seed of its round.
 */
import * as FuzzRun from "./FuzzRun.ts"
import * as Http2Differential from "./Http2Differential.ts"
import * as Http2Wires from "./Http2Wires.ts"

const result = Http2Differential.tally()
const loopback = new Http2Differential.Loopback()
await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), async (seed) => {
  const count = await Http2Differential.round(seed, loopback, result)
  return count + (await Http2Wires.round(seed, loopback, result))
})
loopback.close()
for (const [what, count] of [...result.counts].sort()) console.log(`${count} ${what}`)
for (const one of result.unexplained) console.error(one)
process.exitCode = result.unexplained.length === 0 ? 0 : 1
