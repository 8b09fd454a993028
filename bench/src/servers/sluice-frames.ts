/**
 * An echo of length-delimited frames with Sluice's `TcpServer`: a fiber a
 * connection, a turn of its loop a frame. With the argument `batch`: a turn
 * for all frames that are there.
 */
import * as LengthDelimited from "@sluice/core/codec/LengthDelimited"
import * as TcpServer from "@sluice/core/server/TcpServer"
import type { Connection } from "@sluice/core/session/Connection"
import * as NodeMain from "@sluice/node/NodeMain"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AnnouncementLayer from "./AnnouncementLayer.ts"

const frameByFrame = Effect.fnUntraced(function* (connection: Connection) {
  const frames = connection.framed(LengthDelimited.codec)
  while (true) yield* frames.send(yield* frames.receive)
})

const inBatches = Effect.fnUntraced(function* (connection: Connection) {
  const frames = connection.framed(LengthDelimited.codec)
  while (true) yield* frames.sendAll(yield* frames.receiveAll)
})

TcpServer.serve(process.argv[2] === "batch" ? inBatches : frameByFrame).pipe(
  Layer.merge(AnnouncementLayer.layer),
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 0 })),
  NodeMain.run
)
