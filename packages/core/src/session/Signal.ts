/**
 * Something that happens once, and those who wait for it. Lighter than a
 * `Deferred` for each connection: nothing is allocated until someone waits.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** @category models */
export class Signal {
  private waiters: Set<() => void> | undefined
  fired = false

  fire(): void {
    if (this.fired) return
    this.fired = true
    const waiters = this.waiters
    this.waiters = undefined
    if (waiters !== undefined) for (const wake of waiters) wake()
  }

  /** Completes when the signal has fired. */
  get await(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.fired) {
        resume(Exit.void)
        return
      }
      const wake = (): void => resume(Exit.void)
      this.waiters ??= new Set()
      this.waiters.add(wake)
      return Effect.sync(() => this.waiters?.delete(wake))
    })
  }
}
