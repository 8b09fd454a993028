/**
 * Begins something at a fixed rate, however long it takes: an open loop. Who
 * measures from when it was due does not omit what a stalled server delays.
 *
 * It looks at the clock whenever there is nothing else to do: a timer would add
 * up to a millisecond. So the generator's core is always busy.
 */

/** `begin` is called for each, in order, with when it is due. Returns what ends it. */
export const start = (perSecond: number, begin: (index: number, dueMillis: number) => void): (() => void) => {
  const startMillis = performance.now()
  const stepMillis = 1_000 / perSecond
  let index = 0
  let ended = false
  const look = (): void => {
    if (ended) return
    const now = performance.now()
    while (startMillis + index * stepMillis <= now) {
      begin(index, startMillis + index * stepMillis)
      index++
    }
    setImmediate(look)
  }
  look()
  return () => {
    ended = true
  }
}
