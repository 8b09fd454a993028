/**
 * A call whose method has one reply.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import { WrongMessageCount } from "../../protocol/grpc/GrpcViolation.ts"
import type { AttemptFailed, AttemptStart } from "./GrpcAttempts.ts"
import type { GrpcClientCall } from "./GrpcClientCall.ts"
import { GrpcClientCallAttempt } from "./GrpcClientCallAttempt.ts"

/** Makes the call. An interruption gives it up: RST_STREAM with CANCEL. @category constructors */
export const send = (call: GrpcClientCall): Effect.Effect<Message, GrpcError.GrpcError> =>
  call.attempt((start) => {
    const attempt = new ReplyAttempt(call)
    const reply = attempt.run(start)
    return call.requests === undefined ? reply : Effect.ensuring(reply, attempt.stopped)
  })

class ReplyAttempt extends GrpcClientCallAttempt {
  private resume: ((exit: Exit.Exit<Message, AttemptFailed>) => void) | undefined = undefined
  private reply: Message | undefined = undefined
  private exit: Exit.Exit<Message, AttemptFailed> | undefined = undefined

  run(start: AttemptStart): Effect.Effect<Message, AttemptFailed> {
    return Effect.callback((resume) => {
      this.resume = resume
      this.open(start)
      return Effect.sync(() => this.release())
    })
  }

  protected began(): void {}

  protected received(data: Uint8Array): void {
    const inbound = this.inbound!
    inbound.push(data)
    for (let message = inbound.next(); message !== undefined; message = inbound.next()) {
      if (this.reply !== undefined) {
        this.fail(GrpcError.fromViolation(new WrongMessageCount("peer", "response", "several")))
        return
      }
      this.reply = message
    }
    if (inbound.failure !== undefined) this.fail(inbound.failure)
    // The reply has a limit of its own: it is not what the windows are for.
    else this.stream!.consume(data.length)
  }

  protected ended(error: GrpcError.GrpcError | undefined): void {
    const failure = error ?? this.inbound?.end() ?? (this.reply === undefined ? noReply() : undefined)
    this.exit = failure === undefined ? Exit.succeed(this.reply!) : Exit.fail(this.statusFailure(failure))
  }

  protected closed(): void {
    const { onTrailers } = this.call.options
    if (this.exit!._tag === "Success" && !this.tell(onTrailers, this.trailers)) return
    this.phase = "over"
    this.resume!(this.exit!)
  }

  protected failed(failure: AttemptFailed): void {
    this.resume!(Exit.fail(failure))
  }

  protected died(defect: unknown): void {
    this.resume!(Exit.die(defect))
  }
}

const noReply = (): GrpcError.GrpcError => GrpcError.fromViolation(new WrongMessageCount("peer", "response", "none"))
