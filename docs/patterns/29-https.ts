import { SecurityHeaders } from "@sluice/core"
import { NodeCertificates, NodeMain, NodeServices, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"

const hello = Effect.map(HttpServerRequest.HttpServerRequest, ({ originalUrl }) =>
  HttpServerResponse.text(`you asked for ${originalUrl}`)
)

export const Routes = Layer.merge(HttpRouter.add("GET", "/", hello), SecurityHeaders.layer())

/** Sends who came in clear to the same path over TLS. */
export const ToHttps = (host: string) =>
  HttpRouter.add("*", "/*", (request) =>
    Effect.succeed(HttpServerResponse.redirect(`https://${host}${request.url}`, { status: 308 }))
  )

const Main = Effect.gen(function* () {
  const certificates = yield* NodeCertificates.fromFiles({ certificate: "server.pem", key: "server.key" })
  const Secure = HttpRouter.serve(Routes).pipe(
    Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 8443, tls: { certificates } }))
  )
  const Clear = HttpRouter.serve(ToHttps("localhost:8443")).pipe(
    Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 8080 }))
  )
  return Layer.merge(Secure, Clear)
}).pipe(Layer.unwrap, Layer.provide(NodeServices.layer))

if (import.meta.main) NodeMain.run(Main)
