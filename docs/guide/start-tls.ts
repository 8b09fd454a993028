import { type Connection, Lines, TcpServer, type Tls } from "@sluice/core"
import { NodeCertificates, NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

/**
 * ```text
 *  client                server
 *  STARTTLS              GO
 *  <TLS handshake>       lines, encrypted
 * ```
 */
export const startTls = (certificates: Tls.TlsCertificates) =>
  TcpServer.serve((connection) =>
    Effect.gen(function* () {
      const clear = connection.framed(Lines.codec)
      if ((yield* clear.receive) !== "STARTTLS") return yield* clear.send("ERROR")
      yield* clear.send("GO")
      const tls = yield* connection.upgradeTls({ role: "server", certificates })
      const lines = connection.framed(Lines.codec)
      while (true) yield* lines.send(`${tls.protocol}: ${yield* lines.receive}`)
    })
  )

/** The client's side of it. */
export const secure = (connection: Connection.Connection, tls: Tls.TlsClientOptions) =>
  Effect.gen(function* () {
    const clear = connection.framed(Lines.codec)
    yield* clear.send("STARTTLS")
    yield* clear.receive
    yield* connection.upgradeTls({ role: "client", ...tls })
    return connection.framed(Lines.codec)
  })

const Main = NodeCertificates.fromFiles({ certificate: "server.pem", key: "server.key" }).pipe(
  Effect.map(startTls),
  Layer.unwrap,
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
