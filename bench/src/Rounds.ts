/**
 * Measures one row: its contestants in turn, A B C A B C …, so that whatever
 * disturbs the machine for a while disturbs all of them.
 *
 * A contestant that fails is left out with a remark, and the others go on: a
 * missing peer must not cost the row.
 */
import { Child } from "./Child.ts"
import type { Conditions, Running, Sample } from "./Experiment.ts"
import * as Result from "./Result.ts"
import type { Contestant, Row } from "./Row.ts"

const startMillis = 20_000

/** What a contestant prints when it can be measured. */
const readyLine = /^(?:listening (\d+)|ready)$/

export const run = async (row: Row, conditions: Conditions): Promise<Result.Result> => {
  const { experiment } = row
  const rounds = Math.min(conditions.settings.rounds, experiment.roundsAtMost ?? Number.POSITIVE_INFINITY)
  const failures: Array<string> = []
  const samples = new Map<Contestant, Array<Sample>>()
  const kept = new Map<Contestant, Running>()

  const attempt = async (contestant: Contestant, work: () => Promise<void>): Promise<void> => {
    conditions.stop.throwIfAborted()
    try {
      await work()
    } catch (error) {
      // Its children were killed: that is no failure of the contestant.
      conditions.stop.throwIfAborted()
      failures.push(`${contestant.name} failed: ${error instanceof Error ? error.message : String(error)}`)
      samples.delete(contestant)
      await kept.get(contestant)?.child.stop()
    }
  }
  const measureFresh = async (contestant: Contestant): Promise<Sample> => {
    const running = await start(contestant, conditions)
    try {
      return await experiment.measure(running, conditions)
    } finally {
      await running.child.stop()
    }
  }

  try {
    for (const contestant of [row.subject, ...row.peers]) {
      samples.set(contestant, [])
      if (experiment.lifetime === "fresh") continue
      await attempt(contestant, async () => {
        const running = await start(contestant, conditions)
        kept.set(contestant, running)
        await experiment.measure(running, conditions)
      })
    }
    for (let round = 0; round < rounds; round++) {
      for (const [contestant, taken] of samples) {
        await attempt(contestant, async () => {
          const running = kept.get(contestant)
          taken.push(await (running ? experiment.measure(running, conditions) : measureFresh(contestant)))
        })
      }
    }
  } finally {
    await Promise.all(Array.from(kept.values(), ({ child }) => child.stop()))
  }
  return Result.make(row, samples, failures)
}

/** Starts a contestant, and waits until it can be measured. */
export const start = async (contestant: Contestant, { pinning }: Conditions): Promise<Running> => {
  const child = Child.start(contestant.name, contestant, "server", pinning)
  try {
    const line = await child.line(startMillis)
    const ready = readyLine.exec(line)
    if (ready === null) throw new Error(`it said ${JSON.stringify(line)} where it should say "listening <port>"`)
    return { contestant, child, port: Number(ready[1] ?? 0) }
  } catch (error) {
    await child.stop()
    throw error
  }
}
