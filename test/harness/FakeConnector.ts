/**
 * What is below a client of gRPC, by hand: attempts wait for the test, which
 * answers them in the words of a connection.
 */
import { assert } from "@effect/vitest"
import * as GrpcAttempts from "@sluice/core/grpc/client/GrpcAttempts"
import type { CallDefaults } from "@sluice/core/grpc/client/GrpcCallDefaults"
import { GrpcChannel, type Stats } from "@sluice/core/grpc/client/GrpcChannel"
import type { State } from "@sluice/core/grpc/client/GrpcConnectivity"
import type {
  Attempt,
  AttemptReceiver,
  Failure,
  GrpcConnector,
  GrpcStream
} from "@sluice/core/grpc/client/GrpcConnector"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import { type Refusal, StreamEnded } from "@sluice/core/protocol/http2/Http2Error"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"
import * as Http2ClientError from "@sluice/core/session/Http2ClientError"
import * as Timers from "@sluice/core/session/Timers"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

/** An attempt, as the test has it. */
export class FakeStream implements GrpcStream {
  readonly attempt: Attempt
  readonly receiver: AttemptReceiver
  isWritable = true
  isOver = false
  /** What was written beside the body of the attempt. */
  readonly written: Array<Uint8Array> = []
  /** How this side has ended. */
  half: "open" | "ended"
  /** Error codes. */
  readonly resets: Array<number> = []
  /** Handed out and not consumed. */
  unreadBytes = 0
  awaited = 0
  private whole = false
  private serverEnded = false

  constructor(attempt: Attempt, receiver: AttemptReceiver) {
    this.attempt = attempt
    this.receiver = receiver
    this.half = attempt.rest === "whole" ? "ended" : "open"
  }

  write(data: Uint8Array | string): Refusal | undefined {
    if (this.isOver || this.half === "ended") return new StreamEnded()
    this.written.push(data as Uint8Array)
    return undefined
  }

  end(): Refusal | undefined {
    if (this.isOver || this.half === "ended") return new StreamEnded()
    this.half = "ended"
    if (this.serverEnded) this.closed(undefined)
    return undefined
  }

  consume(byteCount: number): void {
    this.unreadBytes -= Math.min(byteCount, this.unreadBytes)
  }

  awaitBody(): void {
    this.awaited++
  }

  reset(errorCode: number): void {
    // Where both sides have ended it, nothing is sent.
    if (this.isOver || (this.serverEnded && this.half === "ended")) return
    this.resets.push(errorCode)
    this.closed(new Http2ClientError.Cancelled("MaybeProcessed"))
  }

  release(): void {
    this.reset(8)
    this.consume(this.unreadBytes)
  }

  // What the test does.

  head(fields: FieldsInput = {}, status = 200): void {
    if (!this.isOver) this.receiver.onHead(headOf({ "content-type": "application/grpc", ...fields }, status), false)
  }

  /** All of a response. */
  headOnly(fields: FieldsInput, status = 200): void {
    if (this.isOver) return
    this.serverEnded = true
    this.whole = true
    this.receiver.onHead(headOf({ "content-type": "application/grpc", ...fields }, status), true)
    if (!this.isOver) this.receiver.onEnd(undefined)
    if (this.half === "ended") this.closed(undefined)
  }

  data(bytes: Uint8Array): void {
    if (this.isOver) return
    this.unreadBytes += bytes.length
    this.receiver.onData(bytes)
  }

  finish(trailers: FieldsInput | "none" = { "grpc-status": "0" }): void {
    if (this.isOver) return
    this.serverEnded = true
    this.whole = true
    this.receiver.onEnd(trailers === "none" ? undefined : fieldsOf(new Http2Fields(), trailers))
    if (this.half === "ended") this.closed(undefined)
  }

  /** The connection, or the server, ends it. */
  fail(failure: Failure): void {
    this.closed(failure)
  }

  writable(isWritable: boolean): void {
    this.isWritable = isWritable
    if (isWritable && !this.isOver) this.receiver.onWritable()
  }

  private closed(failure: Failure | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.isWritable = false
    // What nobody took when it ends is the connection's to credit.
    this.receiver.onClosed(this.whole ? undefined : failure)
  }
}

export class FakeConnector implements GrpcConnector {
  readonly timers: Timers.Timers
  readonly encodings: GrpcEncoding.GrpcEncodings
  readonly streams: Array<FakeStream> = []
  /** What the next attempts are refused with. */
  refusal: Failure | undefined = undefined
  /** What is done with each attempt at once; it must not answer within. */
  onOpen: ((stream: FakeStream) => void) | undefined = undefined

  constructor(timers: Timers.Timers, encodings: GrpcEncoding.GrpcEncodings = GrpcEncoding.none) {
    this.timers = timers
    this.encodings = encodings
  }

  openUnsafe(attempt: Attempt, receiver: AttemptReceiver): GrpcStream | Failure {
    if (this.refusal !== undefined) return this.refusal
    const stream = new FakeStream(attempt, receiver)
    this.streams.push(stream)
    this.onOpen?.(stream)
    return stream
  }

  get last(): FakeStream {
    return this.streams.at(-1)!
  }

  /** The law of every call: nothing is armed, open, or not credited. */
  assertNothingLeft(): void {
    assert.strictEqual(this.timers.size(), 0, "armed timers")
    for (const stream of this.streams) {
      assert.isTrue(stream.isOver, "an open stream")
      assert.strictEqual(stream.unreadBytes, 0, "bytes that were not credited")
      assert.strictEqual(stream.awaited, 0, "a quiet stream is legal")
    }
  }
}

export const defaults: CallDefaults = {
  interceptors: [],
  attempts: GrpcAttempts.once,
  timeoutMillis: Number.POSITIVE_INFINITY,
  waitForReady: false,
  compression: undefined,
  maxReceiveBytes: 4 * 1024 * 1024,
  maxSendBytes: Number.POSITIVE_INFINITY,
  userAgent: "fake",
  observers: []
}

/** A channel over a connector. */
export const channel = (connector: GrpcConnector, calls?: Partial<CallDefaults>): Layer.Layer<GrpcChannel> =>
  Layer.sync(GrpcChannel, () => {
    const service = {
      connector,
      calls: { ...defaults, ...calls },
      state: Effect.succeed<State>("Ready"),
      changes: Stream.never,
      connect: Effect.void,
      stats: Effect.succeed<Stats>({
        state: "Ready",
        endpointCount: 1,
        connectionCount: 1,
        openCount: 0,
        waitingCount: 0
      })
    }
    return service
  })

/** A connector whose timers live as long as the scope. */
export const make = (encodings?: GrpcEncoding.GrpcEncodings) =>
  Effect.map(Timers.make, (timers) => new FakeConnector(timers, encodings))

const headOf = (fields: FieldsInput, status: number): Http2ResponseHead => {
  const head = fieldsOf(new Http2ResponseHead(), fields)
  head.status = status
  return head
}

const fieldsOf = <F extends Http2Fields>(target: F, fields: FieldsInput): F => {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    for (const one of typeof value === "string" ? [value] : value) target.add(name, one)
  }
  return target
}
