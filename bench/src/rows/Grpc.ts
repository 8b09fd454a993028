/**
 * Rows of gRPC beside `@grpc/grpc-js`, without TLS: servers under bare HTTP/2,
 * clients with their servers, and each one's client at the other's server.
 */
import * as GrpcExperiment from "../GrpcExperiment.ts"
import type { GrpcCall, GrpcLoad } from "../load/GrpcLoad.ts"
import type { Contestant, Row } from "../Row.ts"

const sluice: Contestant = { name: "Sluice", program: "servers/grpc-sluice" }
const sluiceEach: Contestant = { ...sluice, name: "Sluice, one at a time", arguments: ["each"] }
const grpcJs: Contestant = { name: "grpc-js", program: "servers/grpc-js" }

const sluiceClient = "load/grpc-sluice-client"
const grpcJsClient = "load/grpc-js-client"

const both: Contestant = { ...sluice, name: "Sluice, client and server", client: sluiceClient }
const bothGrpcJs: Contestant = { ...grpcJs, name: "grpc-js, client and server", client: grpcJsClient }
const atSluice: Contestant = { ...sluice, name: "grpc-js at Sluice", client: grpcJsClient }
const atGrpcJs: Contestant = { ...grpcJs, name: "Sluice at grpc-js", client: sluiceClient }

/** Ten times grpc-js, where a call is small and the server busy. */
const serverTarget = { [grpcJs.name]: 10 }
const clientTarget = { [bothGrpcJs.name]: 6 }
const streamTarget = { [grpcJs.name]: 5 }

const unary = (payloadBytes: number): GrpcCall => ({ method: "Unary", payloadBytes })
const hello: GrpcCall = { method: "Hello", name: "world" }
const stream = (payloadBytes: number, count: number): GrpcCall => ({ method: "Stream", payloadBytes, count })

interface Shape {
  readonly call: GrpcCall
  readonly title: string
  readonly connections: number
  readonly inFlight: number
  readonly targets?: Row["targets"]
  /** Default: Sluice as it is. */
  readonly subject?: Contestant
}

const titleOf = ({ title, connections, inFlight }: Shape): string =>
  `gRPC ${title}, ${connections} ${connections === 1 ? "connection" : "connections"}, ${inFlight} in flight`

const loadOf = ({ call, connections, inFlight }: Shape): GrpcLoad => ({ call, connections, inFlight })

const server = (name: string, shape: Shape): Row => ({
  group: "grpc",
  name,
  title: titleOf(shape),
  subject: shape.subject ?? sluice,
  peers: [grpcJs],
  targets: shape.targets ?? {},
  experiment: GrpcExperiment.throughput(loadOf(shape))
})

const client = (name: string, shape: Shape): Row => ({
  group: "grpc",
  name: `client-${name}`,
  title: `${titleOf(shape)}, under a client on a core of its own`,
  subject: both,
  peers: [bothGrpcJs, atSluice, atGrpcJs],
  targets: shape.targets ?? {},
  experiment: GrpcExperiment.throughput(loadOf(shape))
})

const latency = (name: string, callsPerSecond: number, call: GrpcCall, title: string): Row => ({
  group: "grpc",
  name: `latency-${name}`,
  title: `gRPC ${title}, 10 connections, ${callsPerSecond} calls a second, counted from when they are due`,
  subject: sluice,
  peers: [grpcJs],
  targets: {},
  experiment: GrpcExperiment.latency({ call, connections: 10, inFlight: 100, callsPerSecond })
})

const busy = { connections: 10, inFlight: 32 }
const small = "unary, 16 B each way"

export const grpc: ReadonlyArray<Row> = [
  server("unary", { ...busy, call: unary(16), title: small, targets: serverTarget }),
  server("unary-1k", { ...busy, call: unary(1_024), title: "unary, 1 KiB each way" }),
  server("unary-64k", { ...busy, call: unary(65_536), title: "unary, 64 KiB each way" }),
  server("hello", { ...busy, call: hello, title: 'unary, "world" and "Hello world"', targets: serverTarget }),
  server("unary-single", { connections: 1, inFlight: 1, call: unary(16), title: small }),
  server("unary-128", { connections: 1, inFlight: 128, call: unary(16), title: small }),
  server("unary-1k-128", { connections: 1, inFlight: 128, call: unary(1_024), title: "unary, 1 KiB each way" }),
  server("unary-64k-32", { connections: 1, inFlight: 32, call: unary(65_536), title: "unary, 64 KiB each way" }),
  server("stream", {
    connections: 10,
    inFlight: 4,
    call: stream(16, 1_000),
    title: "server streaming of 1,000 messages of 16 B",
    targets: streamTarget
  }),
  server("stream-each", {
    connections: 10,
    inFlight: 4,
    call: stream(16, 1_000),
    title: "server streaming of 1,000 messages of 16 B, each a chunk of its stream",
    targets: streamTarget,
    subject: sluiceEach
  }),
  server("stream-1k", {
    connections: 10,
    inFlight: 4,
    call: stream(1_024, 1_000),
    title: "server streaming of 1,000 messages of 1 KiB"
  }),
  server("stream-single", {
    connections: 1,
    inFlight: 1,
    call: stream(16, 10_000),
    title: "server streaming of 10,000 messages of 16 B",
    targets: streamTarget
  }),
  client("unary", { ...busy, call: unary(16), title: small, targets: clientTarget }),
  client("unary-1k", { ...busy, call: unary(1_024), title: "unary, 1 KiB each way" }),
  client("unary-64k", { ...busy, call: unary(65_536), title: "unary, 64 KiB each way" }),
  client("unary-single", { connections: 1, inFlight: 1, call: unary(16), title: small }),
  client("unary-128", { connections: 1, inFlight: 128, call: unary(16), title: small, targets: clientTarget }),
  client("stream", {
    connections: 10,
    inFlight: 4,
    call: stream(16, 1_000),
    title: "server streaming of 1,000 messages of 16 B"
  }),
  latency("unary", 4_000, unary(16), small),
  latency("unary-64k", 500, unary(65_536), "unary, 64 KiB each way")
]
