import {
  Chunks,
  type Codec,
  Delimited,
  FixedLength,
  JsonLines,
  LengthDelimited,
  Lines,
  MemoryNetwork,
  TcpClient,
  TcpServer,
  VarintDelimited
} from "@sluice/core"
import { NodeMain } from "@sluice/node"
import { Console, Effect, Layer } from "effect"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Sends one frame to an echo server, and reads it twice: as bytes, as they were on the wire, and as a frame. */
const roundTrip = <In, Out>(name: string, codec: Codec.Codec<In, Out>, frame: Out) =>
  Effect.gen(function* () {
    const connection = yield* TcpClient.connect({ host: "127.0.0.1", port: 7 })
    const frames = connection.framed(codec)
    yield* frames.send(frame)
    const wire = yield* connection.receive
    yield* connection.send(wire)
    return { name, wire: new TextDecoder().decode(wire), frame: yield* frames.receive }
  }).pipe(Effect.scoped)

export const examples = Effect.all([
  roundTrip("Lines", Lines.make({ ending: "\r\n", maxLineSize: "1 KiB" }), "a line"),
  roundTrip("JsonLines", JsonLines.codec, { of: "any shape" }),
  roundTrip("Delimited", Delimited.make({ delimiter: "--", maxFrameSize: "1 KiB" }), text("a frame")),
  roundTrip("LengthDelimited", LengthDelimited.make({ width: 1 }), text("abc")),
  roundTrip("VarintDelimited", VarintDelimited.codec, text("abc")),
  roundTrip("FixedLength", FixedLength.make(4), text("four")),
  roundTrip("Chunks", Chunks.codec, text("as it is"))
])

const Echo = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    while (true) yield* connection.send(yield* connection.receive)
  })
)

export const Network = Echo.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(MemoryNetwork.layerListener({ port: 7 })),
  Layer.provideMerge(MemoryNetwork.layerDialer),
  Layer.provide(MemoryNetwork.layer())
)

if (import.meta.main) NodeMain.run(Effect.provide(Effect.flatMap(examples, Console.log), Network))
