/**
 * The health service of gRPC (`grpc.health.v1.Health`): may this server get
 * calls, and for which of its services? Kubernetes, load balancers and clients
 * of gRPC ask it, and clients that watch it hear of changes.
 *
 * ```text
 *  ""                  the server as a whole: serving, unless it was set to something else
 *  package.Service     serving where the server has it, unless it was set
 *  anything else       not known: NOT_FOUND, for those that watch SERVICE_UNKNOWN, until it is set
 * ```
 *
 * All of them are not serving once the server drains. Whoever watches is told
 * so, and the call then ends with UNAVAILABLE, so that no drain waits for it.
 *
 * Changes are not queued: a watcher that is slow hears the last of them.
 *
 * ```ts
 * import * as GrpcHealth from "@sluice/core/grpc/server/GrpcHealth"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Warmed = Layer.effectDiscard(
 *   Effect.gen(function* () {
 *     const health = yield* GrpcHealth.GrpcHealth
 *     yield* health.set("", "not_serving")
 *     yield* Effect.forkScoped(Effect.andThen(Effect.sleep("1 minute"), health.set("", "serving")))
 *   })
 * )
 * const Services = Layer.provideMerge(Warmed, GrpcHealth.layer)
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import type { DrainState } from "../../server/Draining.ts"
import type { Service } from "../GrpcMethod.ts"
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../generated/grpc/health/v1/health_pb.ts"
import type { GrpcHandlers } from "./GrpcHandlers.ts"
import { GrpcServer } from "./GrpcServer.ts"

/** @category models */
export type Status = "serving" | "not_serving"

/** @category services */
export class GrpcHealth extends Context.Service<
  GrpcHealth,
  {
    /**
     * Says how it is with a service: its descriptor, or any name that clients
     * ask for; `""` is the server as a whole, which the others do not follow.
     * Whoever watches it is told.
     */
    readonly set: (service: Service | string, status: Status) => Effect.Effect<void>
    /** What clients are told; `undefined` where it is not known. */
    readonly get: (service: Service | string) => Effect.Effect<Status | undefined>
  }
>()("@sluice/core/grpc/server/GrpcHealth") {}

/**
 * Serves it, beside the other services of the server. However often a server
 * has it, it is one; two servers have one each.
 *
 * @category layers
 */
export const layer: Layer.Layer<GrpcHealth, never, GrpcServer> = /*#__PURE__*/ Layer.fresh(
  /*#__PURE__*/ Layer.effect(GrpcHealth)(
    /*#__PURE__*/ Effect.flatMap(GrpcServer, (server) => {
      const known = healths.get(server)
      if (known !== undefined) return Effect.succeed(known)
      const statuses = new Statuses(server)
      const health = GrpcHealth.of({
        set: (service, status) => Effect.sync(() => statuses.set(nameOf(service), status)),
        get: (service) => statuses.get(nameOf(service))
      })
      healths.set(server, health)
      return Effect.addFinalizer(() => Effect.sync(() => healths.delete(server))).pipe(
        Effect.andThen(server.add(Health, handlers(statuses))),
        Effect.as(health)
      )
    })
  )
)

const healths = new WeakMap<GrpcServer["Service"], GrpcHealth["Service"]>()

/** "The maximum number of services to return is 100." */
const mostListed = 100

const handlers = (statuses: Statuses): GrpcHandlers<typeof Health> => ({
  check: ({ service }) =>
    Effect.gen(function* () {
      const status = yield* statuses.get(service)
      if (status === undefined) return yield* Effect.fail(GrpcError.notFound("no such service"))
      return { status: onWire(status) }
    }),
  list: () =>
    Effect.gen(function* () {
      const names = yield* statuses.names
      if (names.size > mostListed) {
        return yield* Effect.fail(GrpcError.resourceExhausted(`there are more than ${mostListed} services`))
      }
      const listed = yield* Effect.forEach(names, (name) =>
        Effect.map(statuses.get(name), (status) => [name, { status: onWire(status) }] as const)
      )
      return { statuses: Object.fromEntries(listed) }
    }),
  watch: ({ service }) => Stream.map(statuses.watch(service), (status) => ({ status: onWire(status) }))
})

const onWire = (status: Status | undefined): ServingStatus =>
  status === undefined
    ? ServingStatus.SERVICE_UNKNOWN
    : status === "serving"
      ? ServingStatus.SERVING
      : ServingStatus.NOT_SERVING

const nameOf = (service: Service | string): string => (typeof service === "string" ? service : service.typeName)

class Statuses {
  private readonly services: Effect.Effect<ReadonlyArray<Service>>
  private readonly draining: DrainState
  private readonly given = new Map<string, Status>()
  /** Done by the next change, and then another. */
  private changed = Deferred.makeUnsafe<void>()

  constructor({ draining, services }: GrpcServer["Service"]) {
    this.services = services
    this.draining = draining
  }

  /** All that are known. */
  get names(): Effect.Effect<ReadonlySet<string>> {
    return Effect.map(this.services, (services) => new Set(["", ...services.map(nameOf), ...this.given.keys()]))
  }

  set(name: string, status: Status): void {
    if (this.given.get(name) === status) return
    this.given.set(name, status)
    const { changed } = this
    this.changed = Deferred.makeUnsafe()
    Deferred.doneUnsafe(changed, Effect.void)
  }

  get(name: string): Effect.Effect<Status | undefined> {
    return Effect.map(this.services, (services) => {
      const isServed = name === "" || services.some((service) => service.typeName === name)
      const status = this.given.get(name) ?? (isServed ? "serving" : undefined)
      return status === "serving" && this.draining.isDraining() ? "not_serving" : status
    })
  }

  /** The status now, and whenever it has become another; fails when the server drains. */
  watch(name: string): Stream.Stream<Status | undefined, GrpcError.GrpcError> {
    type Told = Status | undefined | "nothing"
    return Stream.unfold<Told, Status | undefined, GrpcError.GrpcError, never>("nothing", (told) =>
      Effect.gen({ self: this }, function* () {
        while (true) {
          // Before the status is read: a change in between wakes at once.
          const { changed } = this
          const status = yield* this.get(name)
          if (status !== told) return [status, status] as const
          if (this.draining.isDraining()) return yield* Effect.fail(GrpcError.unavailable("the server is going down"))
          yield* Effect.raceFirst(Deferred.await(changed), this.draining.begun)
        }
      })
    )
  }
}
