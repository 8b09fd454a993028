/**
 * Answers lines: `HELLO` with `WORLD`, `QUIT` with `BYE` and the end, and any
 * other with `ECHO: ` and the line.
 *
 * Bad input costs one line, not the connection: a line above 64 KiB is
 * discarded as it comes, never buffered, and told.
 */
import * as Lines from "@sluice/core/codec/Lines"
import * as TcpServer from "@sluice/core/server/TcpServer"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CommandLine from "./command-line.ts"

const lineCodec = Lines.make({ maxLineSize: "64 KiB", tooLong: "discard" })

export const server = TcpServer.serve((connection) => {
  const lines = connection.framed(lineCodec)
  const complain = (problem: string) => Effect.as(lines.send(`ERROR ${problem}`), "")
  const exchange = lines.receive.pipe(
    Effect.map((line) => (line === "HELLO" ? "WORLD" : line === "QUIT" ? "BYE" : `ECHO: ${line}`)),
    Effect.tap(lines.send),
    Effect.catchReasons("CodecError", {
      FrameTooLarge: () => complain("line too long"),
      InvalidUtf8: () => complain("not UTF-8"),
      // The CR at the end of such a line would be taken for a part of the line's ending.
      InvalidContent: () => complain("CR before the line ending")
    })
  )
  return Effect.repeat(exchange, { until: (answer) => answer === "BYE" })
}).pipe(Layer.provide(TcpServer.layer()))

export const command = Command.make("line-server", CommandLine.listenFlags(4002), (flags) =>
  CommandLine.launch("line-server", server, CommandLine.layerListener(flags))
).pipe(
  Command.withDescription("Answers lines: HELLO with WORLD, QUIT with BYE, others with ECHO"),
  Command.validate(CommandLine.validateListen)
)
