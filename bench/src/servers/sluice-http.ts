/**
 * `http-program` on Sluice's server.
 */
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Layer from "effect/Layer"
import * as HttpProgram from "./http-program.ts"

HttpProgram.layer.pipe(Layer.provide(NodeWebServer.layer({ port: 0, host: "127.0.0.1" })), NodeMain.run)
