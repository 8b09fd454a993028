/**
 * A call whose method has many replies, as a stream that is read.
 *
 * What comes waits as bytes until its reader asks for it, and only then the
 * server may send as much again: a reader that stops stops the server.
 *
 * Hot path: `bench/` rows "grpc".
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Retention from "../../bytes/Retention.ts"
import type { GrpcError } from "../../protocol/grpc/GrpcError.ts"
import type { AttemptFailed, AttemptStart } from "./GrpcAttempts.ts"
import type { GrpcClientCall } from "./GrpcClientCall.ts"
import { GrpcClientCallAttempt } from "./GrpcClientCallAttempt.ts"
import type { Failure } from "./GrpcConnector.ts"

/** Some replies of a call that has begun. @category models */
export type Replies = Pull.Pull<NonEmptyReadonlyArray<Message>, unknown>

/** Makes a call: succeeds when the server has begun to answer. @category models */
export type Send = (call: GrpcClientCall) => Effect.Effect<Replies, GrpcError>

/** A stream for each reader: `begin` makes the call, with `send` somewhere in it. @category constructors */
export const make = <E>(begin: (send: Send) => Effect.Effect<Replies, E>): Stream.Stream<Message, unknown> =>
  Stream.fromChannel(
    Channel.fromTransform((_upstream, scope) => {
      const opening = new Opening()
      return Effect.andThen(Scope.addFinalizer(scope, opening.close), begin(opening.send))
    })
  )

/** The attempts of a call, until one of them is the stream that is read. */
class Opening {
  private readonly attempts = new Set<RepliesAttempt>()

  readonly send: Send = (call) =>
    call.attempt((start) => {
      const attempt = new RepliesAttempt(call)
      this.attempts.add(attempt)
      return Effect.onExit(attempt.run(start), (exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        this.attempts.delete(attempt)
        return attempt.stopped
      })
    })

  /** Gives up what is left, also of attempts that lost against another. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    for (const attempt of this.attempts) attempt.release()
    return Effect.forEach(this.attempts, (attempt) => attempt.stopped, { discard: true })
  })
}

type Read = Exit.Exit<NonEmptyReadonlyArray<Message>, unknown>

class RepliesAttempt extends GrpcClientCallAttempt {
  /** For who waits for the server's first word. */
  private opening: ((exit: Exit.Exit<Replies, AttemptFailed>) => void) | undefined = undefined
  private reader: ((read: Read) => void) | undefined = undefined
  /** What has come and was not taken, from `at` on. */
  private chunks: Array<Uint8Array> = []
  private at = 0
  /** Whether the chunk before that may have messages that were not decoded yet. */
  private isCut = false
  /** What follows on the last of them: `whole` is still to be looked at. */
  private ending: "open" | "whole" | Exit.Exit<never, unknown> = "open"
  private status: GrpcError | undefined = undefined

  run(start: AttemptStart): Effect.Effect<Replies, AttemptFailed> {
    return Effect.callback((resume) => {
      this.opening = resume
      this.open(start)
      return Effect.sync(() => this.release())
    })
  }

  private readonly replies: Replies = Effect.suspend(() => this.next() ?? this.wait())

  protected began(): void {
    this.arm()
    const { opening } = this
    this.opening = undefined
    opening?.(Exit.succeed(this.replies))
  }

  protected received(data: Uint8Array): void {
    this.chunks.push(Retention.keepable(data))
    this.look()
  }

  protected ended(error: GrpcError | undefined): void {
    this.status = error
    this.ending = error === undefined ? "whole" : Exit.fail(error)
  }

  protected closed(): void {
    if (this.opening === undefined) this.look()
    else if (this.status === undefined) this.began()
    else {
      this.release()
      this.failed(this.statusFailure(this.status))
    }
  }

  /** What came before is read all the same. */
  protected override lost(error: GrpcError, failure: Failure): void {
    if (this.opening !== undefined) {
      super.lost(error, failure)
      return
    }
    this.conclude()
    this.ending = Exit.fail(error)
    this.look()
  }

  protected failed(failure: AttemptFailed): void {
    const cause = this.call.requests?.failure
    if (this.opening !== undefined) this.opening(Exit.fail(failure))
    else this.giveUp(cause === undefined ? Exit.fail(failure.error) : Exit.failCause(cause))
  }

  protected died(defect: unknown): void {
    if (this.opening !== undefined) this.opening(Exit.die(defect))
    else this.giveUp(Exit.die(defect))
  }

  private giveUp(exit: Exit.Exit<never, unknown>): void {
    this.chunks = []
    this.at = 0
    this.isCut = false
    this.ending = exit
    this.look()
  }

  private wait(): Effect.Effect<NonEmptyReadonlyArray<Message>, unknown> {
    return Effect.callback((resume) => {
      this.reader = resume
      // The fiber may have yielded since it looked.
      this.look()
      return Effect.sync(() => {
        this.reader = undefined
      })
    })
  }

  private look(): void {
    const { reader } = this
    if (reader === undefined) return
    // What is found out while it looks is for the next time.
    this.reader = undefined
    const read = this.next()
    if (read === undefined) this.reader = reader
    else reader(read)
  }

  private next(): Read | undefined {
    while (this.isCut || this.at < this.chunks.length) {
      const messages = this.take()
      if (messages.length > 0) return Exit.succeed(messages as unknown as NonEmptyReadonlyArray<Message>)
    }
    if (this.ending === "whole") this.check()
    return typeof this.ending === "string" ? undefined : this.ending
  }

  /**
   * The next messages, of about {@link partBytes}: compressed ones may be of a
   * thousand times as many bytes as they came in.
   */
  private take(): ReadonlyArray<Message> {
    const inbound = this.inbound!
    const messages: Array<Message> = []
    let [takenBytes, messageBytes] = [0, 0]
    this.isCut = true
    while (messageBytes < partBytes && inbound.failure === undefined) {
      const message = inbound.next()
      if (message !== undefined) {
        messages.push(message)
        messageBytes += objectBytes + inbound.messageBytes
        continue
      }
      const chunk = this.chunks[this.at]
      this.isCut = chunk !== undefined
      if (chunk === undefined || inbound.failure !== undefined) break
      this.at++
      takenBytes += chunk.length
      inbound.push(chunk)
    }
    if (this.at === this.chunks.length) {
      this.chunks = []
      this.at = 0
    }
    this.stream!.consume(takenBytes)
    if (inbound.failure !== undefined) this.fail(inbound.failure)
    return messages
  }

  /** The server says that all went well, and all that came was read. */
  private check(): void {
    const failure = this.inbound?.end()
    if (failure !== undefined) this.fail(failure)
    else if (this.tell(this.call.options.onTrailers, this.trailers)) {
      this.release()
      this.ending = done
    }
  }
}

const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

/** How much is decoded at once. */
const partBytes = 65_536
/** What each message counts for besides its bytes: an empty one is an object, too. */
const objectBytes = 128
