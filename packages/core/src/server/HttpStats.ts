/**
 * What an HTTP server counts of its requests.
 *
 * @internal
 * @since 0.1.0
 */
import type { Outcome } from "../session/HttpEnvironment.ts"

/**
 * A snapshot.
 *
 * @category models
 */
export interface RequestStats {
  /** Requests whose response was handed to the transport whole. */
  readonly completed: number
  /** Requests whose client went before its response was whole. */
  readonly aborted: number
  /** Requests whose response the server broke off. */
  readonly cut: number
  /** Requests that became a WebSocket or another protocol. */
  readonly upgraded: number
}

/** @category models */
export class HttpStats {
  private completed = 0
  private aborted = 0
  private cut = 0
  private upgraded = 0

  count(outcome: Outcome): void {
    this[outcome]++
  }

  snapshot(): RequestStats {
    const { aborted, completed, cut, upgraded } = this
    return { completed, aborted, cut, upgraded }
  }
}
