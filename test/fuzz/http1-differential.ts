/**
 * Compares the HTTP/1.1 engine with `node:http`, for as long as you like:
 *
 * ```sh
 * node --conditions=@sluice/source test/fuzz/http1-differential.ts [seconds, default 60] [seed]
 * ```
 *
 * Prints how often both agreed, and each rule that explains where they did
 * not; fails for what no rule explains.
 */
import * as Http1Differential from "./Http1Differential.ts"

const [seconds = "60", seed] = process.argv.slice(2)
const endMillis = Date.now() + Number(seconds) * 1000
let current = seed === undefined ? Date.now() % 2 ** 31 : Number(seed)
const result = Http1Differential.tally()
while (Date.now() < endMillis && result.unexplained.length === 0) {
  await Http1Differential.run(current, 100, result)
  current += 100
}
for (const [what, count] of [...result.counts].sort()) console.log(`${count} ${what}`)
for (const one of result.unexplained) console.error(one)
process.exit(result.unexplained.length === 0 ? 0 : 1)
