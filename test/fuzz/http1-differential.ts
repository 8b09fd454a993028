/**
 * Compares the HTTP/1.1 engine with `node:http` in both roles, for as long as
 * you like:
 *
 * ```sh
 * npm run fuzz:http1-differential -- [seconds, default 60] [seed]
 * npm run fuzz:http1-differential -- --exchanges 100000 --seed 1
 * ```
 *
 * Prints how often both agreed, and each rule that explains where they did
 * not; fails for what no rule explains, with the seed of its wire.
 */
import * as FuzzRun from "./FuzzRun.ts"
import * as Http1Differential from "./Http1Differential.ts"
import { NodeServer } from "./Http1Heard.ts"

const result = Http1Differential.tally()
const node = new NodeServer()
await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => Http1Differential.round(seed, node, result))
node.close()
for (const [what, count] of [...result.counts].sort()) console.log(`${count} ${what}`)
for (const one of result.unexplained) console.error(one)
process.exitCode = result.unexplained.length === 0 ? 0 : 1
