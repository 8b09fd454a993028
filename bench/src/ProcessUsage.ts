/**
 * What another process has used so far: CPU time and resident memory.
 *
 * Read from `/proc`, so it works for a peer in any language and costs the
 * measured process nothing. Elsewhere than on Linux it is `undefined`, and the
 * report shows no figure.
 */
import * as Fs from "node:fs"

export interface ProcessUsage {
  /** User and system time of all threads. Steps of 10 ms. */
  readonly cpuMillis: number
  readonly residentBytes: number
}

/** Linux reports CPU time in hundredths of a second on every architecture that Node runs on. */
export const millisPerTick = 10

export const read = (pid: number): ProcessUsage | undefined => {
  try {
    const stat = Fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    const status = Fs.readFileSync(`/proc/${pid}/status`, "utf8")
    // The command's name stands in parentheses and may hold spaces; what follows has fixed places (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return {
      cpuMillis: (Number(fields[11]) + Number(fields[12])) * millisPerTick,
      residentBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
    }
  } catch {
    return undefined
  }
}
