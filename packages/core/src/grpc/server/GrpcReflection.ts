/**
 * What a server tells about itself (`grpc.reflection.v1.ServerReflection`, and
 * `v1alpha`, which most tools still ask for): its services, and the files that
 * describe them. With it grpcurl, Postman and the like need no `.proto`.
 *
 * It tells all of them to whoever asks: leave it out where they are not to be
 * known, or stand an interceptor before it.
 *
 * An answer holds the file that was asked for and, behind it, all that this
 * imports. A client that asks no more and does not go holds up no drain: its
 * call then ends with UNAVAILABLE.
 *
 * ```ts
 * import * as GrpcHealth from "@sluice/core/grpc/server/GrpcHealth"
 * import * as GrpcReflection from "@sluice/core/grpc/server/GrpcReflection"
 * import * as Layer from "effect/Layer"
 *
 * const Services = Layer.mergeAll(GrpcHealth.layer, GrpcReflection.layer)
 * ```
 *
 * @since 0.1.0
 */
import type { DescFile } from "@bufbuild/protobuf"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as GrpcError from "../../protocol/grpc/GrpcError.ts"
import * as GrpcStatus from "../../protocol/grpc/GrpcStatus.ts"
import type { DrainState } from "../../server/Draining.ts"
import type { Service } from "../GrpcMethod.ts"
import { ServerReflection as V1 } from "../generated/grpc/reflection/v1/reflection_pb.ts"
import { ServerReflection as V1Alpha } from "../generated/grpc/reflection/v1alpha/reflection_pb.ts"
import { bytesOf, GrpcReflectionIndex, withImports } from "./GrpcReflectionIndex.ts"
import { GrpcServer } from "./GrpcServer.ts"

/**
 * Serves both versions, of all services of the server. However often a server
 * has it, it is one; two servers have one each.
 *
 * @category layers
 */
export const layer: Layer.Layer<never, never, GrpcServer> = /*#__PURE__*/ Layer.fresh(
  /*#__PURE__*/ Layer.effectDiscard(
    /*#__PURE__*/ Effect.flatMap(GrpcServer, (server) => {
      if (served.has(server)) return Effect.void
      served.add(server)
      return Effect.addFinalizer(() => Effect.sync(() => served.delete(server))).pipe(Effect.andThen(add(server)))
    })
  )
)

const served = new WeakSet<GrpcServer["Service"]>()

const add = (server: GrpcServer["Service"]): Effect.Effect<void, never, Scope.Scope> => {
  const index = indexOf(server.services)
  const respond = <Q extends Request>(request: Q) =>
    Effect.map(index, (known) => ({
      validHost: request.host,
      originalRequest: request,
      messageResponse: answer(known, request.messageRequest)
    }))
  return Effect.andThen(
    server.add(V1, {
      serverReflectionInfo: (requests) => untilDrained(server, Stream.mapEffect(requests, respond))
    }),
    server.add(V1Alpha, {
      serverReflectionInfo: (requests) => untilDrained(server, Stream.mapEffect(requests, respond))
    })
  )
}

/** Both versions in one: their messages differ in their names alone. */
interface Request {
  readonly host: string
  readonly messageRequest:
    | {
        readonly case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"
        readonly value: string
      }
    | {
        readonly case: "fileContainingExtension"
        readonly value: { readonly containingType: string; readonly extensionNumber: number }
      }
    | { readonly case: undefined }
}

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Array<Uint8Array> } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: Array<number> } }
  | { case: "listServicesResponse"; value: { service: Array<{ name: string }> } }
  | { case: "errorResponse"; value: { errorCode: GrpcStatus.FailureCode; errorMessage: string } }

const answer = (known: GrpcReflectionIndex, question: Request["messageRequest"]): Answer => {
  switch (question.case) {
    case "fileByFilename":
      return file(known.fileNamed(question.value), "no such file")
    case "fileContainingSymbol":
      return file(known.fileOfSymbol(question.value), "no such symbol")
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value
      return file(known.fileOfExtension(containingType, extensionNumber), "no such extension")
    }
    case "allExtensionNumbersOfType": {
      const numbers = known.extensionNumbers(question.value)
      if (numbers === undefined) return failed(GrpcStatus.NotFound, "no such message")
      const value = { baseTypeName: question.value, extensionNumber: [...numbers] }
      return { case: "allExtensionNumbersResponse", value }
    }
    case "listServices":
      return { case: "listServicesResponse", value: { service: known.services.map((name) => ({ name })) } }
    case undefined:
      return failed(GrpcStatus.Unimplemented, "nothing was asked for that this server knows")
  }
}

const file = (found: DescFile | undefined, otherwise: string): Answer =>
  found === undefined
    ? failed(GrpcStatus.NotFound, otherwise)
    : { case: "fileDescriptorResponse", value: { fileDescriptorProto: withImports(found).map(bytesOf) } }

const failed = (errorCode: GrpcStatus.FailureCode, errorMessage: string): Answer => ({
  case: "errorResponse",
  value: { errorCode, errorMessage }
})

/** The index of the services that there are now; made anew where they are others. */
const indexOf = (services: Effect.Effect<ReadonlyArray<Service>>): Effect.Effect<GrpcReflectionIndex> => {
  let indexed: ReadonlyArray<Service> = []
  let index = new GrpcReflectionIndex(indexed)
  return Effect.map(services, (now) => {
    if (now.length !== indexed.length || now.some((service, at) => service !== indexed[at])) {
      indexed = [...now]
      index = new GrpcReflectionIndex(indexed)
    }
    return index
  })
}

/** Answers go on until the server drains. */
const untilDrained = <A>(
  { draining }: { readonly draining: DrainState },
  answers: Stream.Stream<A, GrpcError.GrpcError>
): Stream.Stream<A, GrpcError.GrpcError> =>
  Stream.interruptWhen(
    answers,
    Effect.andThen(
      draining.begun,
      Effect.suspend(() => Effect.fail(GrpcError.unavailable("the server is going down")))
    )
  )
