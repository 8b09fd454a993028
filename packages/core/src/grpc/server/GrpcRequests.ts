/**
 * The request of a call on its server: one message, or a stream of them, out
 * of the body of an exchange.
 *
 * @internal
 * @since 0.1.0
 */
import type { Message } from "@bufbuild/protobuf"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import { WrongMessageCount } from "../../protocol/grpc/GrpcViolation.ts"
import type { BodyFailure } from "../../session/HttpBody.ts"
import type { GrpcInbound } from "../GrpcInbound.ts"
import type { GrpcWireBody } from "./GrpcWire.ts"

/** @category models */
export class GrpcRequests {
  private readonly body: GrpcWireBody | undefined
  private readonly inbound: GrpcInbound
  /** The request of a method that takes one. */
  private request: Message | undefined = undefined
  /** What has come and was not read: `parts` from `partAt` on. */
  private parts: ReadonlyArray<Uint8Array> = noParts
  private partAt = 0
  /** A message that has come behind others of another form: for the next pull. */
  private ahead: Message | undefined = undefined
  private takenForm: "plain" | "compressed" = "plain"

  constructor(body: GrpcWireBody | undefined, inbound: GrpcInbound) {
    this.body = body
    this.inbound = inbound
  }

  /** Whether the last message that was taken came compressed. */
  get form(): "plain" | "compressed" {
    return this.takenForm
  }

  get count(): number {
    return this.inbound.count
  }

  /** The only message, or what is wrong with it, where the body has come; `undefined` where it has to be waited for. */
  get oneNow(): Message | GrpcError.GrpcError | undefined {
    if (this.body === undefined) return none
    const whole = this.body.collectNow(Number.POSITIVE_INFINITY)
    if (whole === undefined) return undefined
    if (whole._tag === "Failure") return failureOf(whole.cause)
    return this.takeOne(whole.value) ?? this.endOfOne()
  }

  /** The only message, when it and the end of the body are there. */
  get one(): Effect.Effect<Message, GrpcError.GrpcError> {
    return Pull.matchEffect(this.body!.pull, {
      onSuccess: (parts) => {
        for (const part of parts) {
          const failure = this.takeOne(part)
          if (failure !== undefined) return Exit.fail(failure)
        }
        return this.one
      },
      onFailure: (cause) => Exit.fail(failureOf(cause)),
      onDone: () => {
        const end = this.endOfOne()
        return end instanceof GrpcError.GrpcError ? Exit.fail(end) : Exit.succeed(end)
      }
    })
  }

  /** The messages as they come. */
  get stream(): Stream.Stream<Message, GrpcError.GrpcError> {
    return Stream.fromPull(Effect.succeed(this.pull))
  }

  /** Lets go of what it holds. */
  release(): void {
    this.parts = noParts
    this.ahead = undefined
    this.inbound.release()
  }

  private get pull(): Pull.Pull<Arr.NonEmptyReadonlyArray<Message>, GrpcError.GrpcError> {
    return Effect.suspend(() => {
      const messages = this.takeSome()
      if (Arr.isArrayNonEmpty(messages)) return Exit.succeed(messages)
      // What is wrong is told behind the messages before it.
      if (this.inbound.failure !== undefined) return Exit.fail(this.inbound.failure)
      if (this.body === undefined) return Cause.done()
      return Pull.matchEffect(this.body.pull, {
        onSuccess: (parts) => {
          this.parts = parts
          this.partAt = 0
          return this.pull
        },
        onFailure: (cause) => Exit.fail(failureOf(cause)),
        onDone: (): Pull.Pull<never, GrpcError.GrpcError> => {
          const failure = this.inbound.end()
          return failure === undefined ? Cause.done() : Exit.fail(failure)
        }
      })
    })
  }

  /**
   * The next messages, all of one form. Not many more bytes than would wait for
   * a reader: a few of them may decompress to a thousand times as many, and are
   * left as they are until those before were taken.
   */
  private takeSome(): Array<Message> {
    const { inbound } = this
    const messages: Array<Message> = []
    let messageBytes = 0
    if (this.ahead !== undefined) {
      messages.push(this.ahead)
      messageBytes = objectBytes + inbound.messageBytes
      this.takenForm = inbound.form
      this.ahead = undefined
    }
    while (messageBytes < mostBytes) {
      const message = inbound.next()
      if (message === undefined) {
        if (!this.readOn()) break
      } else if (messages.length > 0 && inbound.form !== this.takenForm) {
        this.ahead = message
        break
      } else {
        this.takenForm = inbound.form
        messages.push(message)
        messageBytes += objectBytes + inbound.messageBytes
      }
    }
    return messages
  }

  /** Whether there was a part more. */
  private readOn(): boolean {
    const part = this.parts[this.partAt++]
    if (part === undefined) {
      this.parts = noParts
      return false
    }
    this.inbound.push(part)
    return true
  }

  /** What is wrong so far. */
  private takeOne(bytes: Uint8Array): GrpcError.GrpcError | undefined {
    const { inbound } = this
    inbound.push(bytes)
    for (let message = inbound.next(); message !== undefined; message = inbound.next()) {
      if (this.request !== undefined) return several
      this.request = message
      this.takenForm = inbound.form
    }
    return inbound.failure
  }

  private endOfOne(): Message | GrpcError.GrpcError {
    return this.inbound.end() ?? this.request ?? none
  }
}

/** Of messages that are handed out at once. The last may be above. */
const mostBytes = 65_536
/** What each of them counts for besides: an empty one has five bytes on the wire, and is an object here. */
const objectBytes = 128

const noParts: ReadonlyArray<Uint8Array> = []

const none = GrpcError.fromViolation(new WrongMessageCount("peer", "request", "none"))

const several = GrpcError.fromViolation(new WrongMessageCount("peer", "request", "several"))

/** Why a body ended before its messages did. */
const failureOf = (cause: Cause.Cause<BodyFailure | GrpcError.GrpcError>): GrpcError.GrpcError => {
  const failure = Cause.squash(cause) as BodyFailure | GrpcError.GrpcError
  switch (failure._tag) {
    case "GrpcError":
      return failure
    case "BodyLost":
      return GrpcError.cancelled("the client has ended the call", { fault: "peer" })
    case "BodyTooLarge":
      return GrpcError.resourceExhausted(failure.message)
    case "BodyViolation":
      return GrpcError.internal(failure.message, { fault: "peer" })
  }
}
