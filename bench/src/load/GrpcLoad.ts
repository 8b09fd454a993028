/**
 * The load of a gRPC server that serves `proto/sluice/bench/bench.proto`: what
 * its generators (`grpc-load.ts`, `grpc-sluice-client.ts`, `grpc-js-client.ts`)
 * are told.
 */
import type { CommonOrder } from "./StreamLoad.ts"

export type GrpcCall =
  /** A payload, which comes back. */
  | { readonly method: "Unary"; readonly payloadBytes: number }
  /** A number of payloads, which are streamed. */
  | { readonly method: "Stream"; readonly payloadBytes: number; readonly count: number }
  /** A name, and a greeting. */
  | { readonly method: "Hello"; readonly name: string }

export interface GrpcLoad {
  readonly connections: number
  /** Calls that a connection has under way; each that is over makes room for the next. At a fixed rate: the most. */
  readonly inFlight: number
  readonly call: GrpcCall
  /**
   * Calls begin at this rate, whether those before are over or not, and their
   * latency counts from when they were due. Default: as fast as they end.
   */
  readonly callsPerSecond?: number | undefined
}

/** What the generators are started with, as JSON in their first argument. */
export interface Order extends CommonOrder {
  readonly load: GrpcLoad
}
