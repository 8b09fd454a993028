/**
 * Writes the body of a request as fast as its server takes it.
 *
 * @internal
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { FieldsInput } from "../protocol/http/HttpField.ts"
import type { Refusal } from "../protocol/http2/Http2Error.ts"
import type { Http2Call } from "../session/Http2Call.ts"
import * as Http2ClientError from "../session/Http2ClientError.ts"

/** The side of a call that is written to. @category models */
export type Target = Pick<Http2Call, "isWritable" | "isOver" | "write" | "end">

/** @category models */
export class Http2Upload {
  private waiter: (() => void) | undefined = undefined

  /** The call is writable, or over. */
  wake(): void {
    const { waiter } = this
    this.waiter = undefined
    waiter?.()
  }

  /**
   * Writes all of `body`, then what `trailers` says. Nothing of the body is
   * taken before the request is on its way. Where the call is over before,
   * whoever runs it interrupts it.
   */
  run<E>(
    call: Target,
    body: Stream.Stream<Uint8Array, E>,
    trailers: () => FieldsInput | undefined
  ): Effect.Effect<void, E | Http2ClientError.InvalidRequest> {
    const writable = this.writable(call)
    const writing = Stream.runForEachArray(body, (parts) => {
      for (const part of parts) {
        const failed = failureOf(part.length === 0 ? undefined : call.write(part))
        if (failed !== undefined) return failed
      }
      return writable
    })
    return writable.pipe(
      Effect.andThen(writing),
      Effect.andThen(Effect.suspend(() => failureOf(call.end(trailers())) ?? Exit.void))
    )
  }

  private writable(call: Target): Effect.Effect<void> {
    return Effect.suspend(() => (call.isWritable ? Exit.void : this.wait(call)))
  }

  private wait(call: Target): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const look = (): void => {
        if (call.isWritable) resume(Exit.void)
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

/** A stream that has ended is no failure: whoever made the request hears of it otherwise. */
const failureOf = (refusal: Refusal | undefined): Exit.Exit<never, Http2ClientError.InvalidRequest> | undefined =>
  refusal?._tag === "InvalidMessage"
    ? Exit.fail(new Http2ClientError.InvalidRequest("MaybeProcessed", refusal.detail))
    : undefined
