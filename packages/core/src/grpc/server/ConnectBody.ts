/**
 * The request of a unary call in Connect: the bare message, which gets the
 * prefix that messages of gRPC have.
 *
 * @internal
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as ByteJoin from "../../bytes/ByteJoin.ts"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMessageWriter from "../../protocol/grpc/GrpcMessageWriter.ts"
import { MessageTooLarge } from "../../protocol/grpc/GrpcViolation.ts"
import type { BodyFailure, HttpBody, Parts } from "../../session/HttpBody.ts"
import type { GrpcWireBody } from "./GrpcWire.ts"

/** @category models */
export class ConnectBody implements GrpcWireBody {
  private readonly source: HttpBody | Uint8Array | undefined
  private readonly form: GrpcMessageWriter.Form
  private readonly maxBytes: number
  private state: "untaken" | "taken" = "untaken"

  /** `source`: a body, or what stood in the query. `maxBytes`: of what comes. */
  constructor(source: HttpBody | Uint8Array | undefined, form: GrpcMessageWriter.Form, maxBytes: number) {
    this.source = source
    this.form = form
    this.maxBytes = maxBytes
  }

  /** The message comes at once, when all of it is there: its length stands in front. */
  get pull(): Pull.Pull<Parts, BodyFailure | GrpcError.GrpcError> {
    return Effect.suspend((): Pull.Pull<Parts, BodyFailure | GrpcError.GrpcError> => {
      if (this.state === "taken") return Cause.done()
      this.state = "taken"
      const { source } = this
      if (source === undefined || source instanceof Uint8Array) return Exit.map(this.whole(source), partsOf)
      return source.collect(this.maxBytes).pipe(
        Effect.mapError((failure) => this.failureOf(failure)),
        Effect.flatMap((bytes) => Exit.map(this.whole(bytes), partsOf))
      )
    })
  }

  collectNow(): Exit.Exit<Uint8Array, BodyFailure | GrpcError.GrpcError> | undefined {
    const { source } = this
    if (source === undefined || source instanceof Uint8Array) return this.joined(source)
    const now = source.collectNow(this.maxBytes)
    if (now === undefined) return undefined
    return now._tag === "Success" ? this.joined(now.value) : Exit.mapError(now, (failure) => this.failureOf(failure))
  }

  private joined(bytes: Uint8Array | undefined): Exit.Exit<Uint8Array, GrpcError.GrpcError> {
    this.state = "taken"
    return Exit.map(this.whole(bytes), (parts) => ByteJoin.join(parts, parts[0].length + parts[1].length))
  }

  private whole(
    bytes: Uint8Array = noBytes
  ): Exit.Exit<readonly [prefix: Uint8Array, bytes: Uint8Array], GrpcError.GrpcError> {
    if (bytes.length > this.maxBytes) return Exit.fail(this.tooLarge(bytes.length))
    const prefix = new Uint8Array(GrpcMessageWriter.prefixBytes)
    // "Servers must not attempt to decompress zero-length HTTP request content."
    GrpcMessageWriter.writePrefix(prefix, 0, bytes.length, bytes.length === 0 ? "plain" : this.form)
    return Exit.succeed([prefix, bytes])
  }

  private failureOf(failure: BodyFailure): BodyFailure | GrpcError.GrpcError {
    return failure._tag === "BodyTooLarge" ? this.tooLarge(this.maxBytes + 1) : failure
  }

  private tooLarge(messageBytes: number): GrpcError.GrpcError {
    return GrpcError.fromViolation(new MessageTooLarge(messageBytes, this.maxBytes))
  }
}

const partsOf = ([prefix, bytes]: readonly [Uint8Array, Uint8Array]): Parts =>
  bytes.length === 0 ? [prefix] : [prefix, bytes]

const noBytes = new Uint8Array(0)
