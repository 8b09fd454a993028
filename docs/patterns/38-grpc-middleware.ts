import {
  GrpcChannel,
  GrpcClient,
  GrpcClientTracing,
  GrpcError,
  GrpcServer,
  type GrpcServerInterceptor,
  GrpcServerTracing,
  type Tls
} from "@sluice/core"
import { Greeter } from "@sluice/examples/generated/hello_pb"
import { NodeCertificates, NodeMain, NodeServices, NodeTransport, NodeWebServer } from "@sluice/node"
import { Console, Context, Effect, FileSystem, Layer, Redacted, Stream } from "effect"

/** Who calls, by the certificate. */
export const Caller = Context.Reference<string>("Caller", { defaultValue: () => "nobody" })

/** Says who calls to what stands behind it; a client without a certificate gets no further. */
export const identified: GrpcServerInterceptor.GrpcServerInterceptor = (call, handled) => {
  const { peerCertificate } = call.tls ?? {}
  if (peerCertificate === undefined) return GrpcError.unauthenticated("a certificate is needed")
  return Effect.provideService(handled, Caller, peerCertificate.subject)
}

/** Who may call which method. */
export const authorized =
  (allowed: Readonly<Record<string, ReadonlyArray<string>>>): GrpcServerInterceptor.GrpcServerInterceptor =>
  ({ method }, handled) =>
    Effect.flatMap(Caller, (caller) =>
      allowed[method.localName]?.includes(caller) ? handled : GrpcError.permissionDenied(`not for ${caller}`)
    )

export const GreeterLive = GrpcServer.layer(Greeter, {
  sayHello: ({ name }) => Effect.map(Caller, (caller) => ({ message: `Hello ${name}, says ${caller}. `.repeat(100) })),
  streamHellos: ({ name }) => Stream.map(Stream.tick("2 seconds"), () => ({ message: `Hello ${name}` })),
  collectHellos: (requests) => Effect.map(Stream.runCount(requests), (count) => ({ message: `Hello all ${count}` }))
})

/** Replies are compressed for clients that take it. */
export const options = { callTimeout: "5 seconds", maxConcurrentCalls: 1_000, compression: ["gzip"] } as const

const [clients, admins] = [["CN=client.test"], ["CN=admin.test"]]

/** The first interceptor is the outermost. */
export const Server = GrpcServer.serve(GreeterLive, {
  ...options,
  interceptors: [
    GrpcServerTracing.make(),
    identified,
    authorized({ sayHello: clients, streamHellos: clients, collectHellos: admins })
  ]
})

/** Where only clients come whose certificate `authorities` vouch for. */
export const web = (port: number, certificates: Tls.TlsCertificates, authorities: string) =>
  NodeWebServer.layer({ host: "127.0.0.1", port, tls: { certificates, authorities, clientCertificates: "require" } })

/** Compresses requests too, and tells the server of its spans. */
export const channel = (port: number, tls: Tls.TlsClientOptions) =>
  GrpcChannel.layer(
    { host: "localhost", port },
    { tls, compression: "gzip", interceptors: [GrpcClientTracing.make()] }
  ).pipe(Layer.provide(NodeTransport.layerDialer()))

const files = Effect.gen(function* () {
  const { readFileString } = yield* FileSystem.FileSystem
  const identity = {
    certificate: yield* readFileString("client.pem"),
    key: Redacted.make(yield* readFileString("client.key"))
  }
  return { authorities: yield* readFileString("ca.pem"), identity }
})

const Main = Effect.gen(function* () {
  const certificates = yield* NodeCertificates.fromFiles({ certificate: "server.pem", key: "server.key" })
  const { authorities } = yield* files
  return Server.pipe(Layer.provide(web(50051, certificates, authorities)))
}).pipe(Layer.unwrap, Layer.provide(NodeServices.layer))

const Client = Effect.gen(function* () {
  const greeter = yield* GrpcClient.make(Greeter)
  yield* Console.log((yield* greeter.sayHello({ name: "Ada" })).message)
}).pipe(
  Effect.provide(Layer.unwrap(Effect.map(files, (tls) => channel(50051, tls)))),
  Effect.provide(NodeServices.layer)
)

if (import.meta.main) {
  if (process.argv[2] === "client") NodeMain.run(Client)
  else NodeMain.run(Main)
}
