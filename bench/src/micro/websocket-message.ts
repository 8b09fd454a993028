/**
 * What one WebSocket message costs from its bytes to the bytes of its echo,
 * through all of the server but the network: with `runForEach`, and with a
 * fiber that receives one by one. The engine alone is in `websocket-echo`.
 */
import * as WebSocketServer from "@sluice/core/server/WebSocketServer"
import type { WebSocket } from "@sluice/core/session/WebSocket"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as WebSocketFrames from "../rows/WebSocketFrames.ts"
import type { Case, Cases } from "./Case.ts"
import * as ServedTransport from "./ServedTransport.ts"

const message = "hello websocket ".repeat(4)
const messagesPerBurst = 16

/** A run: the messages come in one chunk, and all have been echoed when `onBytes` returns. */
const echoing = async (
  messages: number,
  handler: (socket: WebSocket) => Effect.Effect<unknown, unknown>
): Promise<Case> => {
  const transport = await ServedTransport.make(HttpServer.serve(WebSocketServer.handle(handler)))
  const hear = (wire: string): void => transport.receiver?.onBytes(Buffer.from(wire, "latin1"))
  hear(WebSocketFrames.opening.send)
  const wire = Buffer.from(WebSocketFrames.clientText(message).repeat(messages), "latin1")
  const run = (): number => {
    // Engines unmask in place, so that each run wants a copy.
    transport.receiver?.onBytes(Buffer.from(wire))
    return transport.sentBytes
  }
  const before = transport.sentBytes
  const echoed = WebSocketFrames.serverText(message).length * messages
  if (run() !== before + echoed) throw new Error(`${messages} messages were not echoed at once`)
  return { operationsPerRun: messages, run }
}

const oneByOne = Effect.fnUntraced(function* (socket: WebSocket) {
  while (true) yield* socket.send(yield* socket.receive)
})

export const cases: Cases = {
  runForEach: await echoing(1, (socket) => socket.runForEach((message) => socket.send(message))),
  "runForEach, in bursts": await echoing(messagesPerBurst, (socket) =>
    socket.runForEach((message) => socket.send(message))
  ),
  receive: await echoing(1, oneByOne)
}
