import { create } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import type { MessageInput } from "@sluice/core/grpc/GrpcMethod"
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListRequestSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus
} from "@sluice/core/grpc/generated/grpc/health/v1/health_pb"
import * as GrpcHealth from "@sluice/core/grpc/server/GrpcHealth"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { GrpcRegistry, noCall, received } from "../../../harness/GrpcRegistry.ts"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const greeter = Greeter.typeName

const statusOf = (reply: MessageInput<HealthCheckResponse>): string => {
  const { status } = received(HealthCheckResponseSchema, reply)
  return Object.entries(ServingStatus).find(([, number]) => number === status)![0]
}

/** A server with the greeter and health, and how clients ask it. */
const make = Effect.gen(function* () {
  const registry = new GrpcRegistry()
  registry.add(Greeter)
  const context = yield* Layer.build(Layer.provide(GrpcHealth.layer, registry.layer))
  const { check, list, watch } = registry.handlers(Health)
  const question = (service: string) => create(HealthCheckRequestSchema, { service })
  return {
    registry,
    health: Context.get(context, GrpcHealth.GrpcHealth),
    check: (service: string) => Effect.map(check(question(service), noCall), statusOf),
    list: Effect.map(list(create(HealthListRequestSchema), noCall), (reply) =>
      Object.fromEntries(
        Object.entries(received(HealthListResponseSchema, reply).statuses).map(([name, one]) => [name, statusOf(one)])
      )
    ),
    /** What one who watches has heard, and the end of that. */
    watch: Effect.fnUntraced(function* (service: string) {
      const heard = yield* Queue.unbounded<string>()
      const ended = yield* Stream.runForEach(watch(question(service), noCall), (reply) =>
        Queue.offer(heard, statusOf(reply))
      ).pipe(Effect.forkScoped({ startImmediately: true }))
      return { next: Queue.take(heard), waiting: Queue.size(heard), ended }
    })
  }
})

const codeOf = (exit: Exit.Exit<unknown, { readonly reason: { readonly _tag: string } }>): string | undefined =>
  Exit.findErrorOption(exit).pipe((error) => (error._tag === "Some" ? error.value.reason._tag : undefined))

describe("GrpcHealth", () => {
  it.effect("what the server has is serving, and the server as a whole", () =>
    Effect.gen(function* () {
      const { check, health } = yield* make
      for (const name of ["", greeter, Health.typeName]) {
        assert.strictEqual(yield* check(name), "SERVING", name)
        assert.strictEqual(yield* health.get(name), "serving", name)
      }
    })
  )

  it.effect("what it has not is NOT_FOUND", () =>
    Effect.gen(function* () {
      const { check, health } = yield* make
      for (const name of ["hello", "hello.Greete", "/hello.Greeter", "__proto__"]) {
        assert.strictEqual(codeOf(yield* Effect.exit(check(name))), "NotFound", name)
        assert.isUndefined(yield* health.get(name))
      }
    })
  )

  it.effect("what is set is told, of that service alone, until it is set again", () =>
    Effect.gen(function* () {
      const { check, health } = yield* make
      yield* health.set(Greeter, "not_serving")
      assert.deepStrictEqual([yield* check(greeter), yield* check("")], ["NOT_SERVING", "SERVING"])
      yield* health.set("", "not_serving")
      yield* health.set(greeter, "serving")
      assert.deepStrictEqual([yield* check(greeter), yield* check("")], ["SERVING", "NOT_SERVING"])
    })
  )

  it.effect("any name can be set, and is known then", () =>
    Effect.gen(function* () {
      const { check, health } = yield* make
      yield* health.set("queue", "serving")
      yield* health.set("database", "not_serving")
      assert.deepStrictEqual([yield* check("queue"), yield* check("database")], ["SERVING", "NOT_SERVING"])
    })
  )

  it.effect("all are listed, up to a hundred", () =>
    Effect.gen(function* () {
      const { health, list } = yield* make
      yield* health.set("database", "not_serving")
      assert.deepStrictEqual(yield* list, {
        "": "SERVING",
        [greeter]: "SERVING",
        [Health.typeName]: "SERVING",
        database: "NOT_SERVING"
      })
      for (let at = 0; at < 96; at++) yield* health.set(`extra ${at}`, "serving")
      assert.lengthOf(Object.keys(yield* list), 100)
      yield* health.set("one more", "serving")
      assert.strictEqual(codeOf(yield* Effect.exit(list)), "ResourceExhausted")
    })
  )

  it.effect("all are not serving once the server drains", () =>
    Effect.gen(function* () {
      const { check, health, list, registry } = yield* make
      registry.drain()
      yield* health.set(greeter, "serving")
      assert.deepStrictEqual([yield* check(""), yield* check(greeter)], ["NOT_SERVING", "NOT_SERVING"])
      assert.deepStrictEqual(new Set(Object.values(yield* list)), new Set(["NOT_SERVING"]))
      assert.strictEqual(codeOf(yield* Effect.exit(check("none"))), "NotFound")
      assert.strictEqual(yield* health.get(greeter), "not_serving")
    })
  )
})

describe("GrpcHealth: the layer", () => {
  it.effect("two servers of a program have one each", () =>
    Effect.gen(function* () {
      const [one, other] = [new GrpcRegistry(), new GrpcRegistry()]
      const quiet = Layer.effectDiscard(GrpcHealth.GrpcHealth.use((health) => health.set("", "not_serving")))
      yield* Layer.build(
        Layer.merge(
          Layer.provide(Layer.provide(quiet, GrpcHealth.layer), one.layer),
          Layer.provide(GrpcHealth.layer, other.layer)
        )
      )
      const ask = (registry: GrpcRegistry) =>
        Effect.map(registry.handlers(Health).check(create(HealthCheckRequestSchema), noCall), statusOf)
      assert.deepStrictEqual([yield* ask(one), yield* ask(other)], ["NOT_SERVING", "SERVING"])
    })
  )

  it.effect("a server that has it twice has one", () =>
    Effect.gen(function* () {
      const registry = new GrpcRegistry()
      const set = (name: string) =>
        Layer.effectDiscard(GrpcHealth.GrpcHealth.use((health) => health.set(name, "serving")))
      const services = Layer.mergeAll(
        Layer.provide(set("one"), GrpcHealth.layer),
        Layer.provide(set("other"), GrpcHealth.layer)
      )
      yield* Layer.build(Layer.provide(services, registry.layer))
      const { check } = registry.handlers(Health)
      for (const service of ["one", "other"]) {
        assert.strictEqual(statusOf(yield* check(create(HealthCheckRequestSchema, { service }), noCall)), "SERVING")
      }
    })
  )

  it.effect("a server that has it again after it was gone has another", () =>
    Effect.gen(function* () {
      const registry = new GrpcRegistry()
      const build = Layer.build(Layer.provide(GrpcHealth.layer, registry.layer))
      const first = yield* Effect.scoped(build)
      yield* Context.get(first, GrpcHealth.GrpcHealth).set("", "not_serving")
      assert.isFalse(registry.has(Health))
      const second = yield* build
      assert.strictEqual(yield* Context.get(second, GrpcHealth.GrpcHealth).get(""), "serving")
      assert.isTrue(registry.has(Health))
    })
  )
})

describe("GrpcHealth: Watch", () => {
  it.effect("tells the status now, and every change", () =>
    Effect.gen(function* () {
      const { health, watch } = yield* make
      const watched = yield* watch(greeter)
      assert.strictEqual(yield* watched.next, "SERVING")
      yield* health.set(Greeter, "not_serving")
      assert.strictEqual(yield* watched.next, "NOT_SERVING")
      yield* health.set(Greeter, "serving")
      assert.strictEqual(yield* watched.next, "SERVING")
    })
  )

  it.effect("is silent where nothing has changed, or another service", () =>
    Effect.gen(function* () {
      const { health, watch } = yield* make
      const watched = yield* watch(greeter)
      assert.strictEqual(yield* watched.next, "SERVING")
      yield* health.set(greeter, "serving")
      yield* health.set("", "not_serving")
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      assert.strictEqual(yield* watched.waiting, 0)
      assert.isUndefined(watched.ended.pollUnsafe())
    })
  )

  it.effect("a service that is not known is SERVICE_UNKNOWN, and the call stays until it is", () =>
    Effect.gen(function* () {
      const { health, watch } = yield* make
      const watched = yield* watch("queue")
      assert.strictEqual(yield* watched.next, "SERVICE_UNKNOWN")
      assert.isUndefined(watched.ended.pollUnsafe())
      yield* health.set("queue", "serving")
      assert.strictEqual(yield* watched.next, "SERVING")
    })
  )

  it.effect("who is slow hears the last of many changes", () =>
    Effect.gen(function* () {
      const { health, registry } = yield* make
      const pull = yield* Stream.toPull(
        registry.handlers(Health).watch(create(HealthCheckRequestSchema, { service: greeter }), noCall)
      )
      const next = Effect.map(pull, (replies) => replies.map(statusOf))
      assert.deepStrictEqual(yield* next, ["SERVING"])
      for (let at = 0; at < 101; at++) yield* health.set(greeter, at % 2 === 0 ? "not_serving" : "serving")
      assert.deepStrictEqual(yield* next, ["NOT_SERVING"])
      yield* health.set(greeter, "serving")
      assert.deepStrictEqual(yield* next, ["SERVING"])
    })
  )

  const drained: ReadonlyArray<readonly [why: string, service: string, before: string, after: ReadonlyArray<string>]> =
    [
      ["one that serves is told, and its call ends", greeter, "SERVING", ["NOT_SERVING"]],
      ["one that is not known is not told, and its call ends", "none", "SERVICE_UNKNOWN", []]
    ]
  for (const [why, service, before, after] of drained) {
    it.effect(`when the server drains, ${why}`, () =>
      Effect.gen(function* () {
        const { registry, watch } = yield* make
        const watched = yield* watch(service)
        assert.strictEqual(yield* watched.next, before)
        registry.drain()
        assert.strictEqual(codeOf(yield* Fiber.await(watched.ended)), "Unavailable")
        for (const status of after) assert.strictEqual(yield* watched.next, status)
        assert.strictEqual(yield* watched.waiting, 0)
      })
    )
  }

  it.effect("who comes while the server drains is told, and sent away", () =>
    Effect.gen(function* () {
      const { registry, watch } = yield* make
      registry.drain()
      const watched = yield* watch(greeter)
      assert.strictEqual(codeOf(yield* Fiber.await(watched.ended)), "Unavailable")
      assert.strictEqual(yield* watched.next, "NOT_SERVING")
    })
  )
})
