/**
 * An attack that does not end, and what it costs a good client on another
 * connection: how many of its requests are answered while the attack goes on,
 * against before and after.
 *
 * The attack begins again whenever it is over: who is thrown out comes back.
 */
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Attack, Scene } from "./Attack.ts"
import type * as Target from "./Target.ts"

/** What a good client keeps of its throughput, at least. */
export const leastRatio = 0.8

export interface Report {
  /** Requests a second of the good client. */
  readonly before: number
  readonly during: number
  readonly after: number
  /** While the attack goes on, of the mean before and after. */
  readonly ratio: number
  /** How often the attack was over, and began again. */
  readonly rounds: number
}

interface Count {
  readonly answered: number
  readonly atMillis: number
}

/** What a good client asks for: a load that leaves the server room for others. */
export const usualPerSecond = 10_000

const program = fileURLToPath(new URL("./good-client.ts", import.meta.url))

const goodClient = (port: number, perSecond: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = ChildProcess.fork(program, [], {
        execArgv: ["--conditions=@sluice/source"],
        serialization: "advanced"
      })
      child.send({ port, perSecond })
      return child
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.disconnect()
      })
  ).pipe(
    Effect.map((child) =>
      Effect.callback<Count>((resume) => {
        child.once("message", (count) => resume(Effect.succeed(count as Count)))
        child.send("how many")
      })
    )
  )

/** Requests a second over so many seconds. */
const rateOver = (count: Effect.Effect<Count>, seconds: number) =>
  Effect.gen(function* () {
    const from = yield* count
    yield* Effect.sleep(seconds * 1_000)
    const to = yield* count
    return ((to.answered - from.answered) * 1_000) / (to.atMillis - from.atMillis)
  })

/** `perSecond`: how often the good client asks; `Infinity`: as fast as it is answered. */
export const make = Effect.fnUntraced(function* (
  host: Target.Host,
  attack: Attack,
  scale = 1,
  perSecond = usualPerSecond,
  seconds = 1
) {
  const target = yield* host.serve(attack.options)
  const count = yield* goodClient(target.port, perSecond)
  const scene: Scene = {
    ...target,
    scale,
    // The good client is the only neighbour, and nobody collects garbage to look at memory.
    neighbour: Effect.sleep(5),
    look: target.glance,
    height: target.glance
  }
  yield* Effect.repeat(Effect.andThen(Effect.sleep(20), count), { while: ({ answered }) => answered < 1_000 })
  yield* Effect.sleep(500)
  const before = yield* rateOver(count, seconds)
  let rounds = 0
  const attackers = yield* Effect.forkChild(
    Effect.forever(Effect.tap(Effect.scoped(attack.run(scene)), () => Effect.sync(() => rounds++)))
  )
  const during = yield* rateOver(count, 2 * seconds)
  yield* Fiber.interrupt(attackers)
  yield* target.release
  yield* Effect.sleep(500)
  const after = yield* rateOver(count, seconds)
  const report: Report = { before, during, after, ratio: (2 * during) / (before + after), rounds }
  return report
}, Effect.scoped)

/** Fails where the good client has lost too much. */
export const judge = (attack: Attack, report: Report): void => {
  const { after, before, during, ratio } = report
  const rates = [before, during, after].map((rate) => rate.toFixed(0)).join(", ")
  assert.isAtLeast(ratio, leastRatio, `${attack.name}: throughput of a good client (${rates} a second)`)
}
