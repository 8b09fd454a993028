/**
 * Serves an `effect/rpc` group three ways: over TCP, one JSON message a line,
 * and on a second port over WebSocket and HTTP, on the path `/rpc`.
 *
 * The group, its handlers and `RpcServer` are Effect's own: `TcpServer.layer`
 * provides the `SocketServer` that they ask for, `WebServer.layer` the
 * `HttpServer`.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as WebServer from "@sluice/core/server/WebServer"
import { Listener } from "@sluice/core/transport/Listener"
import * as Context from "effect/Context"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as CommandLine from "./command-line.ts"
import * as Greeter from "./greeter.ts"

export const tcpServer = RpcServer.layer(Greeter.Greeter).pipe(
  Layer.provide(Greeter.handlers),
  Layer.provide(RpcServer.layerProtocolSocketServer),
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(TcpServer.layer())
)

/** A GET that asks to upgrade, and a POST: both find their way on one path. */
const routes = Layer.mergeAll(
  RpcServer.layerHttp({ group: Greeter.Greeter, path: "/rpc", protocol: "websocket" }),
  RpcServer.layerHttp({ group: Greeter.Greeter, path: "/rpc", protocol: "http" })
).pipe(Layer.provide(Greeter.handlers), Layer.provide(RpcSerialization.layerNdjson))

export const webServer = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(WebServer.layer())
)

const flags = {
  ...CommandLine.listenFlags(4004),
  webPort: CommandLine.portFlag("web-port", 4005)
}

export const command = Command.make("rpc-greeter", flags, ({ webPort, ...listen }) =>
  Effect.gen(function* () {
    const web = yield* Layer.build(
      CommandLine.layerListener(
        { ...listen, port: webPort, unix: Option.none() },
        { alpnProtocols: ["h2", "http/1.1"] }
      )
    )
    const where = NetAddress.formatSocketAddress(Context.get(web, Listener).address)
    return yield* CommandLine.launch(
      "rpc-greeter",
      Layer.merge(tcpServer, Layer.provide(webServer, Layer.succeedContext(web))),
      CommandLine.layerListener(listen),
      () => `WebSocket and HTTP: ${where}/rpc`
    )
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription("Serves the greeter as effect/rpc over TCP, WebSocket and HTTP"),
  Command.validate(CommandLine.validateListen)
)
