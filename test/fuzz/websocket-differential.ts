/**
 * Compares the WebSocket engine with `ws` in both roles, compressed and not,
 * for as long as you like: the same frames to both, good and bad; and
 * conversations between them over loopback.
 *
 * ```sh
 * npm run fuzz:websocket-differential -- [seconds, default 60] [seed]
 * npm run fuzz:websocket-differential -- --exchanges 100000 --seed 1
 * ```
 *
 * An exchange is one wire of frames, one message and its echo, or a close.
 * Prints how often both agreed, and each rule that explains where they did
 * not; fails for what no rule explains, with the seed of its wire.
 */
import * as FuzzRun from "./FuzzRun.ts"
import * as WebSocketDifferential from "./WebSocketDifferential.ts"
import * as WebSocketLive from "./WebSocketLive.ts"

/** Wires for each conversation with either side. */
const wireCount = 10

const result = WebSocketDifferential.tally()
const sides = await Promise.all([WebSocketLive.ourClient(), WebSocketLive.ourServer()])
let messageCount = 0
await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), async (seed) => {
  for (let index = 0; index < wireCount; index++) {
    await WebSocketDifferential.round(seed * wireCount + index, result)
  }
  const counts = await Promise.all(sides.map((side) => side.round(seed)))
  const exchangeCount = counts.reduce((sum, count) => sum + count, 0)
  messageCount += exchangeCount
  return wireCount + exchangeCount
})
for (const side of sides) side.close()
console.log(`${messageCount} messages came back, or were closed, as they should`)
for (const [what, count] of [...result.counts].sort()) console.log(`${count} ${what}`)
for (const one of result.unexplained) console.error(one)
process.exitCode = result.unexplained.length === 0 ? 0 : 1
