/**
 * The line of those who wait for a connection, in the order in which they came.
 *
 * Who comes back to the line, since what it was given did not pass its test,
 * gets its old place again.
 *
 * @internal
 * @since 0.1.0
 */

/** @category models */
export interface Waiter {
  /** Who came earlier has the smaller one. */
  readonly ticket: number
  readonly startedMillis: number
  /** Neighbours in the line; only `PoolLine` writes them. */
  before: Waiter | undefined
  behind: Waiter | undefined
  isInLine: boolean
}

/** @category models */
export class PoolLine<W extends Waiter> {
  size = 0
  private first: Waiter | undefined = undefined
  private last: Waiter | undefined = undefined

  get head(): W | undefined {
    return this.first as W | undefined
  }

  join(waiter: W): void {
    let before = this.last
    while (before !== undefined && before.ticket > waiter.ticket) before = before.before
    const behind = before === undefined ? this.first : before.behind
    waiter.before = before
    waiter.behind = behind
    if (before === undefined) this.first = waiter
    else before.behind = waiter
    if (behind === undefined) this.last = waiter
    else behind.before = waiter
    waiter.isInLine = true
    this.size++
  }

  /** Takes the waiter out, wherever it is. No effect for one that is in no line. */
  leave(waiter: W): void {
    if (!waiter.isInLine) return
    if (waiter.before === undefined) this.first = waiter.behind
    else waiter.before.behind = waiter.behind
    if (waiter.behind === undefined) this.last = waiter.before
    else waiter.behind.before = waiter.before
    waiter.before = undefined
    waiter.behind = undefined
    waiter.isInLine = false
    this.size--
  }

  /** Takes out who has waited longest. */
  shift(): W | undefined {
    const { head } = this
    if (head !== undefined) this.leave(head)
    return head
  }
}
