/** The other end of a pool: it counts what is open, and does as it is told. */
import { assert } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/pool/ConnectionPool"
import type { Levels } from "@sluice/core/pool/PoolStats"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export class Refused extends Data.TaggedError("Refused")<{ readonly attempt: number }> {}

export class FakeConnection {
  readonly id: number
  isOpen = true
  /** What the test of it ends with. */
  test: Effect.Effect<void, string> = Effect.void
  borrowers = 0
  constructor(id: number) {
    this.id = id
  }
}

export class PoolWorld {
  readonly connections: Array<FakeConnection> = []
  attempts = 0
  /** From the beginning of `connect` to the end of closing. */
  live = 0
  mostLive = 0
  /** Before a connection is open. */
  connecting: Effect.Effect<void, Refused> = Effect.void
  /** Before it is closed. */
  closing: Effect.Effect<void> = Effect.void

  readonly connect = Effect.uninterruptibleMask((restore) =>
    Effect.gen({ self: this }, function* () {
      this.attempts++
      this.live++
      this.mostLive = Math.max(this.live, this.mostLive)
      yield* Effect.addFinalizer(() =>
        Effect.andThen(
          Effect.suspend(() => this.closing),
          Effect.sync(() => this.live--)
        )
      )
      yield* restore(this.connecting)
      const connection = new FakeConnection(this.connections.length + 1)
      this.connections.push(connection)
      return connection
    })
  )

  readonly refuse = Effect.suspend(() => Effect.fail(new Refused({ attempt: this.attempts })))

  make(options?: Partial<ConnectionPool.Options<FakeConnection, Refused>>) {
    return ConnectionPool.make<FakeConnection, Refused, import("effect/Scope").Scope>({
      connect: this.connect,
      ...options
    })
  }
}

export const world = Effect.sync(() => new PoolWorld())

/** Fails if somebody else has the connection. */
export const exclusively =
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  (connection: FakeConnection): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        assert.strictEqual(++connection.borrowers, 1, `connection ${connection.id} was handed out twice`)
      }),
      () => effect,
      () => Effect.sync(() => connection.borrowers--)
    )

/** Lets all that can run do so. */
export const settle = Effect.yieldNow.pipe(Effect.repeat({ times: 50 }))

type Pool = ConnectionPool.ConnectionPool<FakeConnection, Refused>

/** Levels that are not 0, as a text: `connections 2, idle 2`. */
export const levels = (pool: Pool): Effect.Effect<string> =>
  Effect.map(pool.stats, (stats) =>
    (["connections", "opening", "idle", "testing", "leased", "closing", "waiting"] as const)
      .filter((key: keyof Levels) => stats[key] > 0)
      .map((key) => `${key} ${stats[key]}`)
      .join(", ")
  )

export const reasonOf = (error: unknown): string =>
  (error as { readonly reason?: { readonly _tag: string } }).reason?._tag ?? (error as { _tag: string })._tag
