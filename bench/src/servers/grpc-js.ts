/**
 * The service of the gRPC rows on `@grpc/grpc-js`, with its defaults. Its
 * stream waits for a slow reader, as it must.
 */
import * as Grpc from "@grpc/grpc-js"
import type { HelloReply, HelloRequest, Payload, StreamRequest } from "../load/GrpcClientLoad.ts"
import * as Announcement from "./Announcement.ts"
import { methods } from "./grpc-messages.ts"

const unary: Grpc.handleUnaryCall<Payload, Payload> = (call, reply) => reply(null, { body: call.request.body })

const hello: Grpc.handleUnaryCall<HelloRequest, HelloReply> = (call, reply) =>
  reply(null, { message: `Hello ${call.request.name}` })

const stream: Grpc.handleServerStreamingCall<StreamRequest, Payload> = (call) => {
  const { count, size } = call.request
  const body = Buffer.alloc(size, "x")
  let sent = 0
  const send = (): void => {
    while (sent < count) {
      if (call.cancelled) return
      sent++
      if (call.write({ body })) continue
      call.once("drain", send)
      return
    }
    call.end()
  }
  send()
}

const server = new Grpc.Server()
server.addService(methods, { Unary: unary, Stream: stream, Hello: hello })
server.bindAsync("127.0.0.1:0", Grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error
  Announcement.listening(port)
})
