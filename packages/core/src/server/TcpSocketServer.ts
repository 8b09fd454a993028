/**
 * A `TcpServer` as Effect's `SocketServer`: the one file of the server that
 * knows that interface. A connection is a `Socket` already.
 *
 * @internal
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as SocketServer from "effect/socket/SocketServer"
import type { Connection } from "../session/Connection.ts"
import type { TcpServer } from "./TcpServer.ts"

/** @category adapters */
export const make = (server: TcpServer["Service"]): SocketServer.SocketServer["Service"] =>
  SocketServer.SocketServer.of({
    address: server.address,
    run: <R, E, _>(handler: (connection: Connection) => Effect.Effect<_, E, R>) =>
      server.run(handler) as Effect.Effect<never, never, R>
  })
