/**
 * `http2-program` on Sluice's server, which takes HTTP/2 without TLS from who
 * knows that it does.
 */
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Layer from "effect/Layer"
import * as Http2Program from "./http2-program.ts"

Http2Program.layer.pipe(Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })), NodeMain.run)
