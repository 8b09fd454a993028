import { assert, describe, it } from "@effect/vitest"
import * as GrpcError from "@sluice/core/protocol/grpc/GrpcError"
import * as GrpcErrorDetails from "@sluice/core/protocol/grpc/GrpcErrorDetails"
import * as GrpcMetadata from "@sluice/core/protocol/grpc/GrpcMetadata"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as GrpcViolation from "@sluice/core/protocol/grpc/GrpcViolation"
import { Http2Fields } from "@sluice/core/protocol/http2/Http2Fields"
import { ofTrailers } from "@sluice/core/protocol/http2/Http2PreparedFields"
import * as Effect from "effect/Effect"

const fieldsOf = (record: object): Http2Fields => {
  const fields = new Http2Fields()
  for (const [name, value] of Object.entries(record)) for (const one of [value].flat()) fields.add(name, one)
  return fields
}

const detail = GrpcErrorDetails.LocalizedMessage({ locale: "de", message: "nein" })

describe("a status", () => {
  const constructors = {
    ...{ Cancelled: GrpcError.cancelled, Unknown: GrpcError.unknown, InvalidArgument: GrpcError.invalidArgument },
    ...{ DeadlineExceeded: GrpcError.deadlineExceeded, NotFound: GrpcError.notFound },
    ...{ AlreadyExists: GrpcError.alreadyExists, PermissionDenied: GrpcError.permissionDenied },
    ...{ ResourceExhausted: GrpcError.resourceExhausted, FailedPrecondition: GrpcError.failedPrecondition },
    ...{ Aborted: GrpcError.aborted, OutOfRange: GrpcError.outOfRange, Unimplemented: GrpcError.unimplemented },
    ...{ Internal: GrpcError.internal, Unavailable: GrpcError.unavailable, DataLoss: GrpcError.dataLoss },
    Unauthenticated: GrpcError.unauthenticated
  } satisfies Record<GrpcError.Tag, unknown>

  it("has a tag, a code of the same name, and who is at fault", () => {
    const rows = Object.entries(constructors).map(([tag, construct]) => {
      const { reason } = construct("a")
      assert.strictEqual(reason._tag, tag)
      assert.strictEqual(GrpcStatus.nameOf(reason.code).replaceAll("_", ""), tag.toUpperCase())
      assert.strictEqual(GrpcError.make(reason.code, "a").reason._tag, tag)
      return `${reason.code} ${GrpcStatus.nameOf(reason.code)} ${reason.fault} ${reason.retry}`
    })
    assert.deepStrictEqual(rows, [
      "1 CANCELLED caller MaybeProcessed",
      "2 UNKNOWN peer MaybeProcessed",
      "3 INVALID_ARGUMENT caller MaybeProcessed",
      "4 DEADLINE_EXCEEDED limit MaybeProcessed",
      "5 NOT_FOUND caller MaybeProcessed",
      "6 ALREADY_EXISTS caller MaybeProcessed",
      "7 PERMISSION_DENIED caller MaybeProcessed",
      "8 RESOURCE_EXHAUSTED limit MaybeProcessed",
      "9 FAILED_PRECONDITION caller MaybeProcessed",
      "10 ABORTED peer MaybeProcessed",
      "11 OUT_OF_RANGE caller MaybeProcessed",
      "12 UNIMPLEMENTED caller MaybeProcessed",
      "13 INTERNAL peer MaybeProcessed",
      "14 UNAVAILABLE transport MaybeProcessed",
      "15 DATA_LOSS peer MaybeProcessed",
      "16 UNAUTHENTICATED caller MaybeProcessed"
    ])
  })
  it("has the options that were given, and the error its cause", () => {
    const metadata = GrpcMetadata.make({ a: "b" })
    const cause = new Error("why")
    const options = { details: [detail], metadata, fault: "limit", retry: "NotSent", cause } as const
    const error = GrpcError.unavailable("a", options)
    assert.include(error.reason, { fault: "limit", retry: "NotSent", metadata, details: options.details })
    assert.strictEqual(error.cause, cause)
    assert.isFalse("cause" in GrpcError.unavailable("a").reason)
  })
  it("is named in the error's message", () => {
    assert.strictEqual(GrpcError.notFound("no such user").message, "NOT_FOUND: no such user")
    assert.strictEqual(GrpcError.notFound("").message, "NOT_FOUND")
    assert.instanceOf(GrpcError.notFound(""), Error)
  })
})

it.effect("one status can be caught by its name, and the others stay", () =>
  Effect.gen(function* () {
    const call = (error: GrpcError.GrpcError) =>
      Effect.fail(error).pipe(
        Effect.catchReason("GrpcError", "NotFound", (reason) =>
          Effect.succeed(`${reason.code satisfies number} ${reason.message}`)
        )
      )
    assert.strictEqual(yield* call(GrpcError.notFound("no such user")), "5 no such user")
    const error = yield* Effect.flip(call(GrpcError.internal("broken")))
    assert.strictEqual(error.reason._tag, "Internal")
  })
)

describe("from trailers to an error", () => {
  it("OK is none", () => {
    assert.isUndefined(GrpcError.fromTrailers(fieldsOf(GrpcStatus.okTrailers), 200))
    assert.isUndefined(GrpcError.fromTrailers(fieldsOf({ "grpc-status": "0", "grpc-message": "a" }), 503))
  })
  it("a status with its message, details and metadata", () => {
    const error = GrpcError.notFound("50 % é", {
      details: [detail],
      metadata: GrpcMetadata.make({ a: ["b", "c"], "d-bin": Uint8Array.of(1) })
    })
    const found = GrpcError.fromTrailers(fieldsOf(GrpcError.toTrailers(error)), 200)
    assert.include(found?.reason, { _tag: "NotFound", code: 5, message: "50 % é", retry: "MaybeProcessed" })
    assert.deepStrictEqual(found?.reason.details, [detail])
    assert.deepStrictEqual(found?.reason.metadata.entries(), error.reason.metadata.entries())
  })
  const rows: ReadonlyArray<readonly [rule: string, trailers: object | undefined, status: number, message: string]> = [
    ["a code of the future", { "grpc-status": "17", "grpc-message": "a" }, 200, "UNKNOWN: a"],
    ["Error parsing returned status", { "grpc-status": "", "grpc-message": "a" }, 200, "UNKNOWN: a"],
    ["a status that is there twice", { "grpc-status": ["5", "5"] }, 200, "UNKNOWN"],
    ["If grpc-status was provided, it must be used", { "grpc-status": "5" }, 503, "NOT_FOUND"],
    ["none: by the status of HTTP", {}, 503, "UNAVAILABLE: the response has no grpc-status, and the HTTP status 503"],
    [
      "none, and no trailers",
      undefined,
      404,
      "UNIMPLEMENTED: the response has no grpc-status, and the HTTP status 404"
    ],
    ["none, although HTTP is content", {}, 200, "UNKNOWN: the response has no grpc-status, and the HTTP status 200"]
  ]
  for (const [rule, trailers, status, message] of rows) {
    it(rule, () => {
      const fields = trailers === undefined ? undefined : fieldsOf(trailers)
      assert.strictEqual(GrpcError.fromTrailers(fields, status)?.message, message)
    })
  }
  it("what came without a status is its metadata", () => {
    const error = GrpcError.fromTrailers(fieldsOf({ via: "a proxy" }), 503)
    assert.strictEqual(error?.reason.metadata.get("via"), "a proxy")
    assert.strictEqual(error?.reason.fault, "transport")
  })
  it("details that cannot be read are none", () => {
    for (const text of ["!", "/w", "AQ,AQ"]) {
      const error = GrpcError.fromTrailers(fieldsOf({ "grpc-status": "5", "grpc-status-details-bin": text }), 200)
      assert.strictEqual(error?.reason._tag, "NotFound")
      assert.deepStrictEqual(error?.reason.details, [])
    }
  })
})

describe("from an error to trailers", () => {
  it("of a bare status they are always the same record", () => {
    for (let code = 1; code <= 16; code++) {
      const error = GrpcError.make(code as GrpcStatus.FailureCode, "")
      assert.strictEqual(GrpcError.toTrailers(error), GrpcStatus.trailers(error.reason.code, ""))
    }
  })
  it("have metadata beside the status", () => {
    const error = GrpcError.notFound("a", { metadata: GrpcMetadata.make({ b: "c", "www-authenticate": "d" }) })
    const trailers = GrpcError.toTrailers(error)
    assert.deepStrictEqual({ ...trailers }, { b: "c", "grpc-status": "5", "grpc-message": "a" })
    assert.property(ofTrailers(trailers), "list")
  })
  it("have details as google.rpc.Status", () => {
    const any = GrpcErrorDetails.Any({ typeUrl: "t", value: Uint8Array.of() })
    assert.deepStrictEqual(GrpcError.toTrailers(GrpcError.notFound("a", { details: [any] })), {
      "grpc-status": "5",
      "grpc-message": "a",
      // 08 05 12 01 61 1a 03 0a 01 74
      "grpc-status-details-bin": "CAUSAWEaAwoBdA"
    })
  })
  it("do not let received trailers say a status of their own", () => {
    const received = GrpcError.fromTrailers(fieldsOf({ "grpc-status": "5", "grpc-message": "a", b: "c" }), 200)!
    const error = GrpcError.internal("", { metadata: received.reason.metadata })
    assert.deepStrictEqual({ ...GrpcError.toTrailers(error) }, { b: "c", "grpc-status": "13" })
  })
})

describe("a stream that was reset", () => {
  const rows: ReadonlyArray<
    readonly [code: number, heard: "nothing" | "response", tag: GrpcError.Tag, retry: GrpcError.RetrySafety]
  > = [
    [7, "nothing", "Unavailable", "RefusedByServer"],
    [7, "response", "Unavailable", "MaybeProcessed"],
    [8, "nothing", "Cancelled", "MaybeProcessed"],
    [0, "response", "Internal", "MaybeProcessed"],
    [11, "nothing", "ResourceExhausted", "MaybeProcessed"]
  ]
  for (const [code, heard, tag, retry] of rows) {
    it(`${code}, when ${heard} had come`, () =>
      assert.include(GrpcError.fromReset(code, heard).reason, { _tag: tag, retry, fault: "peer" }))
  }
})

it("a violation says the code, the text and who is at fault", () => {
  const error = GrpcError.fromViolation(new GrpcViolation.MessageTooLarge(2, 1))
  assert.include(error.reason, { _tag: "ResourceExhausted", fault: "limit" })
  assert.strictEqual(error.reason.message, "a message of 2 bytes or more is above the limit of 1")
  const ours = GrpcError.fromViolation(new GrpcViolation.MessageTooLarge(2, 1, "caller"))
  assert.include(ours.reason, { _tag: "ResourceExhausted", fault: "caller" })
})
