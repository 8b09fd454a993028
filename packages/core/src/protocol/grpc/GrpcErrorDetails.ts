/**
 * What a status says beyond its code and message: the messages of
 * `google/rpc/error_details.proto`, as values. They travel as
 * `google.rpc.Status` in the trailer `grpc-status-details-bin`.
 *
 * ```ts
 * GrpcError.invalidArgument("the name is too long", {
 *   details: [GrpcErrorDetails.BadRequest({ fieldViolations: [{ field: "name", description: "at most 20 letters" }] })]
 * })
 * ```
 *
 * A message of another type, or one that cannot be read, is an `Any`: its type
 * and its bytes. Fields that are not listed here are passed over.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Wire from "./GrpcDetailWire.ts"

/** The cause, for programs: `reason` in upper case, unique within its `domain`. @category details */
export interface ErrorInfo {
  readonly _tag: "ErrorInfo"
  readonly reason: string
  /** Whose reason it is: mostly a service, such as `pubsub.googleapis.com`. */
  readonly domain: string
  readonly metadata: Readonly<Record<string, string>>
}

/** When the call may be made again, at the earliest. @category details */
export interface RetryInfo {
  readonly _tag: "RetryInfo"
  readonly retryDelay: Duration.Duration
}

/** Where the error came from, for who mends the server. @category details */
export interface DebugInfo {
  readonly _tag: "DebugInfo"
  readonly stackEntries: ReadonlyArray<string>
  readonly detail: string
}

/** The quotas that were used up. @category details */
export interface QuotaFailure {
  readonly _tag: "QuotaFailure"
  readonly violations: ReadonlyArray<{
    /** Whose quota, such as `clientip:192.0.2.1`. */
    readonly subject: string
    readonly description: string
  }>
}

/** What has to be mended before the call can be made. @category details */
export interface PreconditionFailure {
  readonly _tag: "PreconditionFailure"
  readonly violations: ReadonlyArray<{
    /** A word of the service's own, such as `TOS`. */
    readonly type: string
    readonly subject: string
    readonly description: string
  }>
}

/** What is wrong with the fields of the request. @category details */
export interface BadRequest {
  readonly _tag: "BadRequest"
  readonly fieldViolations: ReadonlyArray<{
    /** The path to the field, such as `user.emails[1].value`. */
    readonly field: string
    readonly description: string
    /** A word for programs, in upper case. */
    readonly reason?: string | undefined
  }>
}

/** How the server knows the request. @category details */
export interface RequestInfo {
  readonly _tag: "RequestInfo"
  readonly requestId: string
  readonly servingData: string
}

/** The resource that the call was about. @category details */
export interface ResourceInfo {
  readonly _tag: "ResourceInfo"
  readonly resourceType: string
  readonly resourceName: string
  /** `""` for none. */
  readonly owner: string
  readonly description: string
}

/** Where to read on. @category details */
export interface Help {
  readonly _tag: "Help"
  readonly links: ReadonlyArray<{ readonly description: string; readonly url: string }>
}

/** A message for people, in the language `locale`, such as `en-US`. @category details */
export interface LocalizedMessage {
  readonly _tag: "LocalizedMessage"
  readonly locale: string
  readonly message: string
}

/** A message of another type: `google.protobuf.Any`. @category details */
export interface Any {
  readonly _tag: "Any"
  /** Such as `type.googleapis.com/my.package.Message`. */
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** @category details */
export type Detail =
  | ErrorInfo
  | RetryInfo
  | DebugInfo
  | QuotaFailure
  | PreconditionFailure
  | BadRequest
  | RequestInfo
  | ResourceInfo
  | Help
  | LocalizedMessage
  | Any

const details = /*#__PURE__*/ Data.taggedEnum<Detail>()

/** @category constructors */
export const ErrorInfo = details.ErrorInfo
/** @category constructors */
export const RetryInfo = details.RetryInfo
/** @category constructors */
export const DebugInfo = details.DebugInfo
/** @category constructors */
export const QuotaFailure = details.QuotaFailure
/** @category constructors */
export const PreconditionFailure = details.PreconditionFailure
/** @category constructors */
export const BadRequest = details.BadRequest
/** @category constructors */
export const RequestInfo = details.RequestInfo
/** @category constructors */
export const ResourceInfo = details.ResourceInfo
/** @category constructors */
export const Help = details.Help
/** @category constructors */
export const LocalizedMessage = details.LocalizedMessage
/** @category constructors */
export const Any = details.Any

/** A status with its details: `google.rpc.Status`. @category models */
export interface Status {
  readonly code: number
  readonly message: string
  readonly details: ReadonlyArray<Detail>
}

/** The first detail of a tag; `undefined` where there is none. @category reading */
export const find = <Tag extends Detail["_tag"]>(
  details: ReadonlyArray<Detail>,
  tag: Tag
): Extract<Detail, { readonly _tag: Tag }> | undefined =>
  details.find((one): one is Extract<Detail, { readonly _tag: Tag }> => one._tag === tag)

/** `google.rpc.Status`, for `grpc-status-details-bin`. @category writing */
export const encode = (status: Status): Uint8Array =>
  Wire.encode(statusTable, { ...status, details: status.details.map(anyOf) })

/** The status in a `grpc-status-details-bin`; `undefined` where it is none. @category reading */
export const decode = (bytes: Uint8Array): Status | undefined => {
  const found = Wire.decode(statusTable, bytes)
  if (found === undefined) return undefined
  const { code, details, message } = found as unknown as Wire.Message &
    Omit<Status, "details"> & { details: Array<AnyParts> }
  return { code, message, details: details.map(detailOf) }
}

interface AnyParts {
  readonly typeUrl: string
  readonly value: Uint8Array
}

const anyOf = (detail: Detail): AnyParts =>
  detail._tag === "Any"
    ? detail
    : { typeUrl: `${typePrefix}${detail._tag}`, value: Wire.encode(tables[detail._tag], { ...detail }) }

/** Who asks looks at what stands behind the last slash of a type's address. */
const detailOf = (any: AnyParts): Detail => {
  const name = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1)
  const tag = name.startsWith(packageName) ? name.slice(packageName.length) : ""
  if (Object.hasOwn(tables, tag)) {
    const found = Wire.decode(tables[tag as keyof typeof tables], any.value)
    if (found !== undefined) return { _tag: tag, ...found } as unknown as Detail
  }
  return Any(any)
}

const packageName = "google.rpc."
const typePrefix = `type.googleapis.com/${packageName}`

const tables: Readonly<Record<Exclude<Detail["_tag"], "Any">, Wire.Table>> = {
  ErrorInfo: [
    [1, "reason", "text"],
    [2, "domain", "text"],
    [3, "metadata", "map"]
  ],
  RetryInfo: [[1, "retryDelay", "duration"]],
  DebugInfo: [
    [1, "stackEntries", "texts"],
    [2, "detail", "text"]
  ],
  QuotaFailure: [
    [
      1,
      "violations",
      [
        [1, "subject", "text"],
        [2, "description", "text"]
      ]
    ]
  ],
  PreconditionFailure: [
    [
      1,
      "violations",
      [
        [1, "type", "text"],
        [2, "subject", "text"],
        [3, "description", "text"]
      ]
    ]
  ],
  BadRequest: [
    [
      1,
      "fieldViolations",
      [
        [1, "field", "text"],
        [2, "description", "text"],
        [3, "reason", "optionalText"]
      ]
    ]
  ],
  RequestInfo: [
    [1, "requestId", "text"],
    [2, "servingData", "text"]
  ],
  ResourceInfo: [
    [1, "resourceType", "text"],
    [2, "resourceName", "text"],
    [3, "owner", "text"],
    [4, "description", "text"]
  ],
  Help: [
    [
      1,
      "links",
      [
        [1, "description", "text"],
        [2, "url", "text"]
      ]
    ]
  ],
  LocalizedMessage: [
    [1, "locale", "text"],
    [2, "message", "text"]
  ]
}

const statusTable: Wire.Table = [
  [1, "code", "int32"],
  [2, "message", "text"],
  [
    3,
    "details",
    [
      [1, "typeUrl", "text"],
      [2, "value", "bytes"]
    ]
  ]
]
