/**
 * Another protocol on the port of an HTTP server: it takes the requests that
 * are its own before the HTTP application sees them, and serves them by the
 * exchange, without Effect's request and response.
 *
 * @since 0.1.0
 */
import type { Serving } from "../session/HttpEnvironment.ts"
import type { HttpExchange } from "../session/HttpExchange.ts"
import type { Timers } from "../session/Timers.ts"
import type { DrainState } from "./Draining.ts"

export type { Serving } from "../session/HttpEnvironment.ts"

/** What a mount finds in its server. @category models */
export interface MountHost {
  readonly timers: Timers
  readonly draining: DrainState
}

/** @category models */
export interface HttpMount {
  /**
   * Serves a request whose head has come: `pass` where it is not its own. What
   * is served goes on until it is observed to have ended; `undefined`: it was
   * answered at once. Must not throw.
   */
  readonly serve: (exchange: HttpExchange) => Serving | undefined | "pass"
}
