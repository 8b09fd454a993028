/**
 * Tells a channel's observers of each call: one record for all of its attempts,
 * as its caller sees it.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { Timers } from "../../session/Timers.ts"
import type { GrpcMethod } from "../GrpcMethod.ts"
import type { GrpcObserver } from "../GrpcObserver.ts"

/** A call that is watched. @category models */
export class GrpcClientWatch {
  requestCount = 0
  replyCount = 0
  /** Of a stream of replies: whether all of them were read. */
  private end: "ahead" | "read" = "ahead"
  private readonly observers: ReadonlyArray<GrpcObserver>
  private readonly method: GrpcMethod
  private readonly timers: Timers
  private readonly startedMillis: number

  constructor(observers: ReadonlyArray<GrpcObserver>, method: GrpcMethod, timers: Timers) {
    this.observers = observers
    this.method = method
    this.timers = timers
    this.startedMillis = timers.now()
    for (const observer of observers) observer.onStart({ path: method.path, method })
  }

  /** Counts what the caller sends. */
  requests<A, E, R>(requests: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> {
    return Stream.mapArray(requests, (sent) => {
      this.requestCount += sent.length
      return sent
    })
  }

  /** A call with one reply. */
  reply<A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.onExit(call, (exit) => {
      if (exit._tag === "Success") this.replyCount = 1
      this.end = "read"
      return this.over(exit)
    })
  }

  /** A call with a stream of them. */
  replies<A, E, R>(call: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> {
    const counted = Stream.mapArray(call, (came) => {
      this.replyCount += came.length
      return came
    })
    const read = Effect.sync(() => {
      this.end = "read"
    })
    return Stream.onExit(Stream.onEnd(counted, read), (exit) => this.over(exit))
  }

  private over(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.sync(() => {
      const { method, observers, replyCount, requestCount, startedMillis, timers } = this
      const code =
        exit._tag === "Failure" ? codeOf(exit.cause) : this.end === "read" ? GrpcStatus.Ok : GrpcStatus.Cancelled
      const durationMillis = timers.now() - startedMillis
      for (const observer of observers) {
        observer.onEnd({ path: method.path, method, code, durationMillis, requestCount, replyCount })
      }
    })
  }
}

/** What is no failure of gRPC is the caller's own, who has given the call up by it. */
const codeOf = (cause: Cause.Cause<unknown>): GrpcStatus.Code => {
  const failure = cause.reasons.find((reason) => reason._tag === "Fail")?.error
  return failure instanceof GrpcError ? failure.reason.code : GrpcStatus.Cancelled
}
