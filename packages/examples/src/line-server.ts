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
  const answer = lines.receive.pipe(
    Effect.map((line) => (line === "HELLO" ? "WORLD" : line === "QUIT" ? "BYE" : `ECHO: ${line}`)),
    Effect.catchReasons("CodecError", {
      FrameTooLarge: () => Effect.succeed("ERROR line too long"),
      InvalidUtf8: () => Effect.succeed("ERROR not UTF-8")
    })
  )
  return Effect.gen(function* () {
    let last = ""
    while (last !== "BYE") {
      last = yield* answer
      // Not `lines.send`: the codec's maximum holds both ways, and "ECHO: " makes the longest line longer.
      yield* connection.send(`${last}\n`)
    }
  })
}).pipe(Layer.provide(TcpServer.layer()))

export const command = Command.make("line-server", CommandLine.listenFlags(4002), (flags) =>
  CommandLine.launch("line-server", server, CommandLine.layerListener(flags))
).pipe(
  Command.withDescription("Answers lines: HELLO with WORLD, QUIT with BYE, others with ECHO"),
  Command.validate(CommandLine.validateListen)
)
