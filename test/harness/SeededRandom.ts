/** Random numbers that a seed determines (mulberry32), so that a failure can be run again. */
export class SeededRandom {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0
  }

  /** A whole number, `0 <= n < below`. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  pick<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }

  /** Up to `most` items. */
  list<A>(most: number, item: () => A): ReadonlyArray<A> {
    return Array.from({ length: this.below(most + 1) }, item)
  }
}
