import { assert, it } from "@effect/vitest"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as GrpcViolation from "@sluice/core/protocol/grpc/GrpcViolation"

it("gRPC statuscodes: every violation says who is at fault, how the call ends, and why", () => {
  const violations: ReadonlyArray<GrpcViolation.Violation> = [
    new GrpcViolation.InvalidFlag(7),
    new GrpcViolation.UnexpectedCompression(),
    new GrpcViolation.InvalidCompression("gzip"),
    new GrpcViolation.MessageTooLarge(2, 1),
    new GrpcViolation.MessageTooLarge(2, 1, "caller"),
    new GrpcViolation.TruncatedMessage(1),
    new GrpcViolation.UnsupportedEncoding("server", "br", "identity,gzip"),
    new GrpcViolation.UnsupportedEncoding("client", "br", "identity"),
    new GrpcViolation.InvalidTimeout("1s"),
    new GrpcViolation.WrongMessageCount("peer", "request", "none"),
    new GrpcViolation.WrongMessageCount("caller", "response", "several"),
    new GrpcViolation.OutOfOrder("caller", "a")
  ]
  assert.deepStrictEqual(
    violations.map((one) => `${one._tag}: ${one.fault} ${GrpcStatus.nameOf(one.code)} ${one.message}`),
    [
      "InvalidFlag: peer INTERNAL a message begins with the flag 7, which is neither 0 nor 1",
      "UnexpectedCompression: peer INTERNAL a message has the compressed flag, but there is no grpc-encoding",
      "InvalidCompression: peer INTERNAL a message cannot be decompressed with gzip",
      "MessageTooLarge: limit RESOURCE_EXHAUSTED a message of 2 bytes or more is above the limit of 1",
      "MessageTooLarge: caller RESOURCE_EXHAUSTED a message of 2 bytes or more is above the limit of 1",
      "TruncatedMessage: peer INTERNAL the stream ended 1 bytes into a message",
      'UnsupportedEncoding: peer UNIMPLEMENTED messages compressed with "br" cannot be read, only: identity,gzip',
      'UnsupportedEncoding: peer INTERNAL messages compressed with "br" cannot be read, only: identity',
      'InvalidTimeout: peer INTERNAL the grpc-timeout "1s" is no time',
      "WrongMessageCount: peer UNIMPLEMENTED the method has one request message, but there were none",
      "WrongMessageCount: caller UNIMPLEMENTED the method has one response message, but there were several",
      "OutOfOrder: caller INTERNAL a"
    ]
  )
})
