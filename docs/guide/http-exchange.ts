import { HttpExchange } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { NetAddress } from "effect/net"

/** What Effect's request does not show: the connection below it. */
const connection = Effect.gen(function* () {
  const { source } = yield* HttpServerRequest.HttpServerRequest
  if (!HttpExchange.isHttpExchange(source)) return yield* Effect.die("another server than Sluice's")
  const { scheme, transport, version } = source
  return HttpServerResponse.jsonUnsafe({
    version,
    scheme,
    peer: NetAddress.formatSocketAddress(transport.peer),
    certificate: transport.tls?.peerCertificate?.subject ?? "none"
  })
})

export const Routes = HttpRouter.add("GET", "/connection", connection)

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
