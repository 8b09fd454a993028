import { type Dialer, Lines, TcpClient, TcpServer, type Tls } from "@sluice/core"
import { NodeCertificates, NodeMain, NodeServices, NodeTransport } from "@sluice/node"
import { Console, Effect, FileSystem, Layer, Redacted } from "effect"

/** Greets every client by the name in its certificate. */
export const Greeter = TcpServer.serve((connection) => {
  const name = connection.tls?.peerCertificate?.subject ?? "nobody"
  return connection.framed(Lines.codec).send(`hello, ${name}`)
})

/** Only clients whose certificate `authorities` vouch for. */
export const listener = (port: number, certificates: Tls.TlsCertificates, authorities: string) =>
  NodeTransport.layerListener({
    host: "127.0.0.1",
    port,
    tls: { certificates, authorities, clientCertificates: "require", alpnProtocols: ["greeter"] }
  })

export const greet = (target: Dialer.Target, tls: Tls.TlsClientOptions) =>
  TcpClient.connect(target, { tls: { alpnProtocols: ["greeter"], ...tls } }).pipe(
    Effect.flatMap((connection) => connection.framed(Lines.codec).receive),
    Effect.scoped
  )

const Server = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const certificates = yield* NodeCertificates.fromFiles({ certificate: "server.pem", key: "server.key" })
  const authorities = yield* files.readFileString("ca.pem")
  return Greeter.pipe(Layer.provide(TcpServer.layer()), Layer.provide(listener(7000, certificates, authorities)))
}).pipe(Layer.unwrap, Layer.provide(NodeServices.layer))

const Client = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const certificate = yield* files.readFileString("client.pem")
  const key = Redacted.make(yield* files.readFileString("client.key"))
  const authorities = yield* files.readFileString("ca.pem")
  yield* Console.log(yield* greet({ host: "localhost", port: 7000 }, { authorities, identity: { certificate, key } }))
}).pipe(Effect.provide(NodeServices.layer))

if (import.meta.main) {
  if (process.argv[2] === "client") NodeMain.run(Client)
  else NodeMain.run(Server)
}
