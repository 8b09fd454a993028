/**
 * `npm run attack [name]`: the attacks at ten times the size of the tests, as a
 * table, and what a good client keeps of its throughput while each goes on.
 *
 * `npm run attack -- --saturated [name]`: that client asks as fast as it is
 * answered, so that whatever the attack costs is taken from it. Not judged.
 */
import * as Effect from "effect/Effect"
import * as Attack from "./Attack.ts"
import * as GrpcAttacks from "./GrpcAttacks.ts"
import * as Http2Attacks from "./Http2Attacks.ts"
import * as HttpAttacks from "./HttpAttacks.ts"
import * as Siege from "./Siege.ts"
import * as Target from "./Target.ts"
import * as WebSocketAttacks from "./WebSocketAttacks.ts"

const scale = 10

const words = process.argv.slice(2).filter((word) => word !== "--saturated")

const isSaturated = words.length < process.argv.length - 2

const wanted = words.join(" ")

const suites = [
  ["HTTP/1.1", HttpAttacks.attacks],
  ["HTTP/2", Http2Attacks.attacks],
  ["WebSocket", WebSocketAttacks.attacks],
  ["gRPC", GrpcAttacks.attacks]
] as const

const attacks = suites.flatMap(([protocol, each]) =>
  each.filter(({ name }) => `${protocol} ${name}`.includes(wanted)).map((attack) => ({ protocol, attack }))
)

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

const percent = (ratio: number): string => `${(ratio * 100).toFixed(0)} %`

const widths = [10, 52, 64, 44, 10, 10, 9, 11]

const line = (...cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" ")

const main = Effect.gen(function* () {
  const host = yield* Target.make
  console.log(line("protocol", "attack", "answer", "limit", "height", "after", "median", "throughput", "verdict"))
  let failed = 0
  for (const { attack, protocol } of attacks) {
    const report = yield* Attack.make(host, attack, scale)
    const siege = yield* Siege.make(host, attack, 1, isSaturated ? Number.POSITIVE_INFINITY : Siege.usualPerSecond)
    const verdict = yield* Effect.exit(
      Effect.sync(() => {
        Attack.judge(attack, report, scale)
        if (!isSaturated) Siege.judge(attack, siege)
      })
    )
    if (verdict._tag === "Failure") failed++
    console.log(
      line(
        protocol,
        attack.name,
        report.answer,
        attack.limit,
        mebibytes(report.heightBytes),
        mebibytes(report.afterBytes),
        `${report.neighbourMedianMillis.toFixed(1)} ms`,
        percent(siege.ratio),
        verdict._tag === "Success" ? "holds" : String(verdict.cause)
      )
    )
  }
  if (failed > 0 || attacks.length === 0) process.exitCode = 1
})

await Effect.runPromise(Effect.scoped(main))
