import { assert, describe, it } from "@effect/vitest"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as HttpField from "@sluice/core/protocol/http/HttpField"
import * as Http2ErrorCode from "@sluice/core/protocol/http2/Http2ErrorCode"

const codes = Array.from({ length: 17 }, (_, code) => code as GrpcStatus.Code)

it("gRPC statuscodes: the codes and their names", () => {
  const numbers = Object.entries(GrpcStatus).filter(([, value]) => typeof value === "number")
  assert.deepStrictEqual(
    numbers.sort(([, left], [, right]) => Number(left) - Number(right)).map(([name, code]) => `${code} ${name}`),
    [
      ...["0 Ok", "1 Cancelled", "2 Unknown", "3 InvalidArgument", "4 DeadlineExceeded", "5 NotFound"],
      ...["6 AlreadyExists", "7 PermissionDenied", "8 ResourceExhausted", "9 FailedPrecondition", "10 Aborted"],
      ...["11 OutOfRange", "12 Unimplemented", "13 Internal", "14 Unavailable", "15 DataLoss", "16 Unauthenticated"]
    ]
  )
  for (const [name, code] of numbers) {
    assert.strictEqual(GrpcStatus.nameOf(code as GrpcStatus.Code).replaceAll("_", ""), name.toUpperCase())
  }
  assert.deepStrictEqual([-1, 0, 16, 17, 1.5, Number.NaN].map(GrpcStatus.isCode), [
    ...[false, true, true],
    ...[false, false, false]
  ])
})

describe("grpc-status", () => {
  it("is read back", () => {
    for (const code of codes) assert.strictEqual(GrpcStatus.parse(String(code)), code)
  })
  for (const text of ["", "17", "20", "99", "00", "05", "016", "-1", "+1", " 1", "1 ", "1.0", "OK", "/", ":", "1:"]) {
    it(`${JSON.stringify(text)} is UNKNOWN`, () => assert.strictEqual(GrpcStatus.parse(text), GrpcStatus.Unknown))
  }
})

describe("trailers", () => {
  it("of a call that went well are always the same record", () => {
    assert.deepStrictEqual(GrpcStatus.okTrailers, { "grpc-status": "0" })
    assert.strictEqual(GrpcStatus.trailers(GrpcStatus.Ok, ""), GrpcStatus.okTrailers)
    assert.isFrozen(GrpcStatus.okTrailers)
  })
  it("without a message too", () => {
    for (const code of codes) {
      assert.deepStrictEqual(GrpcStatus.trailers(code, ""), { "grpc-status": String(code) })
      assert.strictEqual(GrpcStatus.trailers(code, ""), GrpcStatus.trailers(code, ""))
    }
  })
  it("have the message percent-encoded", () =>
    assert.deepStrictEqual(GrpcStatus.trailers(GrpcStatus.NotFound, "50 %"), {
      "grpc-status": "5",
      "grpc-message": "50 %25"
    }))
})

describe("grpc-message, both ways", () => {
  const rows: ReadonlyArray<readonly [text: string, value: string]> = [
    ["", ""],
    ["no such user", "no such user"],
    [" !\"#$&'~", "%20!\"#$&'~"],
    ["100%", "100%25"],
    ["%41", "%2541"],
    [" spaces at both ends ", "%20spaces at both ends%20"],
    [" before", "%20before"],
    ["behind ", "behind%20"],
    ["   ", "%20 %20"],
    ["a\nb\x7f\0", "a%0Ab%7F%00"],
    ["é", "%C3%A9"],
    ["\uFEFFa", "%EF%BB%BFa"],
    [
      "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
      "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A"
    ]
  ]
  for (const [text, value] of rows) {
    it(JSON.stringify(text), () => {
      assert.strictEqual(GrpcStatus.encodeMessage(text), value)
      assert.strictEqual(GrpcStatus.decodeMessage(value), text)
      assert.isTrue(HttpField.isValue(value))
    })
  }
  it("a lone surrogate is sent as U+FFFD", () =>
    assert.strictEqual(GrpcStatus.encodeMessage("a\ud800b"), "a%EF%BF%BDb"))
})

describe("grpc-message that no one should have sent: MUST NOT error or throw the message away", () => {
  const rows: ReadonlyArray<readonly [rule: string, value: string, text: string]> = [
    ["digits in lower case", "%c3%a9", "é"],
    ["a broken percent sign stays", "%zz %4 %", "%zz %4 %"],
    ["beside good ones", "%zz%41%", "%zzA%"],
    ["a percent sign before a good one", "%%41", "%A"],
    ["what is not UTF-8 stays as it came", "a%FF%41", "a%FF%41"],
    ["a character that is cut", "%E2%98", "%E2%98"],
    ["UTF-8 that was not encoded", "\u00c3\u00a9", "é"],
    ["Latin-1 that was not encoded", "\u00e9 5%", "\u00e9 5%"]
  ]
  for (const [rule, value, text] of rows) {
    it(rule, () => assert.strictEqual(GrpcStatus.decodeMessage(value), text))
  }
})

it("gRPC http-grpc-status-mapping: the whole table", () => {
  const found = Array.from({ length: 600 }, (_, status) => [status, GrpcStatus.ofHttpStatus(status)] as const)
  assert.deepStrictEqual(
    found
      .filter(([, code]) => code !== GrpcStatus.Unknown)
      .map(([status, code]) => `${status} ${GrpcStatus.nameOf(code)}`),
    [
      ...["400 INTERNAL", "401 UNAUTHENTICATED", "403 PERMISSION_DENIED", "404 UNIMPLEMENTED", "429 UNAVAILABLE"],
      ...["431 INTERNAL", "502 UNAVAILABLE", "503 UNAVAILABLE", "504 UNAVAILABLE"]
    ]
  )
})

it("gRPC over HTTP/2, Errors: the whole table", () => {
  const rows = Array.from(
    { length: 15 },
    (_, code) => `${Http2ErrorCode.nameOf(code)} ${GrpcStatus.nameOf(GrpcStatus.ofHttp2Error(code))}`
  )
  assert.deepStrictEqual(rows, [
    ...["NO_ERROR INTERNAL", "PROTOCOL_ERROR INTERNAL", "INTERNAL_ERROR INTERNAL", "FLOW_CONTROL_ERROR INTERNAL"],
    ...["SETTINGS_TIMEOUT INTERNAL", "STREAM_CLOSED INTERNAL", "FRAME_SIZE_ERROR INTERNAL"],
    ...["REFUSED_STREAM UNAVAILABLE", "CANCEL CANCELLED", "COMPRESSION_ERROR INTERNAL", "CONNECT_ERROR INTERNAL"],
    ...["ENHANCE_YOUR_CALM RESOURCE_EXHAUSTED", "INADEQUATE_SECURITY PERMISSION_DENIED"],
    ...["HTTP_1_1_REQUIRED UNKNOWN", "0xe UNKNOWN"]
  ])
})
