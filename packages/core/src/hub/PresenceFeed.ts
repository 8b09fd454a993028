/**
 * The changes of a room for one reader, who may be slow.
 *
 * Losing a change would leave the reader with a wrong picture for ever, and
 * keeping all of them has no bound. So a reader that falls behind gets a
 * snapshot in their place, made when it reads again.
 *
 * @internal
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type { Change, Member } from "./Presence.ts"

/** @category models */
export class PresenceFeed<Presence> {
  private readonly maxCount: number
  private readonly snapshot: () => ReadonlyArray<Member<Presence>>
  private pending: Array<Change<Presence>> = []
  /** `stale`: the next thing to read is a snapshot. */
  private state: "stale" | "current" | "ended" = "stale"
  private wake: (() => void) | undefined

  constructor(maxCount: number, snapshot: () => ReadonlyArray<Member<Presence>>) {
    this.maxCount = maxCount
    this.snapshot = snapshot
  }

  /** Never waits. The reader may run before this returns. */
  offer(change: Change<Presence>): void {
    if (this.state !== "current") return
    if (this.pending.length < this.maxCount) this.pending.push(change)
    else {
      this.pending = []
      this.state = "stale"
    }
    this.wake?.()
  }

  end(): void {
    this.state = "ended"
    this.pending = []
    this.wake?.()
  }

  /** All that waits. One reader. */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Change<Presence>>> = Effect.suspend(
    () => this.take() ?? this.await
  )

  private take(): Exit.Exit<Arr.NonEmptyReadonlyArray<Change<Presence>>, Cause.Done> | undefined {
    if (this.state === "ended") return Exit.fail(Cause.Done())
    if (this.state === "stale") {
      this.state = "current"
      return Exit.succeed([{ _tag: "Snapshot", members: this.snapshot() }])
    }
    const { pending } = this
    if (!Arr.isReadonlyArrayNonEmpty(pending)) return undefined
    this.pending = []
    return Exit.succeed(pending)
  }

  private readonly await: Pull.Pull<Arr.NonEmptyReadonlyArray<Change<Presence>>> = Effect.callback((resume) => {
    const wake = (): void => {
      this.wake = undefined
      resume(this.pull)
    }
    this.wake = wake
    return Effect.sync(() => {
      this.wake = undefined
    })
  })
}
