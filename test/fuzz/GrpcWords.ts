/**
 * The greeter of the fuzzers: the names in a request tell its handlers what to
 * do, and what becomes of a call is known from them.
 *
 * @since 0.1.0
 */
import * as GrpcServer from "@sluice/core/grpc/server/GrpcServer"
import type { GrpcServerCall } from "@sluice/core/grpc/server/GrpcServerCall"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Greeter } from "../harness/protobuf/hello_pb.ts"

/** What a handler does by a name, and the code of a call that ends by it; `undefined`: it goes on. */
export const words = {
  ok: undefined,
  later: undefined,
  sleep: undefined,
  meta: undefined,
  big: undefined,
  fail: 5,
  die: 2,
  throw: 2,
  mistype: 13,
  stop: 1,
  hang: 4
} as const satisfies Readonly<Record<string, number | undefined>>

export type Word = keyof typeof words

export const all = Object.keys(words) as ReadonlyArray<Word>

/** Of `sleep`. */
export const sleepMillis = 50

/** Of `big`: more than any window that is given first. */
export const bigLength = 100_000

/** How often defects were raised, and how many handlers run. */
export class Tally {
  provokedCount = 0
  liveCount = 0
}

const unreadable = {
  toString: () => {
    throw new Error("provoked")
  }
}

const provoke = (tally: Tally): Error => {
  tally.provokedCount++
  return new Error("provoked")
}

const does = (name: string, call: GrpcServerCall, tally: Tally): Effect.Effect<string, GrpcError.GrpcError> => {
  switch (name as Word) {
    case "later":
      return Effect.as(Effect.yieldNow, name)
    case "sleep":
      return Effect.as(Effect.sleep(sleepMillis), name)
    case "meta":
      return Effect.gen(function* () {
        call.metadata.entries()
        yield* call.remaining
        yield* call.addTrailers(GrpcMetadata.make({ "x-behind-bin": new Uint8Array(100), "x-a": ["b", "c"] }))
        return `${call.previousAttempts} ${call.authority}`
      })
    case "big":
      return Effect.succeed("x".repeat(bigLength))
    case "fail":
      return Effect.fail(GrpcError.notFound("none ☺", { metadata: GrpcMetadata.make({ "x-a": "b" }) }))
    case "die":
      return Effect.suspend(() => Effect.die(provoke(tally)))
    case "throw":
      throw provoke(tally)
    case "mistype":
      return Effect.sync(() => {
        tally.provokedCount++
        return unreadable as never
      })
    case "stop":
      return Effect.interrupt
    case "hang":
      return Effect.never
    default:
      return Effect.succeed(name)
  }
}

/** Counts those that run, however they end. */
const counted =
  (tally: Tally) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => tally.liveCount++),
      () => self,
      () => Effect.sync(() => tally.liveCount--)
    )

const countedStream =
  (tally: Tally) =>
  <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrap(
      Effect.as(
        Effect.acquireRelease(
          Effect.sync(() => tally.liveCount++),
          () => Effect.sync(() => tally.liveCount--)
        ),
        self
      )
    )

/** Replies of `StreamHellos` that come before the name's. */
export const repliesBefore = 2

export const layer = (tally: Tally) =>
  GrpcServer.layer(Greeter, {
    // Not all of them on a fiber: an answer that is there at once is a way of its own.
    sayHello: ({ name }, call) => {
      const done = does(name, call, tally)
      return Effect.map(name === "ok" ? done : counted(tally)(done), (message) => ({ message }))
    },
    streamHellos: ({ name }, call) =>
      countedStream(tally)(
        name === "endless"
          ? Stream.concat(Stream.take(Stream.forever(Stream.make({ message: "x".repeat(1_000) })), 300), Stream.never)
          : Stream.make("1", "2").pipe(
              Stream.concat(Stream.fromEffect(Effect.suspend(() => does(name, call, tally)))),
              Stream.map((message) => ({ message }))
            )
      ),
    collectHellos: (requests, call) =>
      requests.pipe(
        Stream.takeWhile(({ name }) => name !== "early"),
        Stream.runFoldEffect(
          () => 0,
          (count: number, { name }) =>
            Effect.as(
              Effect.suspend(() => does(name, call, tally)),
              count + 1
            )
        ),
        counted(tally),
        Effect.map((count) => ({ message: String(count) }))
      ),
    chatHellos: (requests, call) =>
      countedStream(tally)(
        requests.pipe(
          Stream.takeWhile(({ name }) => name !== "early"),
          Stream.mapEffect(({ name }) => Effect.suspend(() => does(name, call, tally))),
          Stream.map((message) => ({ message }))
        )
      )
  })
