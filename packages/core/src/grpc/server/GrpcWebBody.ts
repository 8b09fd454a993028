/**
 * The request of a call in grpc-web-text: base64, read as it comes.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import { type BodyFailure, BodyTooLarge, type HttpBody, type Parts } from "../../session/HttpBody.ts"
import { GrpcWebTextReader } from "./GrpcWebText.ts"
import type { GrpcWireBody } from "./GrpcWire.ts"

/** @category models */
export class GrpcWebTextBody implements GrpcWireBody {
  private readonly text: HttpBody
  private readonly reader = new GrpcWebTextReader()

  constructor(text: HttpBody) {
    this.text = text
  }

  get pull(): Pull.Pull<Parts, BodyFailure | GrpcError.GrpcError> {
    return Pull.matchEffect(this.text.pull, {
      onSuccess: (parts) => {
        const decoded = this.decode(parts)
        if (this.reader.isMalformed) return malformed
        // Less than four digits are no byte yet.
        return isNonEmpty(decoded) ? Exit.succeed(decoded) : this.pull
      },
      onFailure: (cause) => Exit.failCause(cause),
      onDone: (): Pull.Pull<never, GrpcError.GrpcError> => (this.reader.end() ? Cause.done() : malformed)
    })
  }

  collectNow(maxBytes: number): Exit.Exit<Uint8Array, BodyFailure | GrpcError.GrpcError> | undefined {
    // Four characters for a byte, where each was sent alone.
    const text = this.text.collectNow(maxBytes * 4)
    if (text === undefined || text._tag === "Failure") return text
    const bytes = this.reader.push(text.value)
    if (!this.reader.end()) return malformed
    return bytes.length > maxBytes ? Exit.fail(new BodyTooLarge(maxBytes)) : Exit.succeed(bytes)
  }

  private decode(parts: Parts): Array<Uint8Array> {
    const decoded: Array<Uint8Array> = []
    for (const part of parts) {
      const bytes = this.reader.push(part)
      if (bytes.length > 0) decoded.push(bytes)
    }
    return decoded
  }
}

const isNonEmpty = (parts: Array<Uint8Array>): parts is Arr.NonEmptyArray<Uint8Array> => parts.length > 0

const malformed = Exit.fail(GrpcError.internal("the request is no base64", { fault: "peer" }))
