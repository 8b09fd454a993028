/**
 * A call that failed: one error, whose `reason` is the status as a tagged union.
 *
 * ```ts
 * Effect.fail(GrpcError.notFound("no such user"))
 * Effect.catchReason("GrpcError", "NotFound", (reason) => …)
 * ```
 *
 * Every reason says who is at fault, as the client sees it (`fault`), and
 * whether the call may safely be made again (`retry`). Policies read those two
 * and the code, never the text.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { FieldsInput } from "../http/HttpField.ts"
import type { HttpFields } from "../http/HttpFields.ts"
import * as GrpcBase64 from "./GrpcBase64.ts"
import * as GrpcErrorDetails from "./GrpcErrorDetails.ts"
import * as GrpcMetadata from "./GrpcMetadata.ts"
import * as GrpcStatus from "./GrpcStatus.ts"
import type { Violation } from "./GrpcViolation.ts"

/**
 * Who is at fault: the server (`peer`), a limit or the time, the transport, or
 * whoever made the call.
 *
 * @category models
 */
export type Fault = "peer" | "limit" | "transport" | "caller"

/**
 * Whether a call can be made again: nothing of it left this process
 * (`NotSent`), the server said that it did not look at it (`RefusedByServer`),
 * or it may have been acted on (`MaybeProcessed`).
 *
 * @category models
 */
export type RetrySafety = "NotSent" | "RefusedByServer" | "MaybeProcessed"

/** The statuses but OK, as tags. @category models */
export type Tag = keyof typeof statuses

/** @category options */
export interface Options {
  /** What the other side is told besides, as values. Default none. */
  readonly details?: ReadonlyArray<GrpcErrorDetails.Detail> | undefined
  /** The trailers of the call. Default empty. */
  readonly metadata?: GrpcMetadata.GrpcMetadata | undefined
  /** Default: that of the status. Is not sent. */
  readonly fault?: Fault | undefined
  /** Default `MaybeProcessed`. Is not sent. */
  readonly retry?: RetrySafety | undefined
  /** What it comes from, for logs. Is not sent. */
  readonly cause?: unknown
}

/** A status of a call that failed. @category reasons */
export class StatusReason<T extends Tag> {
  readonly _tag: T
  readonly code: GrpcStatus.FailureCode
  /** The `grpc-message`; `""` for none. */
  readonly message: string
  readonly details: ReadonlyArray<GrpcErrorDetails.Detail>
  /** The trailers, without those of gRPC itself. */
  readonly metadata: GrpcMetadata.GrpcMetadata
  readonly fault: Fault
  readonly retry: RetrySafety
  constructor(tag: T, message: string, options: Options | undefined) {
    const [code, fault] = statuses[tag]
    this._tag = tag
    this.code = code
    this.message = message
    this.details = options?.details ?? noDetails
    this.metadata = options?.metadata ?? GrpcMetadata.empty
    this.fault = options?.fault ?? fault
    this.retry = options?.retry ?? "MaybeProcessed"
  }
}

/** @category reasons */
export type Reason = { readonly [T in Tag]: StatusReason<T> }[Tag]

/** A call failed; `reason` is its status. @category errors */
export class GrpcError extends Data.TaggedError("GrpcError")<{
  readonly reason: Reason
  readonly cause?: unknown
}> {
  override get message(): string {
    const { code, message } = this.reason
    return message === "" ? GrpcStatus.nameOf(code) : `${GrpcStatus.nameOf(code)}: ${message}`
  }
}

/** The error of a code. @category constructors */
export const make = (code: GrpcStatus.FailureCode, message: string, options?: Options): GrpcError =>
  ofTag(tags[code - 1]!, message, options)

type Constructor = (message: string, options?: Options) => GrpcError

/** @category constructors */
export const cancelled: Constructor = (message, options) => ofTag("Cancelled", message, options)
/** @category constructors */
export const unknown: Constructor = (message, options) => ofTag("Unknown", message, options)
/** @category constructors */
export const invalidArgument: Constructor = (message, options) => ofTag("InvalidArgument", message, options)
/** @category constructors */
export const deadlineExceeded: Constructor = (message, options) => ofTag("DeadlineExceeded", message, options)
/** @category constructors */
export const notFound: Constructor = (message, options) => ofTag("NotFound", message, options)
/** @category constructors */
export const alreadyExists: Constructor = (message, options) => ofTag("AlreadyExists", message, options)
/** @category constructors */
export const permissionDenied: Constructor = (message, options) => ofTag("PermissionDenied", message, options)
/** @category constructors */
export const resourceExhausted: Constructor = (message, options) => ofTag("ResourceExhausted", message, options)
/** @category constructors */
export const failedPrecondition: Constructor = (message, options) => ofTag("FailedPrecondition", message, options)
/** @category constructors */
export const aborted: Constructor = (message, options) => ofTag("Aborted", message, options)
/** @category constructors */
export const outOfRange: Constructor = (message, options) => ofTag("OutOfRange", message, options)
/** @category constructors */
export const unimplemented: Constructor = (message, options) => ofTag("Unimplemented", message, options)
/** @category constructors */
export const internal: Constructor = (message, options) => ofTag("Internal", message, options)
/** @category constructors */
export const unavailable: Constructor = (message, options) => ofTag("Unavailable", message, options)
/** @category constructors */
export const dataLoss: Constructor = (message, options) => ofTag("DataLoss", message, options)
/** @category constructors */
export const unauthenticated: Constructor = (message, options) => ofTag("Unauthenticated", message, options)

/**
 * How a call has ended, for its client, by the trailers of the response (or its
 * only head). `undefined`: it went well.
 *
 * Without `grpc-status`, the status of HTTP decides: "If grpc-status was
 * provided, it must be used".
 *
 * @category constructors
 */
export const fromTrailers = (trailers: HttpFields | undefined, httpStatus: number): GrpcError | undefined => {
  const text = trailers?.header("grpc-status")
  if (trailers === undefined || text === undefined) {
    const message = `the response has no grpc-status, and the HTTP status ${httpStatus}`
    const metadata = trailers === undefined ? undefined : GrpcMetadata.fromFields(trailers)
    return make(GrpcStatus.ofHttpStatus(httpStatus), message, { metadata })
  }
  const code = GrpcStatus.parse(text)
  if (code === GrpcStatus.Ok) return undefined
  const message = GrpcStatus.decodeMessage(trailers.header("grpc-message") ?? "")
  return make(code, message, { details: detailsOf(trailers), metadata: GrpcMetadata.fromFields(trailers) })
}

/**
 * How a call has ended, for its client, whose stream was ended by RST_STREAM
 * with an error code of HTTP/2. `heard`: a part of the response had come, so
 * that a server which says that it has not looked at the call is not believed.
 *
 * @category constructors
 */
export const fromReset = (errorCode: number, heard: "nothing" | "response"): GrpcError =>
  make(GrpcStatus.ofHttp2Error(errorCode), `the server has reset the stream with the error code ${errorCode}`, {
    fault: "peer",
    retry: errorCode === refusedStream && heard === "nothing" ? "RefusedByServer" : "MaybeProcessed"
  })

/** What a violation ends a call with. @category constructors */
export const fromViolation = (violation: Violation): GrpcError =>
  make(violation.code, violation.message, { fault: violation.fault })

/**
 * The trailers that tell the client. Without a message, details and metadata
 * they are always the same record for a code.
 *
 * @category writing
 */
export const toTrailers = (error: GrpcError): FieldsInput => {
  const { code, details, message, metadata } = error.reason
  const status = GrpcStatus.trailers(code, message)
  if (details.length === 0 && metadata.isEmpty) return status
  if (details.length === 0) return { ...metadata.toTrailers(), ...status }
  const bytes = GrpcErrorDetails.encode({ code, message, details })
  return { ...metadata.toTrailers(), ...status, [detailsName]: GrpcBase64.encode(bytes) }
}

const ofTag = (tag: Tag, message: string, options: Options | undefined): GrpcError => {
  const reason = new StatusReason(tag, message, options) as Reason
  return options?.cause === undefined ? new GrpcError({ reason }) : new GrpcError({ reason, cause: options.cause })
}

/** Details that cannot be read are none: the status stands without them. */
const detailsOf = (trailers: HttpFields): ReadonlyArray<GrpcErrorDetails.Detail> => {
  const text = trailers.header(detailsName)
  if (text === undefined) return noDetails
  const bytes = GrpcBase64.decode(text)
  return (bytes === undefined ? undefined : GrpcErrorDetails.decode(bytes)?.details) ?? noDetails
}

const noDetails: ReadonlyArray<GrpcErrorDetails.Detail> = []
const detailsName = "grpc-status-details-bin"
/** RFC 9113 §7. */
const refusedStream = 0x7

/** The code of each tag, and who is at fault as far as it says that. In the order of the codes. */
const statuses = {
  Cancelled: [GrpcStatus.Cancelled, "caller"],
  Unknown: [GrpcStatus.Unknown, "peer"],
  InvalidArgument: [GrpcStatus.InvalidArgument, "caller"],
  DeadlineExceeded: [GrpcStatus.DeadlineExceeded, "limit"],
  NotFound: [GrpcStatus.NotFound, "caller"],
  AlreadyExists: [GrpcStatus.AlreadyExists, "caller"],
  PermissionDenied: [GrpcStatus.PermissionDenied, "caller"],
  ResourceExhausted: [GrpcStatus.ResourceExhausted, "limit"],
  FailedPrecondition: [GrpcStatus.FailedPrecondition, "caller"],
  Aborted: [GrpcStatus.Aborted, "peer"],
  OutOfRange: [GrpcStatus.OutOfRange, "caller"],
  Unimplemented: [GrpcStatus.Unimplemented, "caller"],
  Internal: [GrpcStatus.Internal, "peer"],
  Unavailable: [GrpcStatus.Unavailable, "transport"],
  DataLoss: [GrpcStatus.DataLoss, "peer"],
  Unauthenticated: [GrpcStatus.Unauthenticated, "caller"]
} as const satisfies Record<string, readonly [GrpcStatus.FailureCode, Fault]>

const tags = /*#__PURE__*/ Object.keys(statuses) as ReadonlyArray<Tag>
