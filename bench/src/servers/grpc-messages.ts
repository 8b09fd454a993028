/**
 * The messages of `proto/sluice/bench/bench.proto` for the programs of
 * grpc-js, by protobufjs.
 *
 * `@grpc/proto-loader`, which most users have, is protobufjs too, with copies of
 * each message from and to plain objects. They are left out here: the peer is as
 * fast as its users can make it.
 */
import * as Path from "node:path"
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js"
import protobufjs from "protobufjs"
import type { HelloReply, HelloRequest, Payload, StreamRequest } from "../load/GrpcClientLoad.ts"

const file = Path.resolve(import.meta.dirname, "../../proto/sluice/bench/bench.proto")
const root = new protobufjs.Root().loadSync(file)

const method = <Q, A>(name: string, request: string, reply: string, isStream: boolean): MethodDefinition<Q, A> => {
  const requestType = root.lookupType(`sluice.bench.${request}`)
  const replyType = root.lookupType(`sluice.bench.${reply}`)
  return {
    path: `/sluice.bench.Bench/${name}`,
    requestStream: false,
    responseStream: isStream,
    requestSerialize: (message) => requestType.encode(message as object).finish() as Buffer,
    requestDeserialize: (bytes) => requestType.decode(bytes) as Q,
    responseSerialize: (message) => replyType.encode(message as object).finish() as Buffer,
    responseDeserialize: (bytes) => replyType.decode(bytes) as A
  }
}

export const methods = {
  Unary: method<Payload, Payload>("Unary", "Payload", "Payload", false),
  Stream: method<StreamRequest, Payload>("Stream", "StreamRequest", "Payload", true),
  Hello: method<HelloRequest, HelloReply>("Hello", "HelloRequest", "HelloReply", false)
} as const satisfies ServiceDefinition
