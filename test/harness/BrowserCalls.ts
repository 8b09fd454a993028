/** Calls as browsers make them: exchanges by hand, requests on an HTTP/1.1 connection, and a service that has no side effects. */
import { createFileRegistry, create as createMessage } from "@bufbuild/protobuf"
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  MethodOptions_IdempotencyLevel
} from "@bufbuild/protobuf/wkt"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import type { FieldsInput } from "@sluice/core/protocol/http/HttpField"
import type { Http2ClientError } from "@sluice/core/session/Http2ClientError"
import * as HttpBody from "@sluice/core/session/HttpBody"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { FakeExchange } from "./FakeExchange.ts"
import type * as GrpcServerWorld from "./GrpcServerWorld.ts"
import * as MemoryWorld from "./MemoryWorld.ts"
import { file_hello } from "./protobuf/hello_pb.ts"

/** `test.Lookup`: `Find` has no side effects, and `Open` takes and gives an `Envelope` with any message in it. */
const file = createFileRegistry(
  createMessage(FileDescriptorProtoSchema, {
    name: "lookup.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["hello.proto", "google/protobuf/any.proto"],
    messageType: [
      {
        name: "Envelope",
        field: [
          {
            name: "content",
            jsonName: "content",
            number: 1,
            label: FieldDescriptorProto_Label.OPTIONAL,
            type: FieldDescriptorProto_Type.MESSAGE,
            typeName: ".google.protobuf.Any"
          }
        ]
      }
    ],
    service: [
      {
        name: "Lookup",
        method: [
          {
            name: "Find",
            inputType: ".hello.HelloRequest",
            outputType: ".hello.HelloReply",
            options: { idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS }
          },
          { name: "Open", inputType: ".test.Envelope", outputType: ".test.Envelope" }
        ]
      }
    ]
  }),
  (name) =>
    name === "hello.proto" ? file_hello : name === "google/protobuf/any.proto" ? file_google_protobuf_any : undefined
)

export const Lookup = file.getService("test.Lookup") as GrpcMethod.Service
export const [find, open] = GrpcMethod.of(Lookup) as [GrpcMethod.GrpcMethod, GrpcMethod.GrpcMethod]

/** A body by hand: these chunks, and then its end, unless it goes on. */
export const bodyOf = (chunks: ReadonlyArray<Uint8Array>, rest: "ended" | "open" = "ended"): HttpBody.IncomingBody => {
  const ignore = (): void => {}
  const flow: HttpBody.Flow = { wanted: ignore, unwanted: ignore, pause: ignore, resume: ignore, credit: ignore }
  const body = new HttpBody.IncomingBody(undefined, flow)
  for (const chunk of chunks) body.push(chunk)
  if (rest === "ended") body.end(undefined)
  return body
}

/** What was answered on an exchange by hand. */
export interface Answered {
  readonly status: number
  /** Without those that are `undefined`. */
  readonly headers: FieldsInput
  readonly body: ReadonlyArray<Uint8Array | string>
  /** Of HTTP; `open`: the response has not ended. */
  readonly trailers: FieldsInput | undefined | "open"
}

export const answered = ({ sent }: FakeExchange): Answered => {
  const heads = sent.filter((one) => one._tag === "Head")
  if (heads.length !== 1) throw new Error(`there are ${heads.length} heads`)
  const end = sent.find((one) => one._tag === "End")
  return {
    status: heads[0]!.status,
    headers: Object.fromEntries(Object.entries(heads[0]!.headers).filter(([, value]) => value !== undefined)),
    body: sent.flatMap((one) => (one._tag === "Body" ? [one.data] : [])),
    trailers: end === undefined ? "open" : end.trailers
  }
}

/** A response as it came. */
export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What a client asks, in whatever version. */
export interface Request {
  /** Default `POST`. */
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent each by itself. */
  readonly chunks?: ReadonlyArray<Uint8Array>
}

export type Version = "1.1" | "2"

export const versions: ReadonlyArray<Version> = ["1.1", "2"]

/** Asks by HTTP/2 on the connection of the world, or by HTTP/1.1 on one of its own. */
export const ask = (
  world: GrpcServerWorld.World,
  version: Version,
  request: Request
): Effect.Effect<Response, Http2ClientError | TransportError> =>
  version === "2" ? askHttp2(world, request) : askHttp1(world, request)

const askHttp2 = (world: GrpcServerWorld.World, { chunks = [], headers, method = "POST", path }: Request) =>
  Effect.gen(function* () {
    const body = chunks.length === 0 ? undefined : Stream.rechunk(Stream.fromIterable(chunks), 1)
    const response = yield* world.session.request({ method, path, headers: { ...headers }, body })
    const answer: Response = { status: response.status, headers: response.headers, body: yield* response.bytes() }
    return answer
  }).pipe(Effect.scoped)

const askHttp1 = (world: GrpcServerWorld.World, { chunks = [], headers, method = "POST", path }: Request) =>
  Effect.gen(function* () {
    const transport = yield* world.network.dial(MemoryWorld.target)
    const peer = MemoryWorld.rawPeer(transport, true)
    const lengthBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const fields = { host: "server.test", connection: "close", "content-length": String(lengthBytes), ...headers }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    peer.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`)
    for (const chunk of chunks) {
      transport.write(chunk)
      yield* Effect.yieldNow
    }
    yield* peer.heard.saw("end")
    transport.end()
    return parse(Buffer.concat(peer.heard.chunks))
  }).pipe(Effect.scoped)

const parse = (bytes: Buffer): Response => {
  const end = bytes.indexOf("\r\n\r\n")
  const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n")
  const headers = Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
  const rest = bytes.subarray(end + 4)
  return {
    status: Number(first!.split(" ")[1]),
    headers,
    body: headers["transfer-encoding"] === "chunked" ? joined(rest) : rest
  }
}

const joined = (chunked: Buffer): Uint8Array => {
  const parts: Array<Uint8Array> = []
  for (let at = 0; ; ) {
    const end = chunked.indexOf("\r\n", at)
    const size = Number.parseInt(chunked.subarray(at, end).toString(), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(chunked.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
}

/** The frames of a body of grpc-web: flags, and what is in them. */
export const frames = (body: Uint8Array): ReadonlyArray<readonly [flag: number, content: string]> => {
  const found: Array<readonly [number, string]> = []
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  for (let at = 0; at < body.length; ) {
    const length = view.getUint32(at + 1)
    found.push([body[at]!, new TextDecoder("latin1").decode(body.subarray(at + 5, at + 5 + length))])
    at += 5 + length
  }
  return found
}

/** Base64 whose parts have padding of their own. */
export const fromText = (text: Uint8Array): Uint8Array =>
  Buffer.concat(
    (
      Buffer.from(text)
        .toString("latin1")
        .match(/[^=]+={0,2}/g) ?? []
    ).map((part) => Buffer.from(part, "base64"))
  )
