/** Every attack, once and small: the limit holds, the memory too, and nothing is left. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { afterAll, beforeAll } from "vitest"
import * as Attack from "./Attack.ts"
import * as GrpcAttacks from "./GrpcAttacks.ts"
import * as Http2Attacks from "./Http2Attacks.ts"
import * as HttpAttacks from "./HttpAttacks.ts"
import * as Target from "./Target.ts"
import * as WebSocketAttacks from "./WebSocketAttacks.ts"

const scope = Scope.makeUnsafe()
let host: Target.Host

beforeAll(async () => {
  host = await Effect.runPromise(Scope.provide(Target.make, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const suites = [
  ["HTTP/1.1", HttpAttacks.attacks],
  ["HTTP/2", Http2Attacks.attacks],
  ["WebSocket", WebSocketAttacks.attacks],
  ["gRPC", GrpcAttacks.attacks]
] as const

describe.each(suites)("%s", (_, attacks) => {
  for (const attack of attacks) {
    it.live(`${attack.name} (${attack.limit})`, () =>
      Effect.map(Attack.make(host, attack), (report) => Attack.judge(attack, report))
    )
  }
})
