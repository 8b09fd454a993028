/**
 * The WebSocket engine beside `ws`, in both roles, compressed and not, on the
 * same frames: the same messages, Pings and Pongs in the same order, the same
 * Close code to a peer that breaks a rule, and the same Close code heard.
 *
 * What a row of `WebSocketDifferences` does not explain is a failure.
 *
 * @since 0.1.0
 */
import * as Chunkings from "../harness/Chunkings.ts"
import * as Hex from "../harness/Hex.ts"
import * as WebSocketDifferences from "./WebSocketDifferences.ts"
import * as WebSocketHeard from "./WebSocketHeard.ts"
import { cutAtRandom, damage, frameOf, messageOf, Random } from "./WebSocketTraffic.ts"

/** How often both sides said the same; what explains the rest; and what nothing does. */
export interface Tally {
  readonly counts: Map<string, number>
  readonly unexplained: Array<string>
}

export const tally = (): Tally => ({ counts: new Map(), unexplained: [] })

/** One wire: a third is as it should be, a third has frames that should not be, a third is damaged. */
export const round = async (seed: number, result: Tally): Promise<void> => {
  const random = new Random(seed)
  const role = random.pick(["client", "server"] as const)
  const deflate = random.pick(["none", "negotiated"] as const)
  const peer = role === "server" ? "client" : "server"
  const kind = random.below(3)
  const frames = random.list(8, () =>
    kind === 1 && random.below(2) === 0 ? frameOf(random, peer) : messageOf(random, peer, deflate === "negotiated")
  )
  const clean = Hex.concat(frames)
  const wire = kind === 2 ? damage(random, clean) : clean
  const seen = result.unexplained.length
  await judge({ role, deflate }, wire, cutAtRandom(random, wire), result)
  if (result.unexplained.length > seen) result.unexplained[seen] = `seed ${seed}: ${result.unexplained[seen]}`
}

/** What both sides make of one wire: ours in `chunks`, `ws` as a whole. */
export const judge = async (
  setting: WebSocketHeard.Setting,
  wire: Uint8Array,
  chunks: ReadonlyArray<Uint8Array>,
  { counts, unexplained }: Tally
): Promise<void> => {
  const here = WebSocketHeard.hearHere(setting, chunks)
  const ws = await WebSocketHeard.hearWs(setting, wire.slice())
  const [ours, theirs] = [here, ws].map(({ calls, closed, failure }) =>
    JSON.stringify({ calls, closed, code: failure?.code })
  )
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  if (ours === theirs) {
    count(here.failure === undefined ? "the same" : `the same, failed with ${here.failure.code}`)
    return
  }
  const rule = WebSocketDifferences.explain({ wire, here, ws })
  if (rule !== undefined) count(`apart: ${rule}`)
  else unexplained.push(`${JSON.stringify({ setting, here, ws })} ${Chunkings.show([wire])}`)
}
