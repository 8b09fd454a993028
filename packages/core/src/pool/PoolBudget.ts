/**
 * Connections that several pools share, so that all together never have more
 * than a maximum.
 *
 * A pool that gets none starves until another one closes a connection. Idle
 * connections are closed for it, the one that has been idle longest first. If
 * all are in use, the next to come back is closed for it, unless somebody has
 * waited for that one about as long.
 *
 * @internal
 * @since 0.1.0
 */

/** What the budget knows of a pool. @category models */
export interface Member {
  /** Connections that its line lacks now. */
  readonly lackingCount: number
  /** When the one who has waited longest began to; `Infinity` if nobody waits. */
  readonly waitingSinceMillis: number
  /** Since when its oldest idle connection is idle; `Infinity` if it has none. */
  readonly idleSinceMillis: number
  /** Closes the oldest idle connection, to make room. */
  makeRoom(): void
  /** Tries again to open connections. */
  openForLine(): void
}

/**
 * How much longer somebody must have waited than the head of the line to which
 * a connection came back, for it to be closed. An open connection that is
 * wanted is worth more than a few milliseconds of fairness.
 */
const worthReopeningMillis = 100

/** @category models */
export class PoolBudget {
  readonly members = new Set<Member>()
  private readonly starving = new Set<Member>()
  private freeCount: number
  /** Connections that close to make room. */
  private makingRoomCount = 0

  constructor(maxCount: number) {
    this.freeCount = maxCount
  }

  /** One connection for the member, if there is one. If not, the member is told when there is. */
  take(member: Member): boolean {
    if (this.freeCount > 0 && this.hungriest(member) === member) {
      this.freeCount--
      if (member.lackingCount <= 1) this.starving.delete(member)
      return true
    }
    this.starving.add(member)
    this.reclaim()
    return false
  }

  /** A connection that was taken has been closed. */
  give(madeRoom: boolean): void {
    this.freeCount++
    if (madeRoom) this.makingRoomCount--
    for (let left = this.starving.size; left > 0 && this.freeCount > 0; left--) {
      const member = this.hungriest()
      if (member === undefined) return
      this.starving.delete(member)
      member.openForLine()
    }
  }

  /** A connection closes to make room; it comes with `give(true)`. */
  roomIsMade(): void {
    this.makingRoomCount++
  }

  /** Whether a connection that came back is to be closed for another member. */
  prefersAnother(member: Member): boolean {
    if (this.starving.size === 0 || this.lackingCount() <= this.makingRoomCount) return false
    const other = this.hungriest()
    if (other === undefined || other === member) return false
    return other.waitingSinceMillis + worthReopeningMillis < member.waitingSinceMillis
  }

  leave(member: Member): void {
    this.members.delete(member)
    this.starving.delete(member)
  }

  /** Of those that starve, and `member`: the one for which somebody has waited longest. */
  private hungriest(member?: Member): Member | undefined {
    let found = member
    for (const other of this.starving) {
      if (other.lackingCount === 0) this.starving.delete(other)
      else if (found === undefined || other.waitingSinceMillis < found.waitingSinceMillis) found = other
    }
    return found
  }

  private lackingCount(): number {
    let lacking = 0
    for (const member of this.starving) lacking += member.lackingCount
    return lacking
  }

  /** Closes idle connections, as many as are lacking. */
  private reclaim(): void {
    while (this.lackingCount() > this.makingRoomCount + this.freeCount) {
      let longest: Member | undefined
      for (const member of this.members) {
        if (member.idleSinceMillis < (longest?.idleSinceMillis ?? Number.POSITIVE_INFINITY)) longest = member
      }
      if (longest === undefined) return
      longest.makeRoom()
    }
  }
}
