/** An accept loop on a listener and a server by hand: who comes, who is served, and who has ended is the test's to say. */
import * as AcceptLoop from "@sluice/core/server/AcceptLoop"
import * as ConnectionStats from "@sluice/core/server/ConnectionStats"
import * as Drain from "@sluice/core/server/Drain"
import * as Timers from "@sluice/core/session/Timers"
import type { Acceptor } from "@sluice/core/transport/Listener"
import * as MemoryTransport from "@sluice/core/transport/MemoryTransport"
import type { Transport } from "@sluice/core/transport/Transport"
import type * as TransportError from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import { Recorder } from "./TransportContract.ts"

/** One that connects. */
export class Caller {
  readonly name: string
  readonly transport: Transport
  readonly heard = new Recorder()
  /** The server's end. */
  readonly accepted: Transport
  /** Why the server's end closed. */
  closedBy: TransportError.Reason | undefined

  constructor(name: string, ip: string) {
    this.name = name
    const [client, server] = MemoryTransport.pair({
      addresses: [
        NetAddress.inetAddressFromIpStringUnsafe(ip, 50_000),
        NetAddress.inetAddressFromIpStringUnsafe("192.0.2.254", 7)
      ]
    })
    this.transport = client
    this.accepted = server
    client.attach(this.heard)
    client.resume()
    server.observeClose((error) => {
      this.closedBy = error?.reason
    })
  }
}

export class AcceptWorld {
  readonly stats = new ConnectionStats.ConnectionStats()
  readonly drain: Drain.Drain
  readonly loop: AcceptLoop.AcceptLoop
  readonly timers: Timers.Timers
  /** Names of those that were given a place, in order. */
  readonly served: Array<string> = []
  readonly told: Array<string> = []
  acceptor: Acceptor | undefined
  listenerCloses = 0
  private readonly finishers = new Map<string, (reason: string) => void>()
  private readonly callers = new Map<Transport, Caller>()

  constructor(timers: Timers.Timers, options: (AcceptLoop.Options & Drain.Options) | undefined) {
    this.timers = timers
    this.drain = Drain.makeUnsafe(options)
    const listener = {
      address: NetAddress.inetAddressFromIpStringUnsafe("192.0.2.254", 7),
      accept: (acceptor: Acceptor) =>
        Effect.sync(() => {
          this.acceptor = acceptor
        }),
      close: Effect.sync(() => {
        this.listenerCloses++
      })
    }
    this.loop = AcceptLoop.makeUnsafe(listener, this.drain, timers, this.stats, options)
  }

  readonly serve: AcceptLoop.Serve = (transport, finished) => {
    const { name } = this.callers.get(transport)!
    this.served.push(name)
    this.finishers.set(name, finished)
    const tell = (word: string) => () => void this.told.push(`${name} ${word}`)
    return { drain: tell("drain"), interrupt: tell("interrupt"), cut: tell("cut") }
  }

  connect(name: string, ip = "192.0.2.1"): Caller {
    const caller = new Caller(name, ip)
    this.offer(caller)
    return caller
  }

  /** The listener hands over who has connected. */
  offer(caller: Caller): void {
    this.callers.set(caller.accepted, caller)
    this.acceptor!.onTransport(caller.accepted)
  }

  /** The handler of `name` has ended and its transport is gone. */
  finish(name: string, reason = "Finished"): void {
    this.finishers.get(name)!(reason)
  }
}

/** With a loop that accepts. */
export const make = (options?: AcceptLoop.Options & Drain.Options): Effect.Effect<AcceptWorld, never, Scope.Scope> =>
  Effect.gen(function* () {
    const world = new AcceptWorld(yield* Timers.make, options)
    yield* world.loop.start(world.serve)
    return world
  })
