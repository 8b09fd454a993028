/**
 * `http2-program` on Effect's own server: `NodeHttpServer` over `node:http2`.
 */
import * as Http2 from "node:http2"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Layer from "effect/Layer"
import * as Http2Program from "./http2-program.ts"

Http2Program.layer.pipe(
  Layer.provide(NodeHttpServer.layer(() => Http2.createServer(), { port: 0, host: "127.0.0.1" })),
  Layer.launch,
  NodeRuntime.runMain
)
