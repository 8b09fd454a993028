/**
 * How busy the cores of a measurement are, and with what: the server, the
 * generator, or somebody else's program, which spoils the figure.
 */
import * as Fs from "node:fs"
import * as ProcessUsage from "../ProcessUsage.ts"

/** Percent of one core, from the start of the meter to its reading. */
export interface Reading {
  readonly seconds: number
  readonly loadCpuPercent: number
  /** Unknown where there is no `/proc`; as what follows. */
  readonly serverCpuPercent?: number | undefined
  /** What other programs, and the host of a virtual machine, took of the measurement's cores. */
  readonly otherCpuPercent?: number | undefined
  readonly serverResidentBytes?: number | undefined
}

/** Starts a meter; the function that it returns reads it. `cores`: those of the measurement, empty for all. */
export const start = (serverPid: number, cores: ReadonlyArray<number>): (() => Reading) => {
  const before = take(serverPid, cores)
  return () => {
    const after = take(serverPid, cores)
    const millis = after.atMillis - before.atMillis
    const percent = (partMillis: number) => (partMillis / millis) * 100
    const ownMillis = after.ownMillis - before.ownMillis
    const own = { seconds: millis / 1_000, loadCpuPercent: percent(ownMillis) }
    if (before.server === undefined || after.server === undefined) return own
    const serverMillis = after.server.cpuMillis - before.server.cpuMillis
    const otherMillis = after.busyMillis - before.busyMillis - serverMillis - ownMillis
    return {
      ...own,
      serverCpuPercent: percent(serverMillis),
      otherCpuPercent: percent(Math.max(0, otherMillis)),
      serverResidentBytes: after.server.residentBytes
    }
  }
}

const take = (serverPid: number, cores: ReadonlyArray<number>) => {
  const own = process.cpuUsage()
  const server = ProcessUsage.read(serverPid)
  return {
    atMillis: performance.now(),
    ownMillis: (own.user + own.system) / 1_000,
    server,
    busyMillis: server === undefined ? 0 : busyMillis(cores)
  }
}

/**
 * Time that the cores were taken, in milliseconds: by programs, and by the
 * host of a virtual machine (proc_stat(5): user, nice, system, irq, steal).
 * Soft interrupts are left out: they carry the measurement's own packets.
 */
const busyMillis = (cores: ReadonlyArray<number>): number => {
  let ticks = 0
  for (const [, core, times] of Fs.readFileSync("/proc/stat", "utf8").matchAll(/^cpu(\d+) (.+)$/gm)) {
    if (cores.length > 0 && !cores.includes(Number(core))) continue
    const [user = 0, nice = 0, system = 0, _idle, _wait, irq = 0, _softIrq, steal = 0] = times!.split(" ").map(Number)
    ticks += user + nice + system + irq + steal
  }
  return ticks * ProcessUsage.millisPerTick
}
