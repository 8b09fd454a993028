/**
 * One connection of a server that is served by callbacks, without a fiber:
 * watched, counted and drained as any other.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { StallWatch } from "../session/StallWatch.ts"
import type { Receiver, Transport } from "../transport/Transport.ts"
import type { Member } from "./Drain.ts"
import type * as HandlerSession from "./HandlerSession.ts"

/** What all sessions of one server share. @category models */
export type Environment = Omit<HandlerSession.Environment, "handler"> & {
  /** Names the receiver of a new transport. */
  readonly open: (transport: Transport) => Receiver
}

/**
 * Begins to serve. The server knows no requests here, so its drain is the
 * half-close, and the deadline destroys what is left.
 *
 * @category constructors
 */
export const startUnsafe = (
  { open, context, timers, limits }: Environment,
  transport: Transport,
  finished: (reason: string) => void
): Member => {
  const watch = new StallWatch(transport, timers, limits, neverMidFrame)
  transport.observeClose((error) => {
    watch.stop()
    finished(error === undefined ? "Finished" : error.reason._tag)
  })
  try {
    transport.attach(open(transport))
    transport.resume()
  } catch (error) {
    // A receiver that cannot be made costs its own connection, and is told as any defect of a handler.
    transport.destroy()
    Effect.runForkWith(context)(Effect.logError("A transport's receiver could not be made", error))
  }
  return {
    drain: () => transport.end(),
    interrupt: () => transport.destroy(),
    cut: () => transport.destroy()
  }
}

/** Callbacks see bytes, and no frames. */
const neverMidFrame = { midFrame: false }
