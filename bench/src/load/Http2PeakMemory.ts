/**
 * The most resident memory that another process had, since it was last asked
 * to forget (proc_pid_status(5), proc_pid_clear_refs(5)). Linux only.
 */
import * as Fs from "node:fs"

/** From now on. Where that is not allowed, the peak is that since the process began. */
export const forget = (pid: number): void => {
  try {
    Fs.writeFileSync(`/proc/${pid}/clear_refs`, "5")
  } catch {}
}

export const read = (pid: number): number | undefined => {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024
  } catch {
    return undefined
  }
}
