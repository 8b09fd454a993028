/**
 * An HTTP server on Node, in one line: what `NodeHttpServer.layer` of
 * `@effect/platform-node` is, on Sluice.
 *
 * ```ts
 * HttpRouter.serve(Routes).pipe(
 *   Layer.provide(NodeWebServer.layer({ port: 3000 })),
 *   Layer.launch,
 *   NodeMain.run
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as PlatformServices from "@effect/platform-node/NodeServices"
import * as WebServer from "@sluice/core/server/WebServer"
import type { Deflate } from "@sluice/core/transport/Deflate"
import type { TransportError } from "@sluice/core/transport/TransportError"
import * as Etag from "effect/http/Etag"
import type * as HttpPlatform from "effect/http/HttpPlatform"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NodeDeflate from "./NodeDeflate.ts"
import * as NodeGrpcCompression from "./NodeGrpcCompression.ts"
import * as NodeListener from "./NodeListener.ts"

/**
 * Where to listen, and the limits of the server. With `tls`, ALPN offers `h2`
 * and `http/1.1` unless `alpnProtocols` says something else; without HTTP/2
 * only `http/1.1`.
 *
 * @category options
 */
export type Options = NodeListener.Options & WebServer.Options

/** What a handler may ask for beside the server: files, entity tags, and Effect's services on Node. @category models */
export type Services = HttpPlatform.HttpPlatform | Etag.Generator | PlatformServices.NodeServices | Deflate

/** The services beside a server, for one whose listener is made elsewhere; gRPC's compression is among them. @category layers */
export const layerServices: Layer.Layer<Services> = Layer.mergeAll(
  NodeHttpPlatform.layer,
  Etag.layerWeak,
  PlatformServices.layer,
  NodeDeflate.layer(),
  NodeGrpcCompression.layer()
)

/**
 * Binds an address and serves it. Fails as `NodeTransport.layerListener` does,
 * when the address cannot be bound.
 *
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<WebServer.WebServer | HttpServer.HttpServer | Services, TransportError> =>
  Layer.mergeAll(
    // Above its connections the server has new ones wait; the listener would close them.
    WebServer.layer(options).pipe(
      Layer.provide(NodeListener.layer({ ...options, tls: tlsOf(options), maxConnections: undefined }))
    ),
    layerServices
  )

const tlsOf = ({ http2, tls }: Options): Options["tls"] =>
  tls === undefined
    ? undefined
    : { ...tls, alpnProtocols: tls.alpnProtocols ?? (http2 === "off" ? ["http/1.1"] : ["h2", "http/1.1"]) }
