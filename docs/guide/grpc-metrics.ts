import { GrpcMetrics, type GrpcObserver, GrpcServer, GrpcStatus } from "@sluice/core"
import { NodeMain, NodeWebServer } from "@sluice/node"
import { Console, Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { GreeterLive } from "./grpc-server.ts"

/** A line for each call. */
const lines: Effect.Effect<GrpcObserver.GrpcObserver> = Effect.map(Console.Console, ({ log }) => ({
  onStart: () => {},
  onEnd: ({ code, durationMillis, path }) => log(`${path} ${GrpcStatus.nameOf(code)} in ${durationMillis} ms`)
}))

export const Routes = Layer.merge(
  PrometheusMetrics.layerHttp(),
  GrpcServer.mount(GreeterLive, { observers: [GrpcMetrics.server, lines] })
)

const Main = HttpRouter.serve(Routes).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
