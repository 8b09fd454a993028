/**
 * What ties a hub to its backplane: a queue and a fiber on the way out, a
 * fiber on the way in. Whoever broadcasts waits for neither.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"
import { Backlog } from "./Backlog.ts"
import type { Backplane, Packet } from "./Backplane.ts"
import * as BackplaneMessage from "./BackplaneMessage.ts"
import type { HubStats } from "./HubStats.ts"
import type * as SlowConsumer from "./SlowConsumer.ts"

/** @category models */
export interface BackplaneLink {
  /** Sends `message` to the hubs of other processes, sooner or later, if there is room for it. */
  readonly offer: (room: string, message: PreparedMessage) => void
}

/** @category options */
export interface Options {
  readonly backplane: Backplane
  readonly queue: SlowConsumer.Resolved
  readonly stats: HubStats
  /** A message of another hub. */
  readonly receive: (room: string, message: PreparedMessage) => void
}

/** Works until the scope closes; what waits then is not sent. @category constructors */
export const make = (options: Options): Effect.Effect<BackplaneLink, never, Scope.Scope> =>
  Effect.gen(function* () {
    const origin = yield* randomOrigin
    const outbox = new Outbox(options.queue)
    const { stats } = options
    yield* Effect.forkScoped(publishAll(options.backplane, outbox, stats), { startImmediately: true })
    yield* Effect.forkScoped(keepSubscribed(options, origin), { startImmediately: true })
    return {
      offer: (room, message) => {
        if (!outbox.offer({ room, bytes: BackplaneMessage.encode(origin, message) })) stats.backplaneLost++
      }
    }
  })

/** Packets that wait, and the fiber that waits for them. */
class Outbox {
  private readonly backlog: Backlog<Packet>
  private wake: (() => void) | undefined

  constructor(limits: SlowConsumer.Resolved) {
    this.backlog = new Backlog(limits.maxQueuedCount, limits.maxQueuedBytes, (packet) => packet.bytes.length)
  }

  offer(packet: Packet): boolean {
    const taken = this.backlog.push(packet)
    if (taken) this.wake?.()
    return taken
  }

  /** One fiber at a time. */
  readonly take: Effect.Effect<Packet> = Effect.suspend(() => {
    const packet = this.backlog.shift()
    return packet === undefined ? Effect.andThen(this.filled, this.take) : Effect.succeed(packet)
  })

  private readonly filled: Effect.Effect<void> = Effect.callback((resume) => {
    const wake = (): void => {
      this.wake = undefined
      resume(Exit.void)
    }
    this.wake = wake
    return Effect.sync(() => {
      this.wake = undefined
    })
  })
}

const publishAll = Effect.fnUntraced(function* (backplane: Backplane, outbox: Outbox, stats: HubStats) {
  let working = true
  while (true) {
    const exit = yield* Effect.exit(backplane.publish(yield* outbox.take))
    if (Exit.isSuccess(exit)) {
      stats.backplaneSent++
      working = true
      continue
    }
    stats.backplaneLost++
    // Once for each outage: a line for each message would be a flood of its own.
    if (working) yield* Effect.logWarning("The backplane does not take messages", exit.cause)
    working = false
  }
})

const keepSubscribed = ({ backplane, stats, receive }: Options, origin: Uint8Array): Effect.Effect<void> =>
  Effect.suspend(() => {
    let heard = false
    const listen = Stream.runForEach(backplane.packets, ({ room, bytes }) =>
      Effect.sync(() => {
        heard = true
        const message = BackplaneMessage.decode(origin, bytes)
        if (message === "unknown") stats.backplaneLost++
        else if (message !== "own") receive(room, message)
      })
    )
    return Effect.exit(listen).pipe(
      Effect.tap((exit) =>
        Exit.isFailure(exit)
          ? Effect.logWarning("The backplane has ended", exit.cause)
          : Effect.logWarning("The backplane has ended")
      ),
      Effect.andThen(Effect.suspend(() => (heard ? Effect.void : Effect.fail("silent"))))
    )
  }).pipe(
    Effect.retry(resubscribing),
    // It had worked: the next attempts begin anew.
    Effect.repeat(Schedule.spaced("100 millis")),
    Effect.ignore
  )

const resubscribing = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")])
)

const randomOrigin: Effect.Effect<Uint8Array> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 256), BackplaneMessage.originBytes),
  (bytes) => Uint8Array.from(bytes)
)
