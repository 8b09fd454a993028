/**
 * Tells where the CPU time of a contestant goes: `node … bench/src/profile-row.ts
 * grpc/unary [--contestant name] [--side server|load] [--seconds s] [--keep folder]`.
 *
 * It runs the row's load once, with V8's profiler in the server or in the load,
 * and prints self time by category, by file and by function, beside what that
 * is of the CPU time of one reply. A profile costs some of what it measures: look
 * at the shares.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Util from "node:util"
import * as Catalog from "./Catalog.ts"
import * as Child from "./Child.ts"
import * as Pinning from "./Pinning.ts"
import * as Profile from "./Profile.ts"
import * as Rounds from "./Rounds.ts"
import type { Contestant } from "./Row.ts"

const endMillis = 20_000
/** Between two samples of the profiler. */
const intervalMicros = 200

const { values, positionals } = Util.parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    contestant: { type: "string" },
    side: { type: "string", default: "server" },
    seconds: { type: "string", default: "3" },
    keep: { type: "string" }
  }
})

const profileOf = (folder: string): Profile.CpuProfile => {
  const file = Fs.readdirSync(folder).find((name) => name.endsWith(".cpuprofile"))
  if (file === undefined) throw new Error("no profile was written")
  return JSON.parse(Fs.readFileSync(Path.join(folder, file), "utf8"))
}

const main = async (): Promise<void> => {
  const row = Catalog.select(positionals)[0]!
  const contestants = [row.subject, ...row.peers]
  const contestant = contestants.find(({ name }) => name === (values.contestant ?? row.subject.name))
  if (contestant === undefined) throw new Error(`contestants: ${contestants.map(({ name }) => name).join(", ")}`)
  const folder = values.keep ?? Fs.mkdtempSync(Path.join(Os.tmpdir(), "sluice-profile-"))
  const profiler = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${intervalMicros}`]
  const isServer = values.side === "server"
  const profiled: Contestant = isServer ? { ...contestant, nodeArguments: profiler } : contestant
  const secondsPerSample = Number(values.seconds)
  const conditions = {
    settings: { selection: [], rounds: 1, secondsPerSample, quick: false, list: false, outputFolder: undefined },
    pinning: Pinning.detect(),
    stop: new AbortController().signal,
    loadArguments: isServer ? [] : profiler
  }
  const running = await Rounds.start(profiled, conditions)
  try {
    const sample = await row.experiment.measure(running, conditions)
    await running.child.finish(endMillis)
    const eachMicros = isServer
      ? sample.serverCpuMicros
      : sample.loadCpuPercent === undefined
        ? undefined
        : (sample.loadCpuPercent * 10_000) / sample.value
    const summary = Profile.summarize(profileOf(folder), secondsPerSample * 1_000_000)
    console.log(`${contestant.name}, ${isServer ? "the server" : "the load"}: ${row.title}`)
    console.log(`${Math.round(sample.value)} ${row.experiment.unit}, ${eachMicros?.toFixed(2)} µs of CPU each`)
    console.log(Profile.render(summary, eachMicros).join("\n"))
  } finally {
    await Child.stopAll()
    if (values.keep === undefined) Fs.rmSync(folder, { recursive: true })
  }
}

await main()
