import { LengthDelimited, Lines, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

/** Behind each length of two bytes, big endian, a frame. */
export const frameCodec = LengthDelimited.make({ width: 2, maxFrameSize: "32 KiB" })

/**
 * ```text
 *  client                  server
 *  FRAMES LF               OK LF         lines, until both have said so
 *  <length> <bytes>        <length> <the same bytes>
 * ```
 */
export const FrameServer = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    const lines = connection.framed(Lines.make({ maxLineSize: 80 }))
    if ((yield* lines.receive) !== "FRAMES") return yield* lines.send("ERROR: say FRAMES")
    yield* lines.send("OK")
    const frames = connection.framed(frameCodec)
    while (true) yield* frames.send(yield* frames.receive)
  })
)

const Main = Layer.merge(FrameServer, TcpServer.layerLogAddress).pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
