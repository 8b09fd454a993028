/**
 * One room, and the door to it: lines over TCP. The room is a service, and a
 * door is a Layer on it.
 */
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Command from "effect/cli/Command"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Rooms from "./chat/rooms.ts"
import * as TcpDoor from "./chat/tcp-door.ts"
import * as CommandLine from "./command-line.ts"

/** People may be silent for long, and type slowly; and `nc` does not hang up when the server has. */
const tcpDoor = TcpDoor.layer.pipe(
  Layer.provide(TcpServer.layer({ idleTimeout: "1 hour", readTimeout: "1 hour", closeTimeout: "1 second" }))
)

/** The room is there before its door opens, and until it is closed. */
export const server = tcpDoor.pipe(Layer.provide(Rooms.layer()))

export const flags = CommandLine.listenFlags(4000)

export const run = (flags: CommandLine.ListenFlags) =>
  CommandLine.launch("chat", server, CommandLine.layerListener(flags), (address) => `join: ${client(flags, address)}`)

export const command = Command.make("chat", flags, run).pipe(
  Command.withDescription("One room: join with nc 127.0.0.1 4000"),
  Command.validate(CommandLine.validateListen)
)

const client = (flags: CommandLine.ListenFlags, address: NetAddress.SocketAddress): string => {
  const where = NetAddress.isUnixPathAddress(address)
    ? { nc: `-U ${address.path}`, openssl: `-unix ${address.path}` }
    : {
        nc: `${NetAddress.formatHost(address)} ${address.port}`,
        openssl: `-connect ${NetAddress.formatSocketAddress(address)}`
      }
  return Option.isSome(flags.cert) ? `openssl s_client -quiet ${where.openssl}` : `nc ${where.nc}`
}
