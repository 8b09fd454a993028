/**
 * The connections to the servers of one service, which a client's calls go to.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CallDefaults } from "./GrpcCallDefaults.ts"
import type * as GrpcConnectivity from "./GrpcConnectivity.ts"
import type { GrpcConnector } from "./GrpcConnector.ts"

/** A snapshot. @category models */
export interface Stats {
  readonly state: GrpcConnectivity.State
  /** Servers that calls may go to. */
  readonly endpointCount: number
  /** Connections that are there, those that drain too. */
  readonly connectionCount: number
  /** Calls on their way. */
  readonly openCount: number
  /** Calls that wait for a connection or for a place on one. */
  readonly waitingCount: number
}

/** @category services */
export class GrpcChannel extends Context.Service<
  GrpcChannel,
  {
    readonly connector: GrpcConnector
    readonly calls: CallDefaults
    readonly state: Effect.Effect<GrpcConnectivity.State>
    /** The state now, then every change of it. Ends with `Shutdown`. */
    readonly changes: Stream.Stream<GrpcConnectivity.State>
    readonly stats: Effect.Effect<Stats>
  }
>()("@sluice/core/grpc/client/GrpcChannel") {}
