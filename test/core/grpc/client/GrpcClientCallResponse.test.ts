import { assert, describe, it } from "@effect/vitest"
import * as GrpcClientCallResponse from "@sluice/core/grpc/client/GrpcClientCallResponse"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { Http2ResponseHead } from "@sluice/core/protocol/http2/Http2Head"

const headOf = (status: number, fields: Readonly<Record<string, string>>) => {
  const head = new Http2ResponseHead()
  head.status = status
  for (const [name, value] of Object.entries(fields)) head.add(name, value)
  return head
}

const trailersOf = (fields: Readonly<Record<string, string>>) => {
  const trailers = new Http2Fields()
  for (const [name, value] of Object.entries(fields)) trailers.add(name, value)
  return trailers
}

describe("a head in front of messages", () => {
  const cases: ReadonlyArray<readonly [status: number, contentType: string | undefined, expected: string | undefined]> =
    [
      [200, "application/grpc", undefined],
      [200, "application/grpc+proto", undefined],
      [200, "application/grpc;charset=utf-8", undefined],
      [200, "application/grpc ; a=b", undefined],
      [200, "Application/GRPC+proto", undefined],
      [200, "application/grpc-web", "Unknown"],
      [200, "application/grpcx", "Unknown"],
      [200, "text/html", "Unknown"],
      [200, undefined, "Unknown"],
      [204, "application/grpc", "Unknown"],
      [400, "text/html", "Internal"],
      [401, "text/html", "Unauthenticated"],
      [403, "text/html", "PermissionDenied"],
      [404, "text/html", "Unimplemented"],
      [429, "text/html", "Unavailable"],
      [502, "text/html", "Unavailable"],
      [503, "application/grpc", "Unavailable"],
      [504, "text/html", "Unavailable"],
      [500, "text/html", "Unknown"]
    ]
  for (const [status, contentType, expected] of cases) {
    it(`${status} ${contentType}: ${expected ?? "is one"}`, () => {
      const fields: Record<string, string> = contentType === undefined ? {} : { "content-type": contentType }
      const error = GrpcClientCallResponse.headError(headOf(status, fields))
      assert.strictEqual(error?.reason._tag, expected)
      if (error !== undefined) assert.strictEqual(error.reason.fault, "peer")
    })
  }
})

describe("an end", () => {
  it("its trailers count, and the head where there are none", () => {
    const head = headOf(200, { "grpc-status": "5", "grpc-message": "gone", x: "1" })
    assert.strictEqual(GrpcClientCallResponse.endError(head, trailersOf({ "grpc-status": "0" })), undefined)
    const error = GrpcClientCallResponse.endError(head, undefined)!
    assert.deepStrictEqual(
      [error.reason._tag, error.reason.message, error.reason.metadata.get("x")],
      ["NotFound", "gone", "1"]
    )
  })

  it("no status: that of HTTP", () => {
    assert.strictEqual(GrpcClientCallResponse.endError(headOf(200, {}), undefined)!.reason._tag, "Unknown")
    assert.strictEqual(GrpcClientCallResponse.endError(headOf(403, {}), undefined)!.reason._tag, "PermissionDenied")
    assert.strictEqual(GrpcClientCallResponse.endError(headOf(200, {}), trailersOf({}))!.reason._tag, "Unknown")
  })
})
