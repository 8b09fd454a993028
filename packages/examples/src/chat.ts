/**
 * Rooms, and three doors to them: lines over TCP, a page over HTTP with a
 * WebSocket, and gRPC on the port of the page. The rooms are a service, and a
 * door is a Layer on it.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as WebServer from "@sluice/core/server/WebServer"
import { Listener } from "@sluice/core/transport/Listener"
import * as Context from "effect/Context"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as GrpcDoor from "./chat/grpc-door.ts"
import * as Rooms from "./chat/rooms.ts"
import * as TcpDoor from "./chat/tcp-door.ts"
import * as WebDoor from "./chat/web-door.ts"
import * as CommandLine from "./command-line.ts"

/** People may be silent for long, and type slowly; and `nc` does not hang up when the server has. */
const tcpDoor = TcpDoor.layer.pipe(
  Layer.provide(TcpServer.layer({ idleTimeout: "1 hour", readTimeout: "1 hour", closeTimeout: "1 second" }))
)

/** Both on one port: calls of gRPC are there before the first request comes. */
const webDoors = WebDoor.layer.pipe(Layer.provide(GrpcDoor.layer), Layer.provide(WebServer.layer()))

/**
 * The rooms are there before their doors open, and until these are closed. The
 * doors close side by side: nobody hears of the end later than others.
 */
export const server = (web: Listener["Service"]) =>
  Layer.mergeAll(tcpDoor, Layer.provide(webDoors, Layer.succeed(Listener, web))).pipe(Layer.provide(Rooms.layer()))

const defaultWebPort = 4080

export const flags = {
  ...CommandLine.listenFlags(4000),
  webPort: CommandLine.plainPortFlag("web-port").pipe(
    Flag.withDescription(`Port of the page; ${defaultWebPort} unless given, a free one beside --port 0`),
    Flag.optional
  )
}

export interface Flags extends CommandLine.ListenFlags {
  readonly webPort: Option.Option<number>
}

export const run = (flags: Flags) =>
  Effect.scoped(
    Effect.gen(function* () {
      const port = Option.getOrElse(flags.webPort, () => (flags.port === 0 ? 0 : defaultWebPort))
      const webFlags = { ...flags, port, unix: Option.none() }
      const web = Context.get(
        yield* Layer.build(CommandLine.layerListener(webFlags, { alpnProtocols: ["h2", "http/1.1"] })),
        Listener
      )
      const hint = (address: NetAddress.SocketAddress) => `join: ${client(flags, address)}\npage: ${page(flags, web)}`
      return yield* CommandLine.launch("chat", server(web), CommandLine.layerListener(flags), hint)
    })
  )

export const command = Command.make("chat", flags, run).pipe(
  Command.withDescription(
    "Rooms to talk in: join with nc 127.0.0.1 4000, open http://127.0.0.1:4080, or call chat.ChatRoom/Join there"
  ),
  Command.validate(CommandLine.validateListen)
)

const page = (flags: Flags, { address }: Listener["Service"]): string =>
  `${Option.isSome(flags.cert) ? "https" : "http"}://${NetAddress.formatSocketAddress(address)}/`

const client = (flags: Flags, address: NetAddress.SocketAddress): string => {
  const where = NetAddress.isUnixPathAddress(address)
    ? { nc: `-U ${address.path}`, openssl: `-unix ${address.path}` }
    : {
        nc: `${NetAddress.formatHost(address)} ${address.port}`,
        openssl: `-connect ${NetAddress.formatSocketAddress(address)}`
      }
  return Option.isSome(flags.cert) ? `openssl s_client -quiet ${where.openssl}` : `nc ${where.nc}`
}
