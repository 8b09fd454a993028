/**
 * A failed call as Connect tells it (Connect, "Error Codes" and "Error"): a
 * status of HTTP and a JSON text, out of the trailers that gRPC has.
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcBase64 from "../../protocol/grpc/GrpcBase64.ts"
import * as GrpcDetailWire from "../../protocol/grpc/GrpcDetailWire.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { FieldsInput } from "../../protocol/http/HttpField.ts"

/** @category models */
export interface ConnectError {
  readonly httpStatus: number
  readonly json: string
}

/** What `grpc-status` and the fields beside it say; `undefined` for OK. @category converting */
export const fromTrailers = (trailers: FieldsInput): ConnectError | undefined => {
  const code = GrpcStatus.parse(textOf(trailers["grpc-status"]))
  if (code === GrpcStatus.Ok) return undefined
  const [name, httpStatus] = codes[code]
  const message = GrpcStatus.decodeMessage(textOf(trailers["grpc-message"]))
  const details = detailsOf(textOf(trailers["grpc-status-details-bin"]))
  const json = JSON.stringify({
    code: name,
    // Left out where they are empty.
    message: message === "" ? undefined : message,
    details: details.length === 0 ? undefined : details
  })
  return { httpStatus, json }
}

const textOf = (value: FieldsInput[string]): string => (typeof value === "string" ? value : (value?.[0] ?? ""))

interface Detail {
  readonly type: string
  readonly value: string
}

const detailsOf = (text: string): ReadonlyArray<Detail> => {
  const bytes = text === "" ? undefined : GrpcBase64.decode(text)
  const status = bytes === undefined ? undefined : GrpcDetailWire.decode(statusTable, bytes)
  const anys = (status?.details ?? []) as ReadonlyArray<{ readonly typeUrl: string; readonly value: Uint8Array }>
  return anys.map(({ typeUrl, value }) => ({
    // "The "type" field contains the fully-qualified Protobuf message name"
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value: GrpcBase64.encode(value)
  }))
}

/** `google.rpc.Status`, as far as it is not said already. */
const statusTable: GrpcDetailWire.Table = [
  [
    3,
    "details",
    [
      [1, "typeUrl", "text"],
      [2, "value", "bytes"]
    ]
  ]
]

const codes: Readonly<Record<GrpcStatus.FailureCode, readonly [name: string, httpStatus: number]>> = {
  [GrpcStatus.Cancelled]: ["canceled", 499],
  [GrpcStatus.Unknown]: ["unknown", 500],
  [GrpcStatus.InvalidArgument]: ["invalid_argument", 400],
  [GrpcStatus.DeadlineExceeded]: ["deadline_exceeded", 504],
  [GrpcStatus.NotFound]: ["not_found", 404],
  [GrpcStatus.AlreadyExists]: ["already_exists", 409],
  [GrpcStatus.PermissionDenied]: ["permission_denied", 403],
  [GrpcStatus.ResourceExhausted]: ["resource_exhausted", 429],
  [GrpcStatus.FailedPrecondition]: ["failed_precondition", 400],
  [GrpcStatus.Aborted]: ["aborted", 409],
  [GrpcStatus.OutOfRange]: ["out_of_range", 400],
  [GrpcStatus.Unimplemented]: ["unimplemented", 501],
  [GrpcStatus.Internal]: ["internal", 500],
  [GrpcStatus.Unavailable]: ["unavailable", 503],
  [GrpcStatus.DataLoss]: ["data_loss", 500],
  [GrpcStatus.Unauthenticated]: ["unauthenticated", 401]
}
