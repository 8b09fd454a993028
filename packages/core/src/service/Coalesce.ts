/**
 * One flight a key: calls that ask for the same at the same time are made once,
 * and all get that answer.
 *
 * It keeps a crowd from the callee when a cache runs out or a page is shared.
 * An answer is not kept beyond the flight: see `ResultCache` for that. Only for
 * calls that read.
 *
 * A flight belongs to none of those who wait for it: who is interrupted or runs
 * into a deadline leaves it to the others, and the last to leave ends it. It
 * runs in the context of the first, without that one's deadline. Memory: as
 * many flights as there are callers.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Deadline from "./Deadline.ts"

/**
 * A policy for calls with one kind of answer: those of a flight share it, so
 * they agree in its types.
 *
 * @category models
 */
export type Coalesce<in K, in out A, in out E> = (key: K) => <R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Keys are compared as those of a `Map` are. @category constructors */
export const make = <A, E = never, K = string>(): Effect.Effect<Coalesce<K, A, E>> =>
  Effect.sync(() => {
    const flights = new Map<K, Flight<A, E>>()
    return (key) => (self) =>
      Effect.withFiber((caller: Fiber.Fiber<unknown, unknown>) => {
        const flight = flights.get(key) ?? begin(flights, key, self, caller)
        const exit = flight.fiber.pollUnsafe()
        if (exit !== undefined) return exit
        flight.seatCount++
        const seat: Seat = { isTaken: true }
        // Twice, since whoever is interrupted by the first steps of the flight never has the finalizer.
        const forget = caller.addObserver(() => leave(flights, key, flight, seat))
        return Effect.onExitPrimitive(Fiber.join(flight.fiber), () => {
          forget()
          return leave(flights, key, flight, seat) ? Fiber.interrupt(flight.fiber) : undefined
        })
      })
  })

interface Flight<A, E> {
  readonly fiber: Fiber.Fiber<A, E>
  /** Those who wait for it. */
  seatCount: number
}

interface Seat {
  isTaken: boolean
}

const begin = <K, A, E, R>(
  flights: Map<K, Flight<A, E>>,
  key: K,
  self: Effect.Effect<A, E, R>,
  caller: Fiber.Fiber<unknown, unknown>
): Flight<A, E> => {
  const context = caller.context as Context.Context<R>
  const isUncoupled = Context.get(caller.context, Deadline.CurrentDeadline) === Number.POSITIVE_INFINITY
  const fiber = Effect.runForkWith(context)(isUncoupled ? self : Deadline.uncoupled(self))
  const flight = { fiber, seatCount: 0 }
  if (fiber.pollUnsafe() !== undefined) return flight
  flights.set(key, flight)
  fiber.addObserver(() => remove(flights, key, flight))
  return flight
}

/** Whether the last one has left. Whoever comes while the flight cleans up begins another one. */
const leave = <K, A, E>(flights: Map<K, Flight<A, E>>, key: K, flight: Flight<A, E>, seat: Seat): boolean => {
  if (!seat.isTaken) return false
  seat.isTaken = false
  if (--flight.seatCount > 0 || flight.fiber.pollUnsafe() !== undefined) return false
  remove(flights, key, flight)
  flight.fiber.interruptUnsafe()
  return true
}

const remove = <K, A, E>(flights: Map<K, Flight<A, E>>, key: K, flight: Flight<A, E>): void => {
  if (flights.get(key) === flight) flights.delete(key)
}
