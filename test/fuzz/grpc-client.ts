/**
 * Has a gRPC client call servers in memory that are right, wrong, slow, going
 * away and gone, for as long as you like:
 *
 * ```sh
 * npm run fuzz:grpc-client -- [seconds, default 60] [seed]
 * ```
 *
 * Calls of all kinds over a channel, with and without deadlines, retries and
 * hedging, of which some are interrupted or left early. Each ends once, with a
 * value or a `GrpcError` and never with a defect, and not behind its deadline;
 * where the server is quiet and its answer right, as that says. When the
 * channel is closed, no timer, fiber, stream or transport is left. A failure
 * prints the seed of its round, with which it can be run again.
 */
import * as Assert from "node:assert/strict"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import * as GrpcClient from "@sluice/core/grpc/client/GrpcClient"
import * as GrpcServiceConfig from "@sluice/core/grpc/client/GrpcServiceConfig"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import { Dialer } from "@sluice/core/transport/Dialer"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { LogRecorder } from "../harness/LogRecorder.ts"
import * as MemoryWorld from "../harness/MemoryWorld.ts"
import { Greeter } from "../harness/protobuf/hello_pb.ts"
import { turns } from "../harness/TransportContract.ts"
import * as FuzzRun from "./FuzzRun.ts"
import * as GrpcAnswers from "./GrpcAnswers.ts"
import { HostileWorld } from "./GrpcHostileServer.ts"
import { Random } from "./Http2Traffic.ts"

const kinds = ["sayHello", "streamHellos", "collectHellos", "chatHellos"] as const

type Client = GrpcClient.Client<typeof Greeter>

/** A call of the client; its value is how many replies came. */
interface Calling {
  readonly index: number
  readonly kind: (typeof kinds)[number]
  readonly about: string
  /** On the test's clock. */
  readonly untilMillis: number
  /** Whether nothing but the answer determines what comes of it. */
  readonly isPlain: boolean
  readonly fiber: Fiber.Fiber<number, GrpcError.GrpcError>
  isInterrupted: boolean
  overMillis: number
}

const retrying = GrpcServiceConfig.make({
  methods: [
    {
      names: [{}],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "20 millis",
        maxBackoff: "200 millis",
        backoffMultiplier: 2,
        retryableStatusCodes: [14, 8]
      }
    }
  ]
})

const hedging = GrpcServiceConfig.make({
  methods: [
    {
      names: [{}],
      hedgingPolicy: { maxAttempts: 3, hedgingDelay: "10 millis", nonFatalStatusCodes: [14] }
    }
  ]
})

const optionsOf = (random: Random, conduct: HostileWorld["conduct"]): GrpcChannel.Options => ({
  maxReceiveMessageSize: GrpcAnswers.maxReceiveBytes,
  drainTimeout: "1 second",
  ...(conduct === "quiet"
    ? {}
    : {
        balancing: random.pick(["pick_first", "round_robin"] as const),
        connect: random.pick(["lazy", "eager"] as const),
        connectTimeout: random.pick([100, 1_000]),
        maxConnections: random.pick([1, 4]),
        maxWaiting: random.pick([0, 2, 100, 100, 100]),
        waitTimeout: random.pick([50, 5_000]),
        serviceConfig: random.pick([undefined, retrying, hedging])
      })
})

const requestsOf = (random: Random): Stream.Stream<{ readonly name: string }> => {
  const names = random.list(random.pick([0, 3]), () => ({ name: "x".repeat(random.pick([1, 100, 30_000])) }))
  const stream = Stream.fromIterable(names)
  if (random.chance(3)) return Stream.tap(stream, () => Effect.sleep(random.pick([1, 40])))
  return random.chance(6) ? Stream.concat(stream, Stream.never) : stream
}

const begin = (random: Random, client: Client, index: number) =>
  Effect.gen(function* () {
    const nowMillis = yield* Clock.currentTimeMillis
    const kind = random.pick(kinds)
    const timeoutMillis = random.pick([1, 50, 500, 500, undefined])
    const takes = random.chance(5) ? random.below(3) : undefined
    const requests = requestsOf(random)
    const isSingle = kind === "sayHello" || kind === "streamHellos"
    const options = {
      metadata: GrpcMetadata.make({ "x-call": String(index) }),
      ...(timeoutMillis === undefined ? {} : { timeout: timeoutMillis }),
      ...(random.chance(6) ? { waitForReady: true } : {}),
      ...(random.chance(4) ? { compression: "gzip" } : {})
    }
    const counted = (stream: Stream.Stream<unknown, GrpcError.GrpcError>) =>
      Stream.runCount(takes === undefined ? stream : Stream.take(stream, takes))
    const call = {
      sayHello: () => Effect.as(client.sayHello({ name: "a" }, options), 1),
      streamHellos: () => counted(client.streamHellos({ name: "a" }, options)),
      collectHellos: () => Effect.as(client.collectHellos(requests, options), 1),
      chatHellos: () => counted(client.chatHellos(requests, options))
    }[kind]()
    const fiber = yield* Effect.forkDetach(call, { startImmediately: true })
    const calling: Calling = {
      index,
      kind,
      about: `${kind} ${index}, ${timeoutMillis} ms, ${takes} replies`,
      untilMillis: nowMillis + (timeoutMillis ?? Number.POSITIVE_INFINITY),
      isPlain: isSingle && timeoutMillis === 500 && takes === undefined,
      fiber,
      isInterrupted: false,
      overMillis: Number.NaN
    }
    const clock = yield* Clock.clockWith(Effect.succeed)
    fiber.addObserver(() => {
      calling.overMillis = clock.currentTimeMillisUnsafe()
    })
    return calling
  })

/** What the only answer of a quiet server says. */
const expectedOf = (calling: Calling, world: HostileWorld): string | undefined => {
  const [answer, ...more] = world.given(calling.index)
  const right = answer?.right
  if (right === undefined || more.length > 0 || world.conduct !== "quiet" || !calling.isPlain) return undefined
  if (calling.kind === "sayHello" && right.messageCount > 1) return "no single reply"
  if (right.code !== 0) return `code ${right.code}`
  if (calling.kind === "streamHellos") return `${right.messageCount} replies`
  return right.messageCount === 1 ? "1 replies" : "no single reply"
}

const judge = (calling: Calling, world: HostileWorld): void => {
  const { about, fiber, isInterrupted, overMillis, untilMillis } = calling
  const exit = fiber.pollUnsafe()
  Assert.ok(exit !== undefined, `no end of ${about}`)
  if (!isInterrupted) Assert.ok(overMillis < untilMillis + 2, `${about} is over at ${overMillis}, not ${untilMillis}`)
  let seen: string
  if (Exit.isSuccess(exit)) seen = `${exit.value} replies`
  else {
    const reason = exit.cause.reasons[0]!
    if (reason._tag !== "Fail") {
      Assert.ok(isInterrupted && Cause.hasInterruptsOnly(exit.cause), `${about}: ${Cause.pretty(exit.cause)}`)
      return
    }
    Assert.ok(reason.error instanceof GrpcError.GrpcError, about)
    seen = `code ${reason.error.reason.code}`
  }
  const expected = expectedOf(calling, world)
  // Some answers come too late.
  if (isInterrupted || expected === undefined || overMillis >= untilMillis) return
  if (expected === "no single reply") Assert.ok(/^code (12|13)$/.test(seen), `${about}: ${seen}`)
  else Assert.equal(seen, expected, about)
}

const round = (seed: number) =>
  Effect.gen(function* () {
    const random = new Random(seed)
    const logs = new LogRecorder()
    const callings: Array<Calling> = []
    yield* MemoryWorld.leavesNothing((track) =>
      Effect.gen(function* () {
        const world = new HostileWorld(random, random.chance(3) ? "quiet" : "hostile")
        track(world as never)
        const scope = yield* Scope.make()
        const hosts = world.conduct === "quiet" ? ["a"] : random.pick([["a"], ["a", "b", "c"]])
        const channel = yield* GrpcChannel.make(
          hosts.map((host) => ({ host, port: 1 })),
          optionsOf(random, world.conduct)
        ).pipe(Effect.provideService(Dialer, world.dialer), Scope.provide(scope))
        const client = yield* Effect.provideService(GrpcClient.make(Greeter), GrpcChannel.GrpcChannel, channel)
        yield* converse(random, world, client, callings)
        const isClosedEarly = random.chance(4)
        if (world.conduct === "quiet" && random.chance(2)) yield* leave(channel, callings)
        if (!isClosedEarly) yield* come(world, callings)
        if (!isClosedEarly) {
          for (const calling of callings) judge(calling, world)
          const stats = yield* channel.stats
          Assert.equal(stats.openCount + stats.waitingCount, 0, "calls of the channel")
        }
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* moments(20_000, 5)
        Assert.ok(closing.pollUnsafe() !== undefined, "the channel closes")
        for (const calling of callings) {
          if (calling.fiber.pollUnsafe() === undefined) {
            Assert.fail(`no end of ${calling.about}, whose channel is closed`)
          }
        }
        for (const calling of callings) {
          const exit = calling.fiber.pollUnsafe()!
          const isDefect = Exit.isFailure(exit) && exit.cause.reasons.some(({ _tag }) => _tag === "Die")
          Assert.ok(!isDefect, `a defect of ${calling.about}: ${Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""}`)
        }
      })
    ).pipe(logs.listen)
    const odd = logs.entries.filter(({ level }) => level === "Error" || level === "Fatal")
    Assert.deepEqual(odd, [], "what was logged")
    return callings.length
  }).pipe(Effect.provide(NodeGrpcCompression.layer()), Effect.provide(TestClock.layer()))

/** Moves the clock, in so many parts. */
const moments = (millis: number, count: number) =>
  Effect.gen(function* () {
    for (let left = count; left > 0; left--) {
      yield* TestClock.adjust(millis / count)
      yield* turns
    }
  })

const interrupt = (calling: Calling): void => {
  if (calling.fiber.pollUnsafe() === undefined) calling.isInterrupted = true
  calling.fiber.interruptUnsafe()
}

const converse = (random: Random, world: HostileWorld, client: Client, callings: Array<Calling>) =>
  Effect.gen(function* () {
    for (let steps = random.pick([20, 100, 300]); steps > 0; steps--) {
      if (random.chance(8) && callings.length < 40) callings.push(yield* begin(random, client, callings.length))
      if (world.connections.length > 0) random.pick(world.connections.slice(-5)).act()
      if (random.chance(3)) yield* Effect.yieldNow
      if (random.chance(10)) yield* turns
      if (random.chance(20)) yield* TestClock.adjust(random.pick([1, 10, 60]))
      if (random.chance(60) && callings.length > 0) interrupt(random.pick(callings))
    }
  })

/** All calls are left before their deadlines, of which nothing is armed then. */
const leave = (channel: GrpcChannel.GrpcChannel["Service"], callings: ReadonlyArray<Calling>) =>
  Effect.gen(function* () {
    const { timers } = channel.connector
    callings.forEach(interrupt)
    yield* turns
    const armedCount = timers.size()
    yield* moments(600, 3)
    Assert.ok(armedCount <= timers.size(), `${armedCount} timers, and ${timers.size()} later`)
  })

/** Deadlines pass, and who has none is interrupted. */
const come = (world: HostileWorld, callings: ReadonlyArray<Calling>) =>
  Effect.gen(function* () {
    yield* turns
    world.settle()
    yield* turns
    yield* moments(600, 3)
    for (const calling of callings) if (calling.untilMillis === Number.POSITIVE_INFINITY) interrupt(calling)
    yield* turns
  })

await FuzzRun.run(FuzzRun.parse(process.argv.slice(2)), (seed) => Effect.runPromise(Effect.scoped(round(seed))))
