/**
 * Sends a stream of requests, as fast as the server takes them.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { GrpcStream } from "./GrpcConnector.ts"

/** The side of an attempt that is written to. @category models */
export type Target = Pick<GrpcStream, "isWritable" | "write" | "end">

/** @category models */
export class GrpcClientStreamRequests {
  /** Whether the stream of requests has begun: it cannot be made again. */
  hasTaken = false
  private waiter: (() => void) | undefined = undefined

  /** The attempt is writable. */
  wake(): void {
    const { waiter } = this
    this.waiter = undefined
    waiter?.()
  }

  /**
   * Writes all of `requests` and ends this side. Nothing is taken before the
   * attempt is on its way, and one array of them at most while the server takes
   * none. Where the attempt is over before, whoever runs it interrupts it.
   */
  run<E, R>(
    target: Target,
    requests: Stream.Stream<object, E, R>,
    encode: (request: object) => Uint8Array | GrpcError
  ): Effect.Effect<void, E | GrpcError, R> {
    const writable = Effect.suspend(() => (target.isWritable ? Exit.void : this.wait(target)))
    const write = (batch: ReadonlyArray<object>, from: number): Effect.Effect<void, GrpcError> => {
      for (let at = from; at < batch.length; at++) {
        if (!target.isWritable) return Effect.flatMap(this.wait(target), () => write(batch, at))
        const bytes = encode(batch[at]!)
        if (!(bytes instanceof Uint8Array)) return Effect.fail(bytes)
        target.write(bytes)
      }
      return writable
    }
    const writing = Effect.suspend(() => {
      this.hasTaken = true
      return Stream.runForEachArray(requests, (batch) => write(batch, 0))
    })
    return writable.pipe(
      Effect.andThen(writing),
      Effect.andThen(Effect.sync(() => target.end(undefined))),
      Effect.asVoid
    )
  }

  private wait(target: Target): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = (): void => {
        if (target.isWritable) resume(Exit.void)
        else this.waiter = look
      }
      // The fiber may have yielded since it looked.
      look()
      return Effect.sync(() => {
        this.waiter = undefined
      })
    })
  }
}
