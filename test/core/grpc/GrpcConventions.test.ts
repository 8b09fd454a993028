import { assert, describe, it } from "@effect/vitest"
import * as GrpcConventions from "@sluice/core/grpc/GrpcConventions"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { Greeter } from "../../harness/protobuf/hello_pb.ts"

it("a method is named with its service, without the slash of the path", () => {
  assert.strictEqual(GrpcConventions.methodName(GrpcMethod.of(Greeter)[0]!), "hello.Greeter/SayHello")
})

describe("semantic conventions for gRPC: which codes are errors", () => {
  const errors = {
    server: ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
    client: Array.from({ length: 16 }, (_, index) => GrpcStatus.nameOf((index + 1) as GrpcStatus.Code))
  }
  for (const role of ["server", "client"] as const) {
    it(role, () => {
      for (let code = 0; code <= GrpcStatus.Unauthenticated; code++) {
        const name = GrpcStatus.nameOf(code as GrpcStatus.Code)
        const isError = errors[role].includes(name)
        assert.deepStrictEqual(GrpcConventions.statusOf(role, code as GrpcStatus.Code), {
          isError,
          attributes: { "rpc.response.status_code": name, ...(isError ? { "error.type": name } : {}) }
        })
      }
    })
  }
})
