/**
 * Servers of HTTP/2 in memory for a channel, each with a name and a conduct
 * that a test changes; and calls of the channel, as what was heard of them.
 */
import { assert } from "@effect/vitest"
import * as GrpcChannel from "@sluice/core/grpc/client/GrpcChannel"
import type { Attempt, AttemptReceiver, Failure, GrpcStream } from "@sluice/core/grpc/client/GrpcConnector"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as Timers from "@sluice/core/session/Timers"
import * as Dialer from "@sluice/core/transport/Dialer"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import * as TransportError from "@sluice/core/transport/TransportError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Http2ClientWorld from "./Http2ClientWorld.ts"
import { turns } from "./TransportContract.ts"

/**
 * What dialing a server does. `hang`: no answer before the dialer's
 * `connectTimeout`. `mute`: connected, but no SETTINGS come.
 */
export type Conduct = "up" | "refuse" | "hang" | "mute" | "die" | "interrupt"

/** One server by name. */
export class Place {
  conduct: Conduct = "up"
  /** How long it takes until there is a transport. */
  dialMillis = 0
  /** Milliseconds of the test's clock at which it was dialed. */
  readonly dialedMillis: Array<number> = []
  /** Its connections, the oldest first. */
  readonly servers: Array<Http2ClientWorld.Server> = []
  /** Far ends of connections that say nothing. */
  readonly mutes: Array<Transport> = []
  options: Http2ClientWorld.ServerOptions

  constructor(options: Http2ClientWorld.ServerOptions) {
    this.options = options
  }

  get last(): Http2ClientWorld.Server {
    return this.servers.at(-1)!
  }

  /** Of all its connections. */
  get requests(): ReadonlyArray<Http2ClientWorld.Served> {
    return this.servers.flatMap((server) => server.requests)
  }

  get paths(): ReadonlyArray<string> {
    return this.requests.map((request) => String(request.head.path))
  }

  /** Takes no new connections, and says so on those that are there. */
  restart(): void {
    this.conduct = "refuse"
    for (const server of this.servers) if (server.engine.phase === "open") server.drain()
  }
}

/** A call, as its receiver heard it. */
export class Heard implements AttemptReceiver {
  readonly events: Array<string> = []
  /** As `onClosed` or `openUnsafe` said it. */
  failure: Failure | undefined
  stream: GrpcStream | undefined

  get isOver(): boolean {
    return this.events.includes("closed") || this.events.includes("refused")
  }

  onHead(): void {
    this.events.push("head")
  }

  onData(data: Uint8Array): void {
    this.events.push(`data ${data.length}`)
    this.stream?.consume(data.length)
  }

  onEnd(): void {
    this.events.push("end")
  }

  onWritable(): void {
    this.events.push("writable")
  }

  onClosed(failure: Failure | undefined): void {
    this.events.push("closed")
    this.failure = failure
  }
}

export class World {
  readonly places = new Map<string, Place>()
  private open = 0
  readonly timers: Timers.Timers
  private readonly options: Http2ClientWorld.ServerOptions
  /** For `MemoryWorld.leavesNothing`. */
  readonly network = { openCount: () => this.open }

  constructor(timers: Timers.Timers, options: Http2ClientWorld.ServerOptions) {
    this.timers = timers
    this.options = options
  }

  /** The server of that name; new ones are up. */
  at(host: string): Place {
    let place = this.places.get(host)
    if (place === undefined) {
      place = new Place(this.options)
      this.places.set(host, place)
    }
    return place
  }

  get dialer(): Dialer.Dialer["Service"] {
    return Dialer.Dialer.of({ dial: this.dial })
  }

  private readonly dial: Dialer.Dialer["Service"]["dial"] = (target, options) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
      const name = Dialer.formatTarget(target)
      const place = this.at(name.replace(/:\d+$/, ""))
      place.dialedMillis.push(nowMillis)
      switch (place.conduct) {
        case "refuse":
          return Effect.fail(TransportError.make(new TransportError.ConnectionRefused(name)))
        case "hang": {
          const limitMillis = Duration.toMillis(options?.connectTimeout ?? "10 seconds")
          return Effect.andThen(
            Effect.sleep(limitMillis),
            Effect.fail(TransportError.make(new TransportError.ConnectTimeout(name, limitMillis)))
          )
        }
        case "interrupt":
          return Effect.interrupt
        case "die":
          return Effect.die(new Error("a broken dialer"))
        default:
          return Effect.andThen(
            place.dialMillis === 0 ? Effect.void : Effect.sleep(place.dialMillis),
            Effect.acquireRelease(
              Effect.sync(() => this.connect(place)),
              (transport) => Effect.sync(() => transport.destroy())
            )
          )
      }
    })

  private connect(place: Place): Transport {
    const [near, far] = MemoryTransport.pair()
    for (const transport of [near, far]) {
      this.open++
      transport.observeClose(() => this.open--)
    }
    if (place.conduct === "mute") place.mutes.push(far)
    else place.servers.push(new Http2ClientWorld.Server(far, this.timers, place.options))
    return near
  }
}

/** A world whose servers live as long as the scope. */
export const make = (options: Http2ClientWorld.ServerOptions = {}): Effect.Effect<World, never, Scope.Scope> =>
  Effect.map(Timers.make, (timers) => new World(timers, options))

export type Channel = GrpcChannel.GrpcChannel["Service"]

/** A channel to servers of the world. At the end it is closed, and the clock goes on until its calls are given up. */
export const channel = (
  world: World,
  servers: GrpcChannel.Servers,
  options?: GrpcChannel.Options
): Effect.Effect<Channel, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => closing(scope))
    return yield* GrpcChannel.make(servers, options).pipe(
      Effect.provideService(Dialer.Dialer, world.dialer),
      Scope.provide(scope)
    )
  })

/** Closes a scope whose finalizers take time. */
export const closing = (scope: Scope.Closeable): Effect.Effect<void> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    yield* turns
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
  })

export const targets = (...hosts: ReadonlyArray<string>) => hosts.map((host) => ({ host, port: 50_051 }))

/** Makes a call. */
export const call = (channel: Channel, path: string, attempt?: Partial<Attempt>): Heard => {
  const heard = new Heard()
  const opened = channel.connector.openUnsafe(
    { path, headers: {}, body: undefined, rest: "whole", waitForReady: false, ...attempt },
    heard
  )
  if ("isOver" in opened) heard.stream = opened
  else {
    heard.events.push("refused")
    heard.failure = opened
  }
  return heard
}

/** Makes a call, and lets what it sets going come to rest. */
export const called = (channel: Channel, path: string, attempt?: Partial<Attempt>): Effect.Effect<Heard> =>
  Effect.suspend(() => {
    const heard = call(channel, path, attempt)
    return Effect.as(turns, heard)
  })

/** The call went well. */
export const succeeded = (heard: Heard): void => {
  assert.isUndefined(heard.failure, String(heard.failure))
  assert.deepStrictEqual(heard.events.at(-1), "closed")
  assert.include(heard.events, "end")
}

/** No chance: every delay of the backoff is as it is. */
export const even = Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 })

/** Moves the clock, and lets what that sets going come to rest. */
export const adjust = (millis: number): Effect.Effect<void> => Effect.andThen(TestClock.adjust(millis), turns)

/** The reason of an error that the channel itself has said. */
export const reasonOf = (heard: Heard): GrpcError.Reason => {
  assert.instanceOf(heard.failure, GrpcError.GrpcError, String(heard.failure))
  return heard.failure.reason
}
