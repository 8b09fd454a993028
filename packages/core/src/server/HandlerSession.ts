/**
 * One connection of a server and the fiber that serves it, from the first byte
 * to the last.
 *
 * The two can end in either order. When the handler ends first, its scope is
 * closed, what it sent is delivered, and the connection closes. When the
 * transport is lost first, `receive` and `send` fail; a handler that notices
 * neither within `closeTimeout` is interrupted. The session is finished when
 * both are gone.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as NetAddress from "effect/net/NetAddress"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import { CodecError } from "../codec/CodecError.ts"
import * as Connection from "../session/Connection.ts"
import type { Resolved } from "../session/ConnectionOptions.ts"
import { Timer, type Timers } from "../session/Timers.ts"
import type { Transport } from "../transport/Transport.ts"
import { TransportError } from "../transport/TransportError.ts"
import type { Member } from "./Drain.ts"

/** What all sessions of one server share. @category models */
export interface Environment {
  readonly handler: (connection: Connection.Connection) => Effect.Effect<unknown, unknown>
  /** The handler's services, with `Connection` and `Scope` still to be added. */
  readonly context: Context.Context<never>
  readonly timers: Timers
  readonly limits: Resolved
}

/** @category constructors */
export const startUnsafe = (
  environment: Environment,
  transport: Transport,
  finished: (reason: string) => void
): Member => {
  const session = new HandlerSession(environment, transport, finished)
  session.start()
  return session
}

class HandlerSession implements Member {
  private readonly environment: Environment
  private readonly owned: Connection.Owned
  private readonly finished: (reason: string) => void
  private readonly scope = Scope.makeUnsafe()
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private handler: "running" | { readonly exit: Exit.Exit<unknown, unknown> } = "running"
  private impatience: Timer | undefined

  constructor(environment: Environment, transport: Transport, finished: (reason: string) => void) {
    this.environment = environment
    this.finished = finished
    this.owned = Connection.makeUnsafe("server", transport, environment.timers, environment.limits)
  }

  start(): void {
    const { handler, context } = this.environment
    const { connection } = this.owned
    this.owned.observeClose(() => this.transportClosed())
    const services = Context.add(Context.add(context, Connection.Connection, connection), Scope.Scope, this.scope)
    this.fiber = Effect.runForkWith(services)(Effect.suspend(() => handler(connection)))
    this.fiber.addObserver((exit) => this.handlerEnded(exit))
  }

  drain(): void {
    this.owned.drain()
  }

  interrupt(): void {
    this.fiber?.interruptUnsafe()
  }

  cut(): void {
    this.interrupt()
    this.owned.destroy()
  }

  private handlerEnded(exit: Exit.Exit<unknown, unknown>): void {
    const closing = Scope.closeUnsafe(this.scope, exit)
    const { context } = this.environment
    const after = (): void => {
      this.handler = { exit }
      this.report(exit)
      if (this.owned.state === "open") this.owned.close()
      else this.finish()
    }
    if (closing === undefined) after()
    else Effect.runForkWith(context)(closing).addObserver(after)
  }

  private transportClosed(): void {
    if (this.handler !== "running") {
      this.finish()
      return
    }
    const { timers, limits } = this.environment
    this.impatience = new Timer(() => this.interrupt())
    timers.set(this.impatience, timers.now() + limits.closeMillis)
  }

  private finish(): void {
    if (this.impatience !== undefined) this.environment.timers.clear(this.impatience)
    this.finished(this.reason())
  }

  /** Bad input is told before the loss of the transport that it led to. */
  private reason(): string {
    const failure = this.handler === "running" ? undefined : failureOf(this.handler.exit)
    if (failure instanceof CodecError) return failure.reason._tag
    if (this.owned.state !== "open" && this.owned.state.error !== undefined) return this.owned.state.error.reason._tag
    if (failure instanceof TransportError) return failure.reason._tag
    return failure === undefined ? "Finished" : failure === interrupted ? "Interrupted" : "Failed"
  }

  /** A peer that misbehaves or goes away is its own fault: told at debug level. Everything else is an error of ours. */
  private report(exit: Exit.Exit<unknown, unknown>): void {
    const failure = failureOf(exit)
    if (exit._tag === "Success" || failure === undefined || failure === interrupted) return
    const ours =
      !(failure instanceof CodecError || failure instanceof TransportError) || failure.reason.fault === "caller"
    const message = ours ? "Unhandled error in a connection handler" : "Connection ended by its peer's fault"
    Effect.runForkWith(this.environment.context)(
      (ours ? Effect.logError(message, exit.cause) : Effect.logDebug(message, failure)).pipe(
        Effect.annotateLogs("peer", NetAddress.formatSocketAddress(this.owned.connection.peer))
      )
    )
  }
}

const interrupted = Symbol("interrupted")

/** What a handler failed with; `undefined` for a success or the end of the stream. */
const failureOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (exit._tag === "Success" || Pull.isDoneCause(exit.cause)) return undefined
  return Cause.hasInterruptsOnly(exit.cause) ? interrupted : Cause.squash(exit.cause)
}
