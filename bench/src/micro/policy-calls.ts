/**
 * A call that does not wait, bare and with policies around it: what is above
 * the bare one is what the policy costs. 64 calls one after the other on one
 * fiber, so that a fiber's beginning is not measured.
 */
import * as AdaptiveLimit from "@sluice/core/service/AdaptiveLimit"
import * as CallBuffer from "@sluice/core/service/CallBuffer"
import * as CircuitBreaker from "@sluice/core/service/CircuitBreaker"
import * as Coalesce from "@sluice/core/service/Coalesce"
import * as ConcurrencyLimit from "@sluice/core/service/ConcurrencyLimit"
import * as Deadline from "@sluice/core/service/Deadline"
import * as Hedge from "@sluice/core/service/Hedge"
import * as LoadShed from "@sluice/core/service/LoadShed"
import * as Metrics from "@sluice/core/service/Metrics"
import * as Policy from "@sluice/core/service/Policy"
import * as RateLimit from "@sluice/core/service/RateLimit"
import * as ResultCache from "@sluice/core/service/ResultCache"
import * as Retry from "@sluice/core/service/Retry"
import * as RetryBudget from "@sluice/core/service/RetryBudget"
import * as Timeout from "@sluice/core/service/Timeout"
import * as Effect from "effect/Effect"
import * as EffectBreaker from "effect/persistence/CircuitBreaker"
import * as Scope from "effect/Scope"
import type { Case, Cases } from "./Case.ts"

const callsPerRun = 64
let answer = 0
const call: Effect.Effect<number> = Effect.sync(() => ++answer)

const calling = (one: Effect.Effect<number, unknown>): Case => {
  const calls = Effect.gen(function* () {
    let sum = 0
    for (let index = 0; index < callsPerRun; index++) sum += (yield* one) & 1
    return sum
  })
  return { operationsPerRun: callsPerRun, run: () => Effect.runSync(calls) }
}

const withPolicy = (policy: Policy.Policy<unknown>): Case => calling(policy(call))

const budget = Effect.runSync(RetryBudget.make())
const deadline = Deadline.make({ within: "10 seconds" })
const timeout = Timeout.make({ timeout: "1 second" })
const retry = Effect.runSync(Retry.make({ budget }))
const hedge = Effect.runSync(Hedge.make({ after: { percentile: 0.95 }, budget }))
const concurrencyLimit = Effect.runSync(ConcurrencyLimit.make({ maxConcurrent: 100 }))
const rateLimit = Effect.runSync(RateLimit.make({ limit: 1_000_000_000, window: "1 second" }))
const loadShed = Effect.runSync(LoadShed.byQueueDelay({ maxConcurrent: 100 }))
const callBuffer = Effect.runSync(CallBuffer.make({ ready: Effect.void }))
const adaptiveLimit = Effect.runSync(AdaptiveLimit.make({ target: "1 second" }))
const metrics = Effect.runSync(Metrics.make({ name: "callee" }))
const resultCache = Effect.runSync(ResultCache.make<number>({ capacity: 10, timeToLive: "1 hour" }))
const coalesce = Effect.runSync(Coalesce.make<number>())
const circuitBreaker = Effect.runSync(
  CircuitBreaker.make().pipe(
    Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
    Effect.provide(EffectBreaker.layerStoreMemory())
  )
)

export const cases: Cases = {
  bare: calling(call),
  Timeout: withPolicy(timeout),
  Deadline: withPolicy(deadline),
  Retry: withPolicy(retry),
  Hedge: withPolicy(hedge),
  ConcurrencyLimit: withPolicy(concurrencyLimit),
  LoadShed: withPolicy(loadShed),
  CallBuffer: withPolicy(callBuffer),
  RateLimit: withPolicy(rateLimit),
  Coalesce: calling(coalesce("key")(call)),
  AdaptiveLimit: withPolicy(adaptiveLimit.policy),
  Metrics: withPolicy(metrics),
  ResultCache: calling(resultCache.policy("key")(call)),
  CircuitBreaker: withPolicy(circuitBreaker("key")),
  "a stack of six": withPolicy(Policy.stack(loadShed, deadline, retry, concurrencyLimit, rateLimit, timeout))
}
