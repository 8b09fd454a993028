/**
 * WebSocket echo with Effect's own server: `NodeHttpServer`, which uses `ws`.
 */
import * as Http from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as HttpAnnouncementLayer from "./HttpAnnouncementLayer.ts"

const echo = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const socket = yield* request.upgrade
  const { pull } = yield* socket.reader
  const { writeAll } = yield* socket.writer
  while (true) yield* writeAll(yield* pull)
})

const route = HttpRouter.add(
  "GET",
  "/",
  Effect.catchTag(Effect.scoped(echo), "SocketError", () => Effect.succeed(HttpServerResponse.empty()))
)

const served = HttpRouter.serve(route, { disableLogger: true, disableListenLog: true })

HttpAnnouncementLayer.layer.pipe(
  Layer.provide(served),
  Layer.provide(NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })),
  Layer.launch,
  NodeRuntime.runMain
)
