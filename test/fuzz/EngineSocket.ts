/**
 * Drives an engine with a socket of Node's: as little as a session has to do,
 * with its backpressure in both directions and without its deadlines.
 *
 * @since 0.1.0
 */
import type * as Stream from "node:stream"
import type { Engine } from "@sluice/core/protocol/Engine"

/** Some engines say when too much waits in them. */
export type Driven = Engine & { readonly wantsPause?: boolean }

/** Attaches the engine; the returned function sends what commands have produced outside of its own calls. */
export const drive = (socket: Stream.Duplex, engine: Driven): (() => void) => {
  const flush = (): void => {
    const { output } = engine
    for (const chunk of output.take()) if (!socket.write(chunk)) output.blocked = true
    if (output.closing === "end" && !socket.writableEnded) socket.end()
    else if (output.closing === "abort") socket.destroy()
    if (engine.wantsPause === true) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }
  socket.on("data", (chunk: Uint8Array) => {
    engine.receive(chunk, 0)
    flush()
  })
  socket.on("drain", () => {
    engine.output.blocked = false
    engine.resumeSending(0)
    flush()
  })
  socket.on("end", () => {
    engine.receiveEnd(0)
    flush()
  })
  socket.on("close", () => engine.receiveClose(0))
  socket.on("error", () => socket.destroy())
  flush()
  return flush
}
