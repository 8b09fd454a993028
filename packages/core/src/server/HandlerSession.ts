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
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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
  /** What the transport itself has told: the connection may know it earlier, or later. */
  private transport: "open" | { readonly error: TransportError | undefined } = "open"
  private impatience: Timer | undefined

  constructor(environment: Environment, transport: Transport, finished: (reason: string) => void) {
    this.environment = environment
    this.finished = finished
    this.owned = Connection.makeUnsafe("server", transport, environment.timers, environment.limits)
  }

  start(): void {
    const { handler, context } = this.environment
    const { connection } = this.owned
    this.owned.observeClose((error) => this.transportClosed(error))
    const services = Context.add(Context.add(context, Connection.Connection, connection), Scope.Scope, this.scope)
    this.fiber = Effect.runForkWith(services)(Effect.suspend(() => handler(connection)))
    this.fiber.addObserver((exit) => this.handlerEnded(exit))
  }

  drain(): void {
    this.owned.drain()
    // Nothing that its handler still does can reach the peer.
    if (this.transport !== "open") this.interrupt()
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
    if (closing === undefined) this.handlerFinished(exit)
    else {
      Effect.runForkWith(this.environment.context)(closing).addObserver((closed) =>
        this.handlerFinished(Exit.isFailure(closed) ? bothFailed(exit, closed) : exit)
      )
    }
  }

  /** With its scope. */
  private handlerFinished(exit: Exit.Exit<unknown, unknown>): void {
    this.handler = { exit }
    this.report(exit)
    if (this.transport === "open") this.owned.close()
    else this.finish()
  }

  private transportClosed(error: TransportError | undefined): void {
    this.transport = { error }
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
    if (this.transport !== "open" && this.transport.error !== undefined) return this.transport.error.reason._tag
    if (failure instanceof TransportError) return failure.reason._tag
    return failure === undefined ? "Finished" : failure === interrupted ? "Interrupted" : "Failed"
  }

  /** A peer that misbehaves or goes away is its own fault: told at debug level. Everything else is an error of ours. */
  private report(exit: Exit.Exit<unknown, unknown>): void {
    const failure = failureOf(exit)
    if (exit._tag === "Success" || failure === undefined || failure === interrupted) return
    const ours = isOurs(failure)
    const message = ours ? "Unhandled error in a connection handler" : "Connection ended by its peer's fault"
    Effect.runForkWith(this.environment.context)(
      (ours ? Effect.logError(message, exit.cause) : Effect.logDebug(message, failure)).pipe(
        Effect.annotateLogs("peer", NetAddress.formatSocketAddress(this.owned.connection.peer))
      )
    )
  }
}

const interrupted = Symbol("interrupted")

/**
 * What a handler failed with; `undefined` for a success or the end of the
 * stream. Of several failures an error of ours is the one to tell of.
 */
const failureOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (exit._tag === "Success") return undefined
  if (Cause.hasInterruptsOnly(exit.cause)) return interrupted
  const failures = exit.cause.reasons.flatMap((reason) => {
    if (reason._tag === "Interrupt" || Pull.isDoneFailure(reason)) return []
    return [reason._tag === "Fail" ? reason.error : reason.defect]
  })
  return failures.find(isOurs) ?? failures[0]
}

const isOurs = (failure: unknown): boolean =>
  !(failure instanceof CodecError || failure instanceof TransportError) || failure.reason.fault === "caller"

/** A failure of the scope's finalizers, with the handler's own before it. */
const bothFailed = (
  handler: Exit.Exit<unknown, unknown>,
  closing: Exit.Failure<unknown, unknown>
): Exit.Exit<unknown, unknown> =>
  handler._tag === "Failure" ? Exit.failCause(Cause.combine(handler.cause, closing.cause)) : closing
