/**
 * `@grpc/grpc-js` as a load generator: a client for each connection, with its
 * defaults, but that they do not share one.
 */
import * as Grpc from "@grpc/grpc-js"
import { methods } from "../servers/grpc-messages.ts"
import * as GrpcClientLoad from "./GrpcClientLoad.ts"
import type { GrpcCall } from "./GrpcLoad.ts"

type Counts = GrpcClientLoad.GrpcClientCounts

/** `again` is called when the call is over. */
const callOnce = (client: Grpc.Client, call: GrpcCall, body: Uint8Array, counts: Counts, again: () => void): void => {
  const since = performance.now()
  const onReply =
    <A>(count: (reply: A) => void) =>
    (error: Grpc.ServiceError | null, reply?: A): void => {
      if (error !== null || reply === undefined) counts.onError(error)
      else {
        count(reply)
        counts.onEnd(since)
      }
      again()
    }
  if (call.method === "Hello") {
    const { path, requestSerialize, responseDeserialize } = methods.Hello
    const reply = onReply<GrpcClientLoad.HelloReply>((message) => counts.onHello(message))
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { name: call.name }, reply)
  } else if (call.method === "Unary") {
    const { path, requestSerialize, responseDeserialize } = methods.Unary
    const reply = onReply<GrpcClientLoad.Payload>((message) => counts.onPayload(message))
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { body }, reply)
  } else {
    const { path, requestSerialize, responseDeserialize } = methods.Stream
    const request = { count: call.count, size: call.payloadBytes }
    client
      .makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
      .on("data", (message: GrpcClientLoad.Payload) => counts.onPayload(message))
      .on("end", () => counts.onEnd(since))
      .on("error", (error) => counts.onError(error))
      .on("status", again)
  }
}

await GrpcClientLoad.run(({ port, load }, counts) => {
  const body = GrpcClientLoad.bodyOf(load.call)
  for (let connection = 0; connection < load.connections; connection++) {
    const options = { "grpc.use_local_subchannel_pool": 1 }
    const client = new Grpc.Client(`127.0.0.1:${port}`, Grpc.credentials.createInsecure(), options)
    const again = (): void => callOnce(client, load.call, body, counts, again)
    for (let call = 0; call < load.inFlight; call++) again()
  }
})
