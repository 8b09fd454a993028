import { assert, describe, it } from "@effect/vitest"
import type { HttpMount, MountHost } from "@sluice/core/server/HttpMount"
import { HttpMounts } from "@sluice/core/server/HttpMounts"
import type { Serving } from "@sluice/core/session/HttpEnvironment"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { FakeExchange } from "../../harness/FakeExchange.ts"

const host = { timers: {}, draining: {} } as MountHost

const serving = { observe: () => {}, interrupt: () => {} } as Serving

/** Takes requests whose method is `method`. */
const taking = (method: string, served: Serving | undefined): HttpMount => ({
  serve: (exchange) => (exchange.method === method ? served : "pass")
})

describe("HttpMounts", () => {
  it.effect("asks in order, then the application, until the scope of a mount has closed", () =>
    Effect.gen(function* () {
      const mounts = new HttpMounts(host)
      const hosts: Array<MountHost> = []
      const application: Array<string> = []
      const serve = mounts.before((exchange) => {
        application.push(exchange.method)
        return undefined
      })
      const scope = yield* Scope.make()
      const mounted = mounts.add((given) => {
        hosts.push(given)
        return taking("POST", serving)
      })
      yield* Scope.provide(mounted, scope)
      yield* mounts.add(() => taking("PUT", undefined))
      yield* mounts.add(() => taking("POST", undefined))
      assert.deepStrictEqual(hosts, [host])
      const ask = (method: string) => serve(new FakeExchange({ method }))
      assert.deepStrictEqual([ask("POST"), ask("PUT"), ask("GET")], [serving, undefined, undefined])
      assert.deepStrictEqual(application, ["GET"])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(ask("POST"), undefined)
      assert.deepStrictEqual(application, ["GET"])
    }).pipe(Effect.scoped)
  )
})
