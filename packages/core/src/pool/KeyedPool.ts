/**
 * One pool of connections for each key, a host for example, and a maximum for
 * all of them together.
 *
 * A key that is not known gets its pool when it is first asked for, and loses
 * it when it has had no connection for a while. When the total is reached, idle
 * connections of other keys are closed to make room; when none is idle, the
 * next one to come back is, so that no key starves (`PoolBudget` says how).
 *
 * It is not built on Effect's `RcMap`, which refuses a new key when it is full
 * where this one lets go of a key that nobody needs.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Limit from "../protocol/Limit.ts"
import * as PoolAcquire from "./PoolAcquire.ts"
import { PoolBudget } from "./PoolBudget.ts"
import { PoolCore } from "./PoolCore.ts"
import * as PoolError from "./PoolError.ts"
import * as PoolOptions from "./PoolOptions.ts"
import { PoolRuntime } from "./PoolRuntime.ts"
import * as PoolShutdown from "./PoolShutdown.ts"
import * as PoolStats from "./PoolStats.ts"

/** @category options */
export interface Options<K, A, E, R = never> extends PoolOptions.Options<A, E, Exclude<R, Scope.Scope>> {
  /** Opens one connection for the key. What it adds to its scope closes it. */
  readonly connect: (key: K) => Effect.Effect<A, E, R>
  /** Connections of one key at a time; at least 1. Default 10. */
  readonly maxConnectionsPerKey?: number | undefined
  /** Connections of all keys at a time; at least 1. Default 100. */
  readonly maxConnections?: number | undefined
  /**
   * Keys at a time; at least 1. Default 1,000. For one more, the key is dropped
   * whose connections are all idle and which was asked for longest ago; if there
   * is none, it fails with `TooManyKeys`.
   */
  readonly maxKeys?: number | undefined
}

/** @category models */
export interface KeyedPool<K, A, E = never> {
  /** A connection of the key, until the scope closes. Keys are compared by `Equal`. */
  readonly get: (key: K) => Effect.Effect<A, E | PoolError.PoolError, Scope.Scope>
  /** A connection of the key, while the effect runs. */
  readonly use: <B, E2, R2>(
    key: K,
    f: (connection: A) => Effect.Effect<B, E2, R2>
  ) => Effect.Effect<B, E | E2 | PoolError.PoolError, R2>
  /** As for a pool without keys. */
  readonly invalidate: (key: K, connection: A) => Effect.Effect<void>
  /** Of all keys together, also of those that were dropped. */
  readonly stats: Effect.Effect<PoolStats.Stats>
  /** The keys that have a pool now. */
  readonly keys: Effect.Effect<ReadonlyArray<K>>
}

/**
 * A pool that is shut down when its scope closes. An option that makes no sense
 * is a defect that names it.
 *
 * @category constructors
 */
export const make = <K, A, E, R>(
  options: Options<K, A, E, R>
): Effect.Effect<KeyedPool<K, A, E>, never, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.gen(function* () {
    const context = (yield* Effect.context<Exclude<R, Scope.Scope>>()) as Context.Context<never>
    const pools = new Pools<K, A, E>(options as Options<K, A, E, Scope.Scope>, context)
    yield* Effect.addFinalizer(() => pools.shutdown())
    yield* PoolStats.publish(() => pools.stats(), options.name ?? "pool")
    yield* Effect.forkScoped(
      Effect.sync(() => pools.dropEmpty()).pipe(Effect.delay(pools.options.upkeepMillis), Effect.forever)
    )
    return {
      get: (key) => Effect.suspend(() => pools.with(key, PoolAcquire.get)),
      use: (key, f) => Effect.suspend(() => pools.with(key, (core) => PoolAcquire.use(core, f))),
      invalidate: (key, connection) => Effect.sync(() => pools.find(key)?.core.invalidate(connection)),
      stats: Effect.sync(() => pools.stats()),
      keys: Effect.sync(() => Array.from(MutableHashMap.keys(pools.entries)))
    }
  })

interface Entry<A, E> {
  readonly core: PoolCore<A, E>
  /** When the key was last asked for. */
  usedMillis: number
}

class Pools<K, A, E> {
  readonly options: PoolOptions.Resolved<A, E>
  readonly entries = MutableHashMap.empty<K, Entry<A, E>>()

  private readonly connect: (key: K) => Effect.Effect<A, E, Scope.Scope>
  private readonly context: Context.Context<never>
  private readonly runtime: PoolRuntime
  private readonly budget: PoolBudget
  private readonly maxKeyCount: number
  /** Pools of keys that were dropped, until their last connection has closed. */
  private readonly retiring = new Set<PoolCore<A, E>>()
  /** The counts of pools that are gone. */
  private gone = PoolStats.countsOnly(new PoolStats.PoolCounts())
  private isClosed = false

  constructor(options: Options<K, A, E, Scope.Scope>, context: Context.Context<never>) {
    const { maxConnectionsPerKey = 10, maxConnections = 100, maxKeys = 1000 } = options
    const perKeyCount = Limit.count("maxConnectionsPerKey", maxConnectionsPerKey)
    this.budget = new PoolBudget(Limit.count("maxConnections", maxConnections))
    this.maxKeyCount = Limit.count("maxKeys", maxKeys)
    this.options = PoolOptions.resolve<A, E>({ ...options, minConnections: 0, maxConnections: perKeyCount })
    this.connect = options.connect
    this.context = context
    this.runtime = new PoolRuntime(context)
  }

  find(key: K): Entry<A, E> | undefined {
    return Option.getOrUndefined(MutableHashMap.get(this.entries, key))
  }

  with<B, E2, R2>(
    key: K,
    borrow: (core: PoolCore<A, E>) => Effect.Effect<B, E2, R2>
  ): Effect.Effect<B, E2 | PoolError.PoolError, R2> {
    if (this.isClosed) return Effect.fail(PoolError.make(new PoolError.PoolClosed()))
    const entry = this.find(key) ?? this.add(key)
    if (entry === undefined) return Effect.fail(PoolError.make(new PoolError.TooManyKeys(this.maxKeyCount)))
    entry.usedMillis = this.runtime.now()
    return borrow(entry.core)
  }

  /** A key without connections is dropped one upkeep after it was last asked for. */
  dropEmpty(): void {
    const before = this.runtime.now() - this.options.upkeepMillis
    for (const [key, entry] of Array.from(this.entries)) {
      if (isEmpty(entry.core) && entry.usedMillis <= before) this.drop(key, entry.core)
    }
  }

  stats(): PoolStats.Stats {
    const all = [this.gone]
    for (const core of this.retiring) all.push(core.stats())
    for (const { core } of MutableHashMap.values(this.entries)) all.push(core.stats())
    return PoolStats.sum(all)
  }

  shutdown(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isClosed = true
      const cores = [...this.retiring, ...Array.from(MutableHashMap.values(this.entries), ({ core }) => core)]
      return Effect.forEach(cores, (core) => PoolShutdown.shutdown(core), { concurrency: "unbounded", discard: true })
    })
  }

  private add(key: K): Entry<A, E> | undefined {
    if (MutableHashMap.size(this.entries) >= this.maxKeyCount && !this.dropOldest()) return undefined
    const { options, context, budget } = this
    const core = new PoolCore<A, E>({ connect: this.connect(key), options, context, budget })
    const entry: Entry<A, E> = { core, usedMillis: this.runtime.now() }
    MutableHashMap.set(this.entries, key, entry)
    core.start()
    return entry
  }

  /** Of the keys that nobody uses; and not one asked for just now, whose call may not have begun. */
  private dropOldest(): boolean {
    let oldest: readonly [K, Entry<A, E>] | undefined
    let oldestMillis = this.runtime.now()
    for (const [key, entry] of this.entries) {
      if (entry.usedMillis >= oldestMillis || !isUnused(entry.core)) continue
      oldest = [key, entry]
      oldestMillis = entry.usedMillis
    }
    if (oldest !== undefined) this.drop(oldest[0], oldest[1].core)
    return oldest !== undefined
  }

  private drop(key: K, core: PoolCore<A, E>): void {
    MutableHashMap.remove(this.entries, key)
    this.retiring.add(core)
    this.runtime.fork(
      Effect.map(PoolShutdown.shutdown(core), () => {
        this.budget.leave(core)
        this.retiring.delete(core)
        this.gone = PoolStats.sum([this.gone, PoolStats.countsOnly(core.numbers)])
      })
    )
  }
}

const isEmpty = <A, E>({ connections, line }: PoolCore<A, E>): boolean => connections.size === 0 && line.size === 0

const isUnused = <A, E>(core: PoolCore<A, E>): boolean => {
  const { connections, idle, closing } = core.stats()
  return core.line.size === 0 && connections === idle + closing
}
