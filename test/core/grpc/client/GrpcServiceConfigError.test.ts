import { assert, describe, it } from "@effect/vitest"
import { GrpcServiceConfigError } from "@sluice/core/grpc/client/GrpcServiceConfigError"

describe("GrpcServiceConfigError", () => {
  it("says where, and what would be right", () => {
    const error = new GrpcServiceConfigError({ path: "methodConfig[0].timeout", expected: "a duration above 0" })
    assert.deepStrictEqual(
      [error.fault, error.message],
      ["caller", "methodConfig[0].timeout of the service configuration must be a duration above 0"]
    )
    assert.strictEqual(
      new GrpcServiceConfigError({ path: "", expected: "JSON" }).message,
      "the service configuration must be JSON"
    )
  })
})
