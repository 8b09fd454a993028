/**
 * Which server a call goes to, of those that are there, and which servers are
 * connected to at all.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @since 0.1.0
 */

/** A server that is there. @category models */
export interface Pickable {
  /** Whether it takes a further call now. */
  readonly hasPlace: boolean
  /** Calls on their way to it. */
  readonly openCount: number
}

/** @category models */
export interface GrpcPicker {
  /** `first`: one server, the first that can be reached. `all`: every one, all the time while calls are made. */
  readonly reach: "first" | "all"
  /**
   * One of `ready` that has a place; `besides` only if no other has one.
   * `undefined`: none has.
   */
  pick<A extends Pickable>(ready: ReadonlyArray<A>, besides: A | undefined): A | undefined
}

/**
 * `pick_first`: all calls go to the first server that can be reached, where
 * one that has not answered for 250 ms does not hold up the next.
 * `round_robin`: to one after the other. `least_loaded`: to that with the
 * fewest calls on their way from here.
 *
 * @category models
 */
export type Balancing = "pick_first" | "round_robin" | "least_loaded"

/** Throws a `RangeError` for a way that there is not. @category constructors */
export const make = (balancing: Balancing): GrpcPicker => {
  if (Object.hasOwn(pickers, balancing)) return new pickers[balancing]()
  throw new RangeError(`balancing must be ${Object.keys(pickers).join(" or ")}, but is ${balancing}`)
}

class PickFirst implements GrpcPicker {
  readonly reach = "first"

  pick<A extends Pickable>(ready: ReadonlyArray<A>, besides: A | undefined): A | undefined {
    for (const one of ready) if (one !== besides && one.hasPlace) return one
    return fallback(ready, besides)
  }
}

class RoundRobin implements GrpcPicker {
  readonly reach = "all"
  private next = 0

  pick<A extends Pickable>(ready: ReadonlyArray<A>, besides: A | undefined): A | undefined {
    const { length } = ready
    const start = this.next
    for (let offset = 0; offset < length; offset++) {
      const index = (start + offset) % length
      const one = ready[index]!
      if (one === besides || !one.hasPlace) continue
      this.next = index + 1
      return one
    }
    return fallback(ready, besides)
  }
}

class LeastLoaded implements GrpcPicker {
  readonly reach = "all"
  /** Among those with equally many calls, each has its turn. */
  private next = 0

  pick<A extends Pickable>(ready: ReadonlyArray<A>, besides: A | undefined): A | undefined {
    const { length } = ready
    const start = this.next++ % Math.max(length, 1)
    let least: A | undefined
    for (let offset = 0; offset < length; offset++) {
      const one = ready[(start + offset) % length]!
      if (one === besides || !one.hasPlace) continue
      if (least === undefined || one.openCount < least.openCount) least = one
    }
    return least ?? fallback(ready, besides)
  }
}

/** `besides` may be of a server that is not there any more. */
const fallback = <A extends Pickable>(ready: ReadonlyArray<A>, besides: A | undefined): A | undefined =>
  besides?.hasPlace === true && ready.includes(besides) ? besides : undefined

const pickers = {
  pick_first: PickFirst,
  round_robin: RoundRobin,
  least_loaded: LeastLoaded
} as const satisfies Record<Balancing, new () => GrpcPicker>
