/**
 * Getting an idle connection of a pool and giving it back, beside Effect's bare
 * `Pool`, which has no limits on waiting, tests, lifetimes or counts.
 */
import * as ConnectionPool from "@sluice/core/pool/ConnectionPool"
import * as Effect from "effect/Effect"
import * as Pool from "effect/Pool"
import * as Scope from "effect/Scope"
import type { Case, Cases } from "./Case.ts"

const connectionCount = 8
/** In one fiber, so that starting it is not measured. */
const checkoutsPerRun = 256

const connect = Effect.sync(() => ({ value: 1 }))
const forever = Scope.makeUnsafe()

const ours = await Effect.runPromise(
  ConnectionPool.make({ connect, minConnections: connectionCount, maxConnections: connectionCount }).pipe(
    Scope.provide(forever)
  )
)
const theirs = await Effect.runPromise(
  Pool.makeWithTTL({ acquire: connect, min: 1, max: connectionCount, timeToLive: "10 minutes" }).pipe(
    Scope.provide(forever)
  )
)

const repeated = <E>(checkout: Effect.Effect<number, E>): Case => {
  const all = Effect.gen(function* () {
    let sum = 0
    for (let index = 0; index < checkoutsPerRun; index++) sum += yield* checkout
    return sum
  })
  return { operationsPerRun: checkoutsPerRun, run: () => Effect.runSync(all as Effect.Effect<number>) }
}

const read = (connection: { readonly value: number }) => Effect.succeed(connection.value)

export const cases: Cases = {
  use: repeated(ours.use(read)),
  "Pool.use": repeated(Pool.use(theirs, read)),
  get: repeated(Effect.scoped(Effect.flatMap(ours.get, read))),
  "Pool.get": repeated(Effect.scoped(Effect.flatMap(Pool.get(theirs), read)))
}
