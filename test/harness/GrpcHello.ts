/** The greeter's messages as they are on the wire, and what became of its calls. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import type * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcMessageWriter from "@sluice/core/protocol/grpc/GrpcMessageWriter"
import * as Exit from "effect/Exit"
import { HelloReplySchema, HelloRequestSchema } from "./protobuf/hello_pb.ts"

export const reply = (message: string): Uint8Array =>
  GrpcMessageWriter.join(toBinary(HelloReplySchema, create(HelloReplySchema, { message })), "plain")

export const replies = (...messages: ReadonlyArray<string>): Uint8Array => Buffer.concat(messages.map(reply))

/** The names in requests that came whole. */
export const names = (...bytes: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const all = Buffer.concat(bytes)
  const found: Array<string> = []
  for (let at = 0; at < all.length; ) {
    const end = at + GrpcMessageWriter.prefixBytes + all.readUInt32BE(at + 1)
    found.push(fromBinary(HelloRequestSchema, all.subarray(at + GrpcMessageWriter.prefixBytes, end)).name)
    at = end
  }
  return found
}

/** The reason of a failure; `Die` and `Interrupt` for others, and `ok` for none. */
export const tagOf = (exit: Exit.Exit<unknown, GrpcError.GrpcError>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const reason = exit.cause.reasons[0]!
  return reason._tag === "Fail" ? reason.error.reason._tag : reason._tag
}
