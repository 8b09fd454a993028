/**
 * Runs one case of a micro benchmark: for each line on stdin, the milliseconds
 * of a sample, it prints the nanoseconds an operation.
 *
 * Arguments: a file of cases beside this one (without `.ts`), a case's name.
 */
import * as Readline from "node:readline"
import * as Case from "./Case.ts"

const [file = "", name = ""] = process.argv.slice(2)
const { cases }: { readonly cases: Case.Cases } = await import(`./${file}.ts`)
const chosen = cases[name]
if (chosen === undefined) throw new Error(`${file}.ts has no case ${name}`)

const warmUpMillis = 300
let sink = Case.sample(chosen, warmUpMillis).sink
console.log("ready")
for await (const line of Readline.createInterface({ input: process.stdin })) {
  const timing = Case.sample(chosen, Number(line))
  sink += timing.sink
  console.log(String(timing.nanosPerOperation))
}
// Whoever looks at the sum keeps the engine from dropping the work that made it.
if (Number.isNaN(sink)) console.error("a case returned no number")
