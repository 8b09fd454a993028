/** `npm run attack [name]`: the attacks at ten times the size of the tests, as a table. */
import * as Effect from "effect/Effect"
import * as Attack from "./Attack.ts"
import * as HttpAttacks from "./HttpAttacks.ts"
import * as Target from "./Target.ts"
import * as WebSocketAttacks from "./WebSocketAttacks.ts"

const scale = 10

const wanted = process.argv.slice(2).join(" ")

const attacks = [...HttpAttacks.attacks, ...WebSocketAttacks.attacks].filter((attack) => attack.name.includes(wanted))

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

const line = (...cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => cell.padEnd([38, 32, 42, 10, 10, 9][index] ?? 0)).join(" ")

const main = Effect.gen(function* () {
  const host = yield* Target.make
  console.log(line("attack", "answer", "limit", "height", "after", "median", "verdict"))
  let failed = 0
  for (const attack of attacks) {
    const report = yield* Attack.make(host, attack, scale)
    const verdict = yield* Effect.exit(Effect.sync(() => Attack.judge(attack, report, scale)))
    if (verdict._tag === "Failure") failed++
    console.log(
      line(
        attack.name,
        report.answer,
        attack.limit,
        mebibytes(report.heightBytes),
        mebibytes(report.afterBytes),
        `${report.neighbourMedianMillis.toFixed(1)} ms`,
        verdict._tag === "Success" ? "holds" : String(verdict.cause)
      )
    )
  }
  if (failed > 0 || attacks.length === 0) process.exitCode = 1
})

await Effect.runPromise(Effect.scoped(main))
