/**
 * A connection that heals itself: when it is lost, it is opened again by a
 * `Schedule`, and whoever needs it waits until it is there.
 *
 * A byte stream does not survive the loss of its connection: what was under
 * way is gone, and the new connection begins anew. So a session (a login, a
 * subscription) belongs into `session`, which runs on each new connection,
 * and `use` tells its caller when the connection was lost underneath.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Limit from "../protocol/Limit.ts"
import type { Connection, Owned } from "../session/Connection.ts"
import { type Dialer, formatTarget, type Target } from "../transport/Dialer.ts"
import * as TransportError from "../transport/TransportError.ts"
import * as TcpClient from "./TcpClient.ts"

/** @category models */
export type State =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Connected"; readonly connection: Connection }
  /** The next attempt comes by the schedule. `error`: why the last one failed, or the connection was lost. */
  | { readonly _tag: "Waiting"; readonly error: TransportError.TransportError }
  /** The schedule has ended, or the client's scope has closed (`Closed`): no further attempt is made. */
  | { readonly _tag: "Failed"; readonly error: TransportError.TransportError }

/** @category models */
export interface ReconnectingClient {
  readonly state: Effect.Effect<State>
  /** The state now, then every change of it. Ends with `Failed`. */
  readonly states: Stream.Stream<State>
  /** The connection that is open, or the next one. Fails when the schedule or the client has ended. */
  readonly connection: Effect.Effect<Connection, TransportError.TransportError>
  /**
   * Runs `f` with a connection. Fails with `TransportError` when the connection
   * is lost or the peer ends it meanwhile, whatever `f` waits for: the end of
   * its stream is a loss here, and what it had sent before is handed out only
   * to an `f` that is reading. A retry gets the next connection.
   */
  readonly use: <A, E, R>(
    f: (connection: Connection) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, Pull.ExcludeDone<E> | TransportError.TransportError, R>
}

/** @category options */
export interface Options extends TcpClient.Options {
  /**
   * When to try again; its input is the error. It begins anew after each
   * connection that came about. Default: 100 ms, doubled up to 30 seconds,
   * with jitter, for ever.
   */
  readonly schedule?: Schedule.Schedule<unknown, TransportError.TransportError> | undefined
  /**
   * Runs on each new connection before anyone else gets it: a login, a
   * subscription. Its failure closes the connection and counts as a lost one.
   */
  readonly session?: ((connection: Connection) => Effect.Effect<void, TransportError.TransportError>) | undefined
  /** Longest `session`; then the attempt has failed with `ConnectTimeout`. Above 0. Default 10 seconds. */
  readonly sessionTimeout?: Duration.Input | undefined
}

/**
 * Closing the scope ends the client: whoever waits fails with `Closed`. Its
 * connection closes as that of `TcpClient.connect`: in good order, or at once
 * after a failure or an interruption.
 *
 * @category constructors
 */
export const make = (
  target: Target,
  options?: Options
): Effect.Effect<ReconnectingClient, never, Dialer | Scope.Scope> =>
  Effect.gen(function* () {
    const state = yield* SubscriptionRef.make<State>({ _tag: "Connecting" })
    const sessionMillis = Limit.millis("sessionTimeout", options?.sessionTimeout ?? "10 seconds")
    const begin = (session: Effect.Effect<void, TransportError.TransportError>, owned: Owned) =>
      Effect.raceFirst(
        session,
        Effect.flatMap(owned.connection.closed, () => Effect.fail(whyLost(owned)))
      ).pipe(
        Effect.timeoutOrElse({
          duration: sessionMillis,
          orElse: () =>
            Effect.fail(TransportError.make(new TransportError.ConnectTimeout(formatTarget(target), sessionMillis)))
        })
      )
    const owners = new WeakMap<Connection, Owned>()
    /** How the client's own scope closed: its connection closes alike, whatever interrupted the attempt. */
    let ending: Exit.Exit<unknown, unknown> | undefined

    const attempt = Effect.gen(function* () {
      const owned = yield* TcpClient.acquire(target, options)
      if (options?.session !== undefined) yield* begin(options.session(owned.connection), owned)
      owners.set(owned.connection, owned)
      yield* SubscriptionRef.set(state, { _tag: "Connected", connection: owned.connection })
      yield* owned.connection.ended
      const error = whyLost(owned)
      // Said before the connection is closed, which takes its time: nobody may get it any more.
      yield* SubscriptionRef.set(state, { _tag: "Waiting", error })
      return { error, connected: true }
    })
    const attemptInScope = Effect.acquireUseRelease(
      Scope.make(),
      (scope) => Scope.provide(attempt, scope),
      (scope, exit) => Scope.close(scope, ending ?? exit)
    ).pipe(Effect.catch((error) => Effect.succeed({ error, connected: false })))

    // Finalizers run from the last to the first: `ending` is known when the fiber is interrupted, and then all is over.
    yield* Effect.addFinalizer(() => fail(state, closedHere))
    yield* Effect.forkScoped(keepUp(attemptInScope, options?.schedule ?? defaultSchedule, state))
    yield* Effect.addFinalizer((exit) =>
      Effect.sync(() => {
        ending = exit
      })
    )

    const connection = awaitConnected(state)
    const failWhenClosed = (current: Connection): Effect.Effect<never, TransportError.TransportError> =>
      Effect.andThen(
        current.closed,
        Effect.suspend(() => Effect.fail(ending === undefined ? whyLost(owners.get(current)!) : closedHere))
      )
    return {
      state: SubscriptionRef.get(state),
      states: Stream.takeUntil(SubscriptionRef.changes(state), (state) => state._tag === "Failed"),
      connection,
      use: (f) =>
        Effect.flatMap(connection, (current) =>
          Effect.raceFirst(
            Pull.catchDone(f(current), () => Effect.fail(endedByPeer)),
            failWhenClosed(current)
          )
        )
    }
  })

/** 100 ms, doubled up to 30 seconds, with jitter, for ever. @category schedules */
export const defaultSchedule: Schedule.Schedule<unknown> = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("30 seconds")])
)

const endedByPeer = TransportError.make(new TransportError.ConnectionLost("EOF"))

const closedHere = TransportError.make(new TransportError.Closed())

const whyLost = (owned: Owned): TransportError.TransportError =>
  owned.state === "open" ? endedByPeer : (owned.state.error ?? endedByPeer)

/** The last state of all. The first reason counts. */
const fail = (
  state: SubscriptionRef.SubscriptionRef<State>,
  error: TransportError.TransportError
): Effect.Effect<void> =>
  SubscriptionRef.update(state, (now): State => (now._tag === "Failed" ? now : { _tag: "Failed", error }))

interface Attempt {
  readonly error: TransportError.TransportError
  /** Whether the connection came about. */
  readonly connected: boolean
}

/** Attempts and waits in turn, until the schedule ends. */
const keepUp = (
  attempt: Effect.Effect<Attempt, never, Dialer>,
  schedule: Schedule.Schedule<unknown, TransportError.TransportError>,
  state: SubscriptionRef.SubscriptionRef<State>
): Effect.Effect<void, never, Dialer> =>
  Effect.gen(function* () {
    let step = yield* Schedule.toStepWithSleep(schedule)
    while (true) {
      const { error, connected } = yield* attempt
      if (connected) step = yield* Schedule.toStepWithSleep(schedule)
      else yield* SubscriptionRef.set(state, { _tag: "Waiting", error })
      const again = yield* Pull.catchDone(Effect.as(step(error), true), () => Effect.succeed(false))
      if (!again) return yield* fail(state, error)
      yield* SubscriptionRef.set(state, { _tag: "Connecting" })
    }
  }).pipe(
    // A defect of the dialer or the session: nobody may wait for a fiber that is no more.
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.andThen(Effect.logError("A reconnecting client has died", cause), fail(state, closedHere))
    )
  )

/** The connection that is open, or the next one that comes about. */
const awaitConnected = (
  state: SubscriptionRef.SubscriptionRef<State>
): Effect.Effect<Connection, TransportError.TransportError> =>
  Effect.suspend(() => {
    const now = settled(SubscriptionRef.getUnsafe(state))
    if (Option.isSome(now)) return now.value
    return SubscriptionRef.changes(state).pipe(
      Stream.map(settled),
      Stream.filter(Option.isSome),
      Stream.runHead,
      Effect.flatMap(Option.match({ onNone: () => Effect.fail(endedByPeer), onSome: (settled) => settled.value }))
    )
  })

/** The answer to who wants the connection, once there is one. Who asks may know of a loss before the state does. */
const settled = (state: State): Option.Option<Effect.Effect<Connection, TransportError.TransportError>> => {
  if (state._tag === "Connected") {
    return state.connection.isOpen ? Option.some(Effect.succeed(state.connection)) : Option.none()
  }
  return state._tag === "Failed" ? Option.some(Effect.fail(state.error)) : Option.none()
}
