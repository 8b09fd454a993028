/**
 * The idle connections of a pool, from the one that came back last to the one
 * that has been idle longest. A list of links, so that any of them can leave.
 *
 * @internal
 * @since 0.1.0
 */
import type { PoolConnection } from "./PoolConnection.ts"

/** Whether the connection that came back last is lent first, or the one that has been idle longest. @category options */
export type Order = "newest first" | "oldest first"

/** @category models */
export class PoolIdle<A> {
  newest: PoolConnection<A> | undefined = undefined
  oldest: PoolConnection<A> | undefined = undefined

  private readonly order: Order

  constructor(order: Order) {
    this.order = order
  }

  /** The one to lend next. It stays in the list. */
  get next(): PoolConnection<A> | undefined {
    return this.order === "newest first" ? this.newest : this.oldest
  }

  add(connection: PoolConnection<A>): void {
    connection.newer = undefined
    connection.older = this.newest
    if (this.newest === undefined) this.oldest = connection
    else this.newest.newer = connection
    this.newest = connection
  }

  remove(connection: PoolConnection<A>): void {
    if (connection.newer === undefined) this.newest = connection.older
    else connection.newer.older = connection.older
    if (connection.older === undefined) this.oldest = connection.newer
    else connection.older.newer = connection.newer
    connection.newer = undefined
    connection.older = undefined
  }
}
