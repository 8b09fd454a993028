/**
 * What the head and the end of a response say to a client (gRPC over HTTP/2,
 * "Responses").
 *
 * @internal
 * @since 0.1.0
 */
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcMetadata from "../../protocol/grpc/GrpcMetadata.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { Http2Fields } from "../../protocol/http2/Http2Fields.ts"
import type { Http2ResponseHead } from "../../protocol/http2/Http2Head.ts"

/** Why messages cannot follow on a head: it is not of a server of gRPC. @category checking */
export const headError = (head: Http2ResponseHead): GrpcError.GrpcError | undefined => {
  const contentType = head.header("content-type")
  if (head.status === 200 && contentType !== undefined && isGrpc(contentType)) return undefined
  const said = contentType === undefined ? "without a content-type" : `of ${JSON.stringify(contentType)}`
  // http-grpc-status-mapping: "to be used only for clients that received a response that did not include grpc-status".
  return GrpcError.make(GrpcStatus.ofHttpStatus(head.status), `a response with the status ${head.status}, ${said}`, {
    fault: "peer",
    metadata: GrpcMetadata.fromFields(head)
  })
}

/**
 * How a response has ended: by its trailers, or by its head where that is all
 * of it (Trailers-Only). A server that says the status in a head and ends
 * without trailers behind it is understood too.
 *
 * @category checking
 */
export const endError = (head: Http2ResponseHead, trailers: Http2Fields | undefined): GrpcError.GrpcError | undefined =>
  GrpcError.fromTrailers(trailers ?? head, head.status)

/** "Content-Type → "content-type" "application/grpc" [("+proto" / "+json" / {custom})]", with parameters. */
const isGrpc = (contentType: string): boolean => {
  if (contentType === mediaType) return true
  if (!contentType.toLowerCase().startsWith(mediaType)) return false
  const next = contentType[mediaType.length]
  return next === undefined || next === "+" || next === ";" || next === " "
}

const mediaType = "application/grpc"
