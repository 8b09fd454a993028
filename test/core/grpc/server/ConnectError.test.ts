import { assert, describe, it } from "@effect/vitest"
import * as ConnectError from "@sluice/core/grpc/server/ConnectError"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"

const of = (error: GrpcError.GrpcError) => {
  const found = ConnectError.fromTrailers(GrpcError.toTrailers(error))
  return found === undefined ? undefined : [found.httpStatus, JSON.parse(found.json)]
}

describe("ConnectError", () => {
  it("Connect, Error Codes: each code with its name and status", () => {
    const table = Array.from({ length: 16 }, (_, at) => of(GrpcError.make((at + 1) as GrpcStatus.FailureCode, "")))
    assert.deepStrictEqual(table, [
      [499, { code: "canceled" }],
      [500, { code: "unknown" }],
      [400, { code: "invalid_argument" }],
      [504, { code: "deadline_exceeded" }],
      [404, { code: "not_found" }],
      [409, { code: "already_exists" }],
      [403, { code: "permission_denied" }],
      [429, { code: "resource_exhausted" }],
      [400, { code: "failed_precondition" }],
      [409, { code: "aborted" }],
      [400, { code: "out_of_range" }],
      [501, { code: "unimplemented" }],
      [500, { code: "internal" }],
      [503, { code: "unavailable" }],
      [500, { code: "data_loss" }],
      [401, { code: "unauthenticated" }]
    ])
  })

  it("is none for a call that went well, and unknown where no status is said", () => {
    assert.isUndefined(ConnectError.fromTrailers(GrpcStatus.okTrailers))
    assert.strictEqual(ConnectError.fromTrailers({})?.httpStatus, 500)
  })

  it("has the message as it was, and details by the names of their types", () => {
    const error = GrpcError.unavailable('overloaded: "back off" ☺\n', {
      details: [
        GrpcErrorDetails.ErrorInfo({ reason: "R", domain: "d", metadata: {} }),
        GrpcErrorDetails.Any({ typeUrl: "type.googleapis.com/acme.Thing", value: Uint8Array.of(8, 1) })
      ]
    })
    assert.deepStrictEqual(of(error), [
      503,
      {
        code: "unavailable",
        message: 'overloaded: "back off" ☺\n',
        details: [
          { type: "google.rpc.ErrorInfo", value: "CgFSEgFk" },
          { type: "acme.Thing", value: "CAE" }
        ]
      }
    ])
  })

  it("leaves out details that cannot be read", () => {
    for (const text of ["!", "/////w"]) {
      const found = ConnectError.fromTrailers({ "grpc-status": "13", "grpc-status-details-bin": text })
      assert.strictEqual(found?.json, '{"code":"internal"}')
    }
  })
})
