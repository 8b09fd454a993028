/**
 * The words of OpenTelemetry's semantic conventions for gRPC that metrics and
 * spans share (semantic conventions 1.40, "RPC").
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcStatus from "../protocol/grpc/GrpcStatus.ts"
import type { GrpcMethod } from "./GrpcMethod.ts"

/** @category models */
export type Role = "server" | "client"

/** `rpc.system.name` of every call. @category words */
export const system = { "rpc.system.name": "grpc" } as const

/** `rpc.method`, and the name of a span: `package.Service/Method`. @category words */
export const methodName = ({ path }: GrpcMethod): string => path.slice(1)

/** `rpc.method` of a method that the server does not have: its name is the client's word, of which there is no end. @category words */
export const otherMethod = "_OTHER"

/**
 * `rpc.response.status_code`, and `error.type` where the code is an error: for
 * a client all but OK, for a server those that say that it failed.
 *
 * @category words
 */
export const statusOf = (role: Role, code: GrpcStatus.Code): Status => statuses[role][code]!

/** @category models */
export interface Status {
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, string>>
}

const serverErrors: ReadonlySet<GrpcStatus.Code> = /*#__PURE__*/ new Set([
  GrpcStatus.Unknown,
  GrpcStatus.DeadlineExceeded,
  GrpcStatus.Unimplemented,
  GrpcStatus.Internal,
  GrpcStatus.Unavailable,
  GrpcStatus.DataLoss
])

const statusesFor = (isError: (code: GrpcStatus.Code) => boolean): ReadonlyArray<Status> =>
  Array.from({ length: GrpcStatus.Unauthenticated + 1 }, (_, code) => {
    const name = GrpcStatus.nameOf(code as GrpcStatus.Code)
    const failed = isError(code as GrpcStatus.Code)
    const attributes = { "rpc.response.status_code": name, ...(failed ? { "error.type": name } : {}) }
    return { isError: failed, attributes }
  })

const statuses = {
  server: /*#__PURE__*/ statusesFor((code) => serverErrors.has(code)),
  client: /*#__PURE__*/ statusesFor((code) => code !== GrpcStatus.Ok)
}
